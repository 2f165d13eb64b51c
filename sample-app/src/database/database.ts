import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
  ServiceUnavailableException,
} from '@nestjs/common';
import { DatabaseError, Pool, type PoolConfig } from 'pg';
import { type Answer, wallClockMs } from '../answers/answer.js';
import { type Settings, settings as sampleSettings } from '../settings.js';
import { StartError } from '../start-error.js';
import { isLoaded } from './dataset.js';
import { loadInWorker } from './dataset-loader.js';
import { EmbeddedPostgres } from './embedded-postgres.js';

/** The wait for a connection of the pool included. */
const CONNECT_DEADLINE_MS = 30_000;
const QUERY_DEADLINE_MS = 60_000;

/** The places in PostgreSQL: an embedded one, or the server that `DATABASE_URL` names. */
@Injectable()
export class Database implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(Database.name);
  private readonly shutdown = new AbortController();
  private starting?: Promise<void>;
  private embedded?: EmbeddedPostgres;
  private pool?: Pool;

  constructor(@Inject(sampleSettings.KEY) private readonly settings: Settings) {}

  /** Connects, and loads the cities where they are not loaded yet. A shutdown ends it early. */
  async onModuleInit(): Promise<void> {
    this.starting = this.start(this.shutdown.signal);
    await this.starting;
  }

  /** Comes after the last response: Nest waits for the requests under way before this hook. */
  async onApplicationShutdown(): Promise<void> {
    this.shutdown.abort();
    await this.starting?.catch(() => {});
    await this.pool?.end();
    await this.embedded?.stop();
  }

  /**
   * Runs one statement. The time it took includes the wait for a connection.
   *
   * @throws {ServiceUnavailableException} when the server can not be reached
   */
  async ask<Row>(sql: string, values: readonly unknown[] = []): Promise<Answer<Row[]>> {
    const startedAt = performance.now();
    const rows = await this.run<Row>(sql, values);
    return { value: rows, databaseMs: performance.now() - startedAt, answeredAt: wallClockMs() };
  }

  private async run<Row>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    if (this.pool === undefined) throw new ServiceUnavailableException('The database is starting.');
    try {
      const { rows } = await this.pool.query(sql, [...values]);
      return rows as Row[];
    } catch (error) {
      if (error instanceof DatabaseError) throw error;
      this.logger.error(`The database can not be reached: ${reasonOf(error)}`);
      throw new ServiceUnavailableException('The database can not be reached. Try again later.', {
        cause: error,
      });
    }
  }

  private async start(signal: AbortSignal): Promise<void> {
    try {
      const config = await this.connection(signal);
      this.pool = new Pool(config);
      this.pool.on('error', (error) => {
        this.logger.warn(`The database closed an idle connection: ${reasonOf(error)}`);
      });
      if (!(await isLoaded(this.pool))) await loadInWorker(config, signal);
      this.logger.log('The cities are loaded.');
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof StartError) throw error;
      throw new StartError(`The database can not be used: ${reasonOf(error)}. ${this.advice()}`, {
        cause: error,
      });
    }
  }

  private async connection(signal: AbortSignal): Promise<PoolConfig> {
    const { databaseUrl, dataFolder } = this.settings;
    if (databaseUrl !== undefined) {
      const connectionTimeoutMillis = CONNECT_DEADLINE_MS;
      return {
        connectionString: databaseUrl,
        connectionTimeoutMillis,
        query_timeout: QUERY_DEADLINE_MS,
      };
    }
    const [embedded, connectionString] = await EmbeddedPostgres.start(dataFolder, signal);
    this.embedded = embedded;
    // It runs one statement at a time, so a second connection would only wait elsewhere.
    return { connectionString, max: 1 };
  }

  private advice(): string {
    return this.settings.databaseUrl === undefined
      ? `Its folder is ${this.settings.dataFolder}; PLACES_DATA_DIR names another.`
      : 'Check DATABASE_URL, or leave it blank for the embedded PostgreSQL.';
  }
}

/** Where a host has two addresses, a refused connection is an error without a message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
