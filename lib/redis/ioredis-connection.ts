import type { Connect, RedisConnection, RedisReply } from './redis-connection.js';

/** What is used of a client of `ioredis`, 5 or 6: of one connection, or of a Cluster. */
export interface IoredisClient {
  readonly isCluster?: boolean;
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>;
  // Of a Cluster the first argument are nodes, of one connection its options.
  duplicate(...args: never[]): unknown;
}

interface Duplicate extends IoredisClient {
  readonly status: string;
  on(event: 'message', hear: (channel: string, message: string) => void): unknown;
  on(event: 'error', note: (error: unknown) => void): unknown;
  once(event: 'ready' | 'end', run: () => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
}

/** What cannot be sent fails at once, nothing is sent twice, and it comes back as soon as it can. */
const OPTIONS = {
  lazyConnect: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: true,
  connectTimeout: 1_000,
  retryStrategy: (attempt: number): number => Math.min(50 * attempt, 1_000),
};

const CLUSTER_OPTIONS = {
  lazyConnect: false,
  enableOfflineQueue: false,
  scaleReads: 'master',
  clusterRetryStrategy: OPTIONS.retryStrategy,
};

/** Makes connections like that of an `ioredis` client. */
export function connectLikeIoredis(client: IoredisClient): Connect {
  const args = client.isCluster === true ? [[], CLUSTER_OPTIONS] : [OPTIONS];
  return () => new IoredisConnection(client.duplicate(...(args as never[])) as Duplicate);
}

class IoredisConnection implements RedisConnection {
  readonly ready: Promise<unknown>;
  readonly #client: Duplicate;

  constructor(client: Duplicate) {
    this.#client = client;
    // Whoever waits for an answer hears of what is wrong.
    client.on('error', () => {});
    this.ready = whenReady(client);
  }

  async send(_: string, [command, ...args]: readonly (string | Buffer)[]): Promise<RedisReply> {
    return (await this.#client.callBuffer(String(command), ...args)) as RedisReply;
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<unknown> {
    await this.ready;
    this.#client.on('message', (_, message) => hear(message));
    return this.#client.subscribe(channel);
  }

  end(): void {
    this.#client.disconnect();
  }
}

function whenReady(client: Duplicate): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve, reject) => {
    client.once('ready', resolve);
    client.once('end', () => reject(new Error('The connection to Redis was ended.')));
  });
}
