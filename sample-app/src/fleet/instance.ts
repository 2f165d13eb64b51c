import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TimedBody } from '../answers/answer.interceptor.js';
import type { Place } from '../places/place.js';
import { StartError } from '../start-error.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** What Nest says of its own parts, which are the same in each instance. */
const OF_NEST = /\[(?:InstanceLoader|NestApplication|NestFactory|RouterExplorer|RoutesResolver)\]/;

/** What an instance says about a place. */
export type PlaceAnswer = TimedBody & { readonly data: Place };

/** One instance of the application, as a process of its own. */
export class Instance {
  /** Settles when the process has ended. */
  readonly ended: Promise<unknown>;
  #url = '';

  private constructor(
    readonly name: string,
    child: ChildProcess,
  ) {
    this.ended = once(child, 'exit');
  }

  /**
   * Starts an instance; what it writes about itself appears behind its name.
   *
   * @param signal ends it, also while it starts
   * @throws {StartError} when it ends before it serves
   */
  static async start(
    name: string,
    environment: NodeJS.ProcessEnv,
    signal: AbortSignal,
  ): Promise<Instance> {
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const instance = new Instance(name, child);
    signal.addEventListener('abort', () => child.kill('SIGTERM'));
    const serves = new Promise<string>((resolve) => {
      createInterface(child.stdout).on('line', (line) => {
        if (!OF_NEST.test(line)) process.stdout.write(`${name}: ${line}\n`);
        const [, url] = /Open (http:\S+)/.exec(line) ?? [];
        if (url !== undefined) resolve(url);
      });
    });
    const url = await Promise.race([serves, instance.ended]);
    if (typeof url !== 'string') throw new StartError(`${name} did not start.`);
    instance.#url = url;
    return instance;
  }

  get url(): string {
    return this.#url;
  }

  ask(id: number): Promise<PlaceAnswer> {
    return this.#fetch(id);
  }

  change(id: number, change: Pick<Place, 'population'>): Promise<PlaceAnswer> {
    const headers = { 'Content-Type': 'application/json' };
    return this.#fetch(id, { method: 'PATCH', headers, body: JSON.stringify(change) });
  }

  async #fetch(id: number, init?: RequestInit): Promise<PlaceAnswer> {
    const response = await fetch(`${this.#url}/places/${id}`, init);
    if (!response.ok) throw new Error(`${this.name} answered with ${response.status}.`);
    return (await response.json()) as PlaceAnswer;
  }
}
