import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import autocannon from 'autocannon';

/** What Nest stands on. */
export type Framework = 'Express' | 'Fastify';

/** What is on the routes that are cached. */
export type CacheName = 'none' | '@CacheResponse' | 'CacheInterceptor';

/** The routes of the server: two whose handler costs nothing, and one whose handler takes a millisecond. */
export type Route = 'uncached' | 'cached' | 'cached-work';

/** What so many requests came to. */
export interface Burst {
  readonly perSecond: number;
  /** Processor time of the server. */
  readonly cpuMicrosecondsEach: number;
  readonly answered: number;
}

const SERVER = fileURLToPath(new URL('server.js', import.meta.url));
const CONNECTIONS = 10;
/** How often the client looks whether it has all answers. */
const SAMPLE_MS = 20;

/** A server in a process of its own, and the client that asks it. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /** Starts a server with a cache on its routes. */
  static async start(framework: Framework, cache: CacheName): Promise<ServerProcess> {
    const child = fork(SERVER, [framework, cache], {
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
    });
    return new ServerProcess(child, await answerOf<string>(child));
  }

  /** Asks for a route so often, ten requests at a time over connections that stay open. */
  async ask(route: Route, requests: number): Promise<Burst> {
    const before = await this.#cpuMicroseconds();
    const startedAt = performance.now();
    const url = `${this.#url}/${route}`;
    let lastAt = startedAt;
    const answered = await new Promise<number>((resolve, reject) => {
      const options = { url, connections: CONNECTIONS, amount: requests, sampleInt: SAMPLE_MS };
      const run = autocannon(options, (error: Error | null, result) => {
        if (error === null) resolve(result['2xx']);
        else reject(error);
      });
      run.on('response', () => (lastAt = performance.now()));
    });
    const seconds = (lastAt - startedAt) / 1_000;
    const cpu = (await this.#cpuMicroseconds()) - before;
    return { perSecond: requests / seconds, cpuMicrosecondsEach: cpu / requests, answered };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #cpuMicroseconds(): Promise<number> {
    const answer = answerOf<number>(this.#child);
    this.#child.send('cpu');
    return answer;
  }
}

/** @throws {Error} when the process ends without an answer */
async function answerOf<T>(child: ChildProcess): Promise<T> {
  const gone = new AbortController();
  const ended = once(child, 'exit', { signal: gone.signal }).then(() => {
    throw new Error('The server ended before it answered.');
  });
  try {
    const [answer] = (await Promise.race([once(child, 'message'), ended])) as [T];
    return answer;
  } finally {
    gone.abort();
    ended.catch(() => {});
  }
}
