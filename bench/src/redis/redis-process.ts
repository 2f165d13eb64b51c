import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';

import { Redis } from 'ioredis';

const BINARY = process.env['VALKEY_SERVER_BIN'] ?? 'redis-server';

/** A server of one cell's own, which keeps nothing. */
export class RedisProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #client: Redis;

  private constructor(
    readonly port: number,
    child: ChildProcess,
    client: Redis,
  ) {
    this.#child = child;
    this.#client = client;
  }

  static async start(): Promise<RedisProcess> {
    const port = await freePort();
    const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()];
    const child = spawn(BINARY, flags, { stdio: 'ignore' });
    const client = new Redis(port, { retryStrategy: () => 20 });
    client.on('error', () => {});
    const failed = once(child, 'error').then(([error]: Error[]) => {
      throw error!;
    });
    await Promise.race([client.ping(), failed]);
    return new RedisProcess(port, child, client);
  }

  /** The plain client: what everything else is measured against. */
  get client(): Redis {
    return this.#client;
  }

  /** Stops it without a word: connections stay open, and nothing is answered. */
  suspend(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Lets it go on. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.disconnect();
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
