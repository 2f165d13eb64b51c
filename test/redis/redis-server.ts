import { describe } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = process.env['VALKEY_SERVER_BIN'] ?? 'redis-server';
const isThere = spawnSync(BINARY, ['--version']).status === 0;
if (!isThere && process.env['CI'] === undefined)
  console.warn(
    `Tests of Redis are skipped: there is no ${BINARY}, and VALKEY_SERVER_BIN names no other.`,
  );

/** Tests that need a server: without one they fail in CI, and are skipped elsewhere. */
export const describeWithRedis =
  isThere || process.env['CI'] !== undefined ? describe : describe.skip;

/** A real server that belongs to one test file: nothing is kept, and nobody else knows its port. */
export class RedisServer {
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    folder: string,
  ) {
    this.#folder = folder;
  }

  static async start(...flags: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'redis-')));
    await server.run(...flags);
    return server;
  }

  /** Starts it, empty, on its port. */
  async run(...flags: string[]): Promise<void> {
    const base = ['--port', String(this.port), '--dir', this.#folder, '--bind', '127.0.0.1'];
    this.#process = spawn(BINARY, [...base, '--save', '', '--appendonly', 'no', ...flags], {
      stdio: 'ignore',
    });
    await accepts(this.port);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    const running = this.#process;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function accepts(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(
        () => false,
        () => false,
      ),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
