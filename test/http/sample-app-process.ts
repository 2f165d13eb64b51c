import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Long enough for a machine that does ten other things. */
const DEADLINE_MS = 180_000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The sample application as a process of its own, with nothing of this one's environment. */
export class SampleAppProcess {
  /** What it has written so far. */
  output = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<Exit>;

  /**
   * @param packageFolder what build-sample-app.mjs made
   * @param environment its settings; it listens on any free port unless they say another
   * @param program what is started, and its arguments
   */
  constructor(
    packageFolder: string,
    environment: Readonly<Record<string, string>>,
    [file = 'main.js', ...args]: readonly string[] = [],
  ) {
    const main = join(packageFolder, 'sample-app/dist', file);
    this.#child = spawn(process.execPath, ['--enable-source-maps', main, ...args], {
      cwd: packageFolder,
      env: { PATH: process.env.PATH, PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    // Once its streams are closed too, so that its last words are in the output.
    this.#exit = once(this.#child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** Resolves to the URL once it serves. */
  async url(): Promise<string> {
    return (await this.said(/Open (http:\S+)/))[1]!;
  }

  /**
   * Resolves once it has written what matches.
   *
   * @throws when it ends without it
   */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const heard = new Promise<void>((resolve) => {
      const listen = (): void => {
        if (pattern.test(this.output)) resolve();
      };
      this.#child.stdout!.on('data', listen);
      listen();
    });
    await this.#inTime(Promise.race([heard, this.#exit]), `to say ${String(pattern)}`);
    const match = pattern.exec(this.output);
    if (match === null) throw new Error(`It ended without ${String(pattern)}:\n${this.output}`);
    return match;
  }

  /** Sends a signal, if one is given, and resolves once the process is gone. */
  async ended(signal?: NodeJS.Signals): Promise<Exit> {
    if (signal !== undefined) this.#child.kill(signal);
    return this.#inTime(this.#exit, 'to end');
  }

  async #inTime<T>(event: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      const late = (): void => {
        reject(new Error(`It took more than ${DEADLINE_MS} ms ${what}:\n${this.output}`));
      };
      timer = setTimeout(late, DEADLINE_MS);
    });
    return Promise.race([event, deadline]).finally(() => clearTimeout(timer));
  }
}
