import { CONNECT_WITHIN_MS, pauseBeforeConnect } from './reconnecting.js';
import {
  NotSentError,
  type Connect,
  type RedisArgument,
  type RedisConnection,
  type RedisReply,
} from './redis-connection.js';

/** What is used of a client of `ioredis`, 5 or 6: of one connection, or of a Cluster. */
export interface IoredisClient {
  readonly isCluster?: boolean;
  readonly options?: object;
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  // Of a Cluster the first argument are nodes, of one connection its options.
  duplicate(...args: never[]): unknown;
}

interface Duplicate extends IoredisClient {
  readonly status?: string;
  /** Of one connection, while there is one. */
  readonly stream?: { cork(): void; uncork(): void } | null;
  on(event: 'message', hear: (channel: string, message: string) => void): unknown;
  on(event: 'error', note: (error: unknown) => void): unknown;
  on(event: 'ready' | 'end', run: () => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** For how long a connection that was ended may take to say so, in milliseconds. */
const GOODBYE_MS = 100;

/** What cannot be sent fails at once, and nothing is sent twice. */
const NODE_OPTIONS = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // Nobody would hear of its failure: what rejects then ends the process.
  autoResubscribe: false,
  // It would lose the name of a command: what one step sends goes out together without it.
  enableAutoPipelining: false,
  // The level has a prefix of its own; this one would be put before keys, and not before the channel.
  keyPrefix: '',
  connectTimeout: CONNECT_WITHIN_MS,
  disconnectTimeout: GOODBYE_MS,
};

const OPTIONS = { ...NODE_OPTIONS, lazyConnect: false, retryStrategy: pauseBeforeConnect };

const CLUSTER_OPTIONS = {
  lazyConnect: false,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  keyPrefix: '',
  scaleReads: 'master',
  // A node that has died is looked for three times, 100 ms apart.
  maxRedirections: 3,
  clusterRetryStrategy: pauseBeforeConnect,
};

/** Makes connections like that of an `ioredis` client. */
export function connectLikeIoredis(client: IoredisClient): Connect {
  // `ioredis` 5 puts what is given for nodes in the place of all that they had, their password among it.
  const { redisOptions: own } = (client.options ?? {}) as { readonly redisOptions?: object };
  const redisOptions = { ...own, ...NODE_OPTIONS };
  const args = client.isCluster === true ? [[], { ...CLUSTER_OPTIONS, redisOptions }] : [OPTIONS];
  return () => new IoredisConnection(client.duplicate(...(args as never[])) as Duplicate);
}

class IoredisConnection implements RedisConnection {
  readonly isCluster: boolean;
  readonly ready: Promise<unknown>;
  lastError: unknown;
  readonly #client: Duplicate;
  #giveUp: (() => void) | undefined;
  #isGathering = false;

  constructor(client: Duplicate) {
    this.#client = client;
    this.isCluster = client.isCluster === true;
    // Whoever waits for an answer hears of what is wrong.
    client.on('error', (error) => (this.lastError = error));
    this.ready = new Promise<void>((resolve, reject) => {
      this.#giveUp = () => reject(new Error('The connection to Redis was ended.'));
      client.on('ready', resolve);
      client.on('end', this.#giveUp);
    });
    this.ready.catch(() => {});
  }

  onReady(run: () => void): void {
    this.#client.on('ready', run);
  }

  send(_key: string, command: readonly RedisArgument[]): Promise<RedisReply> {
    const { status = 'ready' } = this.#client;
    if (status !== 'ready')
      return Promise.reject(new NotSentError(`The connection to Redis is ${status}.`));
    const reply = this.#client.callBuffer(...(command as readonly [string, ...RedisArgument[]]));
    this.#gather();
    return reply as Promise<RedisReply>;
  }

  /** An error of `ioredis` holds the command that failed: its keys and values would be logged with it. */
  strip(error: RefusedCommand): void {
    delete error.command;
    delete error.lastNodeError?.command;
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<unknown> {
    await this.ready;
    this.#client.on('message', (_channel, message) => hear(message));
    const subscribed = this.#client.subscribe(channel);
    // A Cluster does it by itself.
    if (!this.isCluster)
      this.#client.on('ready', () => void this.#client.subscribe(channel).catch(() => {}));
    return subscribed;
  }

  /**
   * Has all but the first of what one step sends go out in one write: each costs more than all the rest of a
   * command, but one on its own is not kept waiting.
   */
  #gather(): void {
    const { stream } = this.#client;
    if (this.#isGathering || !stream) return;
    this.#isGathering = true;
    stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  end(): void {
    // One that waits to connect again does not say that it has ended.
    this.#giveUp?.();
    this.#client.disconnect();
  }
}

interface RefusedCommand {
  command?: unknown;
  /** Of a Cluster. */
  readonly lastNodeError?: { command?: unknown };
}
