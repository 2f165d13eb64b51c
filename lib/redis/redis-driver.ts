import type { Clock } from '../clock.js';
import { CONNECT_WITHIN_MS } from './reconnecting.js';
import { isFromReplica } from './refusals.js';
import type { Connect, RedisArgument, RedisConnection, RedisReply } from './redis-connection.js';

/** A Lua script that is sent once to each server, and called by its digest from then on. */
export interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

/** What listens to a channel. */
export interface Subscription {
  /** Settles when it hears for the first time; rejects where it never will. */
  readonly ready: Promise<unknown>;
  end(): void;
}

/**
 * Whoever waits for the first connection is told by then why there is none, where the client has said so: a little
 * before the time is up that a level has by default, which would end the wait without a reason.
 */
const TELL_WITHIN_MS = 900;

/**
 * What the level needs of Redis. All keys of one call are in one slot of a Cluster; calls of one step are
 * sent together. The connections are its own: one for commands, and one for each subscription.
 */
export class RedisDriver {
  readonly #connect: Connect;
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #listeners = new Set<() => void>();
  readonly #startedAt: number;
  #commands: RedisConnection;
  #generation = 0;
  #isReady = false;
  /** Rejects when whoever waits for the first connection is to be told why there is none. */
  #overdue: Promise<never> | undefined;
  #stopTelling: (() => void) | undefined;
  #closed = false;
  #answeredAt = -Infinity;
  #isReplica = false;
  readonly #noteAnswer = (): void => {
    this.#answeredAt = this.#clock.now();
  };

  constructor(connect: Connect, clock: Pick<Clock, 'now' | 'setTimer'>) {
    this.#connect = connect;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#commands = this.#open();
  }

  /** The values of keys; `null` where there is none. */
  mget(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return this.#send(keys[0]!, ['mget', ...keys]) as Promise<(Buffer | null)[]>;
  }

  async run(
    { source, sha1 }: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<RedisReply> {
    const count = String(keys.length);
    try {
      return await this.#send(keys[0]!, ['evalsha', sha1, count, ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.#send(keys[0]!, ['eval', source, count, ...keys, ...args]);
    }
  }

  /** Hears what is published on a channel. Messages are lost while there is no connection. */
  subscribe(channel: string, hear: (message: string) => void): Subscription {
    const connection = this.#connect();
    return { ready: connection.subscribe(channel, hear), end: () => connection.end() };
  }

  /** Calls `run` whenever commands reach a server again, which may be another; returns what ends that. */
  onReady(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  /** Whether a part of it can be away by itself. */
  get isCluster(): boolean {
    return this.#commands.isCluster;
  }

  /** When any of its servers has answered last. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Whether a server has refused something as a replica since the connection for commands was made. */
  get isReplica(): boolean {
    return this.#isReplica;
  }

  /** Which connection for commands this is. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Gives the connection of a generation up, which has not answered for long, and makes another.
   *
   * @returns whether that was not done before
   */
  recycle(generation: number): boolean {
    if (this.#closed || generation !== this.#generation) return false;
    this.#generation += 1;
    this.#commands.end();
    this.#isReplica = false;
    this.#commands = this.#open();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#stopTelling?.();
    this.#commands.end();
  }

  /** What cannot be sent at once fails, but at the start. */
  #send(key: string, command: readonly RedisArgument[]): Promise<RedisReply> {
    if (this.#isReady) return this.#sendNow(key, command);
    return this.#firstReady().then(() => this.#sendNow(key, command));
  }

  #sendNow(key: string, command: readonly RedisArgument[]): Promise<RedisReply> {
    const connection = this.#commands;
    const reply = connection.send(key, command);
    // Whoever waits for the reply hears of it after this.
    reply.then(this.#noteAnswer, (error: unknown) => {
      connection.strip?.(error);
      if (connection === this.#commands && isFromReplica(error)) this.#isReplica = true;
    });
    return reply;
  }

  async #firstReady(): Promise<void> {
    if (this.#clock.now() >= this.#startedAt + CONNECT_WITHIN_MS)
      throw noConnection(this.#commands.lastError);
    this.#overdue ??= this.#tellWhenOverdue();
    await Promise.race([this.#commands.ready, this.#overdue]);
  }

  #tellWhenOverdue(): Promise<never> {
    const overdue = new Promise<never>((_, reject) => {
      const tell = (): void => {
        const { lastError } = this.#commands;
        if (lastError !== undefined) reject(noConnection(lastError));
      };
      const leftMs = Math.max(this.#startedAt + TELL_WITHIN_MS - this.#clock.now(), 0);
      this.#stopTelling = this.#clock.setTimer(tell, leftMs);
    });
    overdue.catch(() => {});
    return overdue;
  }

  #open(): RedisConnection {
    const connection = this.#connect();
    connection.onReady(() => {
      if (connection !== this.#commands) return;
      this.#isReplica = false;
      for (const run of this.#listeners) run();
    });
    connection.ready.then(
      () => (this.#isReady = true),
      () => {},
    );
    return connection;
  }
}

/**
 * Says what the client said: who reads it has nothing else to find out which server is not there, and why.
 * The error itself is left out, since one of `ioredis` holds the command that failed, and so the password.
 */
function noConnection(lastError: unknown): Error {
  const reason = lastError === undefined ? '' : `: ${reasonOf(lastError).replace(/\.$/, '')}`;
  return new Error(
    `There has been no connection to Redis yet${reason}. Look at the address and the credentials of ` +
      'the client, and whether a server is there.',
  );
}

/** The message of an error, or where it has several, one for each address of a host, of the first. */
function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}

/** Whether a server has not got a script: after a restart, or a new one of a Cluster. */
function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
