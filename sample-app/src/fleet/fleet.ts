import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { EmbeddedPostgres } from '../database/embedded-postgres.js';
import type { Settings } from '../settings.js';
import { StartError } from '../start-error.js';
import { Instance } from './instance.js';

const DEFAULT_REDIS = 'redis://localhost:6379';
const SIZE = 3;

/** Three instances of the application over one Redis and one database. */
export class Fleet {
  private readonly logger = new Logger(Fleet.name);
  private readonly shutdown = new AbortController();
  readonly #instances: Instance[] = [];
  private starting?: Promise<void>;
  private embedded?: EmbeddedPostgres;

  constructor(private readonly settings: Settings) {}

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  /**
   * Starts everything. The first instance fills the database, so the others wait for it.
   *
   * @throws {StartError} when Redis can not be reached, or an instance does not start
   */
  start(): Promise<void> {
    this.starting = this.startAll(this.shutdown.signal);
    return this.starting;
  }

  /**
   * Waits until an instance has ended.
   *
   * @throws {StartError} then
   */
  async watch(): Promise<void> {
    const names = this.#instances.map(({ name, ended }) => ended.then(() => name));
    throw new StartError(`${await Promise.race(names)} has ended.`);
  }

  /** Ends everything, also while it starts. */
  async stop(): Promise<void> {
    this.shutdown.abort();
    await this.starting?.catch(() => {});
    await Promise.all(this.#instances.map(({ ended }) => ended));
    await this.embedded?.stop();
  }

  private async startAll(signal: AbortSignal): Promise<void> {
    const { redisUrl = DEFAULT_REDIS, port } = this.settings;
    await checkRedis(redisUrl);
    this.logger.log('Redis answers.');
    const databaseUrl = await this.openDatabase(signal);
    for (let number = 1; number <= SIZE; number++) {
      signal.throwIfAborted();
      this.logger.log(`Starting instance ${number} of ${SIZE}`);
      const environment = {
        PORT: String(port === 0 ? 0 : port + number - 1),
        DATABASE_URL: databaseUrl,
        REDIS_URL: redisUrl,
      };
      const instance = await Instance.start(`instance ${number}`, environment, signal);
      this.#instances.push(instance);
    }
  }

  private async openDatabase(signal: AbortSignal): Promise<string> {
    const { databaseUrl, dataFolder } = this.settings;
    if (databaseUrl !== undefined) return databaseUrl;
    const [embedded, url] = await EmbeddedPostgres.start(dataFolder, signal);
    this.embedded = embedded;
    return url;
  }
}

/** Instances would start without Redis, each on its own; here that would show nothing. */
async function checkRedis(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  let reason = '';
  client.on('error', ({ message }) => (reason = message));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new StartError(
      `Redis can not be reached at ${new URL(url).host}: ${reason || String(error)}. ` +
        'Start one, or name another: REDIS_URL=redis://host:6379 npm run start:fleet',
      { cause: error },
    );
  } finally {
    client.disconnect();
  }
}
