import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../start-error.js';

/** One who holds the folder or asks for it: what the name of its lock file says. */
interface Claim {
  readonly name: string;
  readonly sinceMs: number;
  readonly pid: number;
  readonly port: number;
}

const LOCK_NAME = /^lock\.(\d+)\.(\d+)\.(\d+)$/;
const RETRY_MS = 50;
const RETRIES = 20;

/**
 * Keeps a data folder to one process: PGlite itself would let two open it, and spoil it.
 *
 * Everybody who wants the folder puts a file of its own there first and then looks for others, so
 * of two at least one sees the other; the folder is held once no live other is seen, and the
 * younger gives way. The file's name has a loopback port on which its owner listens for nothing
 * else. The kernel closes it when the process ends, however it ends, so a file whose port refuses
 * is a dead one's; the process's number would not tell, as numbers are given away again.
 */
export class DataFolderLock {
  private constructor(
    private readonly folder: string,
    private readonly claim: Claim,
    private readonly guard: Server,
  ) {}

  /**
   * Takes the folder, which is made if need be. What dead processes left behind is removed.
   *
   * @throws {StartError} when a live process holds the folder
   */
  static async acquire(folder: string): Promise<DataFolderLock> {
    await mkdir(folder, { recursive: true });
    const guard = await listen();
    const { port } = guard.address() as AddressInfo;
    const { pid } = process;
    const sinceMs = Date.now();
    const claim = { name: `lock.${sinceMs}.${pid}.${port}`, sinceMs, pid, port };

    const lock = new DataFolderLock(folder, claim, guard);
    try {
      await (await open(join(folder, claim.name), 'wx')).close();
      await lock.outlastOthers();
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Gives the folder back. */
  async release(): Promise<void> {
    await rm(join(this.folder, this.claim.name), { force: true });
    this.guard.close();
  }

  /** Younger ones get a moment to give way; one that does not held the folder already. */
  private async outlastOthers(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const [other] = await this.liveOthers();
      if (other === undefined) return;
      if (isOlder(other, this.claim) || tries === RETRIES) throw this.inUseBy(other);
      await delay(RETRY_MS);
    }
  }

  /** Returns the others, the oldest first, and removes what dead ones left behind. */
  private async liveOthers(): Promise<Claim[]> {
    const live: Claim[] = [];
    for (const name of await readdir(this.folder)) {
      const claim = parseClaim(name);
      if (claim === undefined || name === this.claim.name) continue;
      if (await isListening(claim.port)) live.push(claim);
      else await rm(join(this.folder, name), { force: true });
    }
    return live.toSorted((one, other) => (isOlder(one, other) ? -1 : 1));
  }

  private inUseBy({ pid, sinceMs, name }: Claim): StartError {
    return new StartError(
      `The data folder ${this.folder} is in use by process ${pid} since ` +
        `${new Date(sinceMs).toISOString()}. Stop that one, or start this one with a folder and a ` +
        'port of its own: PLACES_DATA_DIR=/tmp/places PORT=3001 npm start. ' +
        'To share a database, give both the same DATABASE_URL. ' +
        `If there is no such process, delete ${name} in that folder.`,
    );
  }
}

function parseClaim(name: string): Claim | undefined {
  const [, sinceMs, pid, port] = LOCK_NAME.exec(name)?.map(Number) ?? [];
  if (sinceMs === undefined || pid === undefined || port === undefined) return undefined;
  return { name, sinceMs, pid, port };
}

function isOlder(one: Claim, other: Claim): boolean {
  if (one.sinceMs !== other.sinceMs) return one.sinceMs < other.sinceMs;
  return one.port < other.port;
}

function listen(): Promise<Server> {
  const guard = createServer((socket) => socket.destroy()).unref();
  return new Promise((resolve, reject) => {
    guard.once('error', reject).listen(0, '127.0.0.1', () => resolve(guard));
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
