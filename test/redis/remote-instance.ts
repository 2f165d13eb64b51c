import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Instance, InstanceOptions, Work } from './instance.js';
import type { Request, Response } from './instance-process.js';
import type { Seen } from './oracle.js';

const PROGRAM = fileURLToPath(new URL('instance-process.ts', import.meta.url));
const HOOKS = new URL('../support/typescript-hooks.mjs', import.meta.url).href;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** An {@link Instance} in a process of its own, which can be stopped and killed. */
export class RemoteInstance {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (response: Response) => this.#hear(response));
    child.on('exit', (code, signal) => {
      const error = new Error(`the instance has ended with ${signal ?? code}`);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    });
  }

  /** Starts a process, which can then open one instance after the other. */
  static async start(): Promise<RemoteInstance> {
    const child = fork(PROGRAM, { execArgv: ['--import', HOOKS], serialization: 'advanced' });
    const remote = new RemoteInstance(child);
    await once(child, 'message');
    return remote;
  }

  async open(options: InstanceOptions): Promise<void> {
    await this.#ask('open', options);
  }

  async read(key: string): Promise<number> {
    return (await this.#ask('read', key)) as number;
  }

  async change(key: string): Promise<number> {
    return (await this.#ask('change', key)) as number;
  }

  async work(work: Work): Promise<void> {
    await this.#ask('work', work);
  }

  async stampede(key: string, callers: number, loadMs: number): Promise<unknown[]> {
    return (await this.#ask('stampede', key, callers, loadMs)) as unknown[];
  }

  async hang(key: string): Promise<void> {
    await this.#ask('hang', key);
  }

  async takeSeen(): Promise<Seen[]> {
    return (await this.#ask('takeSeen')) as Seen[];
  }

  async metrics(): Promise<ReturnType<Instance['metrics']>> {
    return (await this.#ask('metrics')) as ReturnType<Instance['metrics']>;
  }

  async isProven(): Promise<boolean> {
    return (await this.#ask('isProven')) as boolean;
  }

  async fencedByLevel(): Promise<number> {
    return (await this.#ask('fencedByLevel')) as number;
  }

  async loads(): Promise<number> {
    return (await this.#ask('loads')) as number;
  }

  async close(): Promise<void> {
    await this.#ask('close');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask(method: string, ...args: unknown[]): Promise<unknown> {
    const request: Request = { id: (this.#asked += 1), method, args };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#child.send(request);
    });
  }

  #hear({ id, value, error }: Response): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }
}
