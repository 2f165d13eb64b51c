import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { StartError } from '../start-error.js';
import { DataFolderLock } from './data-folder-lock.js';

/** How long a query under way may take before a stop no longer waits for it. */
const STOP_DEADLINE_MS = 10_000;

/** PostgreSQL compiled to WebAssembly, in a worker thread, on a free loopback port. */
export class EmbeddedPostgres {
  private static readonly logger = new Logger(EmbeddedPostgres.name);
  readonly #worker: Worker;
  readonly #exited: Promise<void>;

  private constructor(
    cluster: string,
    private readonly lock: DataFolderLock,
  ) {
    this.#worker = new Worker(new URL('./embedded-postgres.worker.js', import.meta.url), {
      workerData: { cluster },
    });
    this.#worker.on('error', (error) => EmbeddedPostgres.logger.error(`It died: ${String(error)}`));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  /**
   * Opens the data folder; the first time it is made, which takes 3 to 6 s.
   *
   * @param signal ends the start; what was begun is undone
   * @returns the server, and the URL where a client connects to it
   * @throws {StartError} when another process uses the folder, or PGlite can not open it
   */
  static async start(folder: string, signal: AbortSignal): Promise<[EmbeddedPostgres, string]> {
    const lock = await DataFolderLock.acquire(folder);
    const cluster = join(folder, 'postgres');
    this.logger.log(
      existsSync(cluster)
        ? `Opening the database in ${folder}`
        : `Making the database in ${folder}: this takes some seconds, once`,
    );

    const postgres = new EmbeddedPostgres(cluster, lock);
    const abort = (): void => void postgres.#worker.terminate();
    signal.addEventListener('abort', abort);
    try {
      signal.throwIfAborted();
      return [postgres, await postgres.#started(folder)];
    } catch (error) {
      await postgres.#worker.terminate();
      await lock.release();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Lets the query under way end, writes everything to disk and gives the folder back. */
  async stop(): Promise<void> {
    const deadline = setTimeout(() => void this.#worker.terminate(), STOP_DEADLINE_MS);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
    this.#worker.postMessage('stop');
    await this.#exited;
    clearTimeout(deadline);
    await this.lock.release();
  }

  async #started(folder: string): Promise<string> {
    const url = new Promise<string>((resolve) => this.#worker.once('message', resolve));
    const first = await Promise.race([url, this.#exited]);
    if (first !== undefined) return first;
    throw new StartError(
      `The embedded PostgreSQL could not open ${folder}. ` +
        'If nothing above explains it, delete that folder: the next start fills it again.',
    );
  }
}
