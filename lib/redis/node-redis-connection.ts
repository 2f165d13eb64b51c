import type { Connect, RedisArgument, RedisConnection, RedisReply } from './redis-connection.js';

/** What is used of a client of `redis`, 5 or 6. */
export interface NodeRedisClient {
  duplicate(options?: object): unknown;
  sendCommand(args: readonly RedisArgument[], options?: object): Promise<unknown>;
}

/** What is used of a Cluster of `redis`, 5 or 6. */
export interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  duplicate(options?: object): unknown;
}

interface Duplicate {
  on(event: 'error', note: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, hear: (message: string) => void): Promise<unknown>;
  destroy(): void;
}

interface DuplicateClient extends Duplicate {
  sendCommand(args: readonly RedisArgument[], options: object): Promise<unknown>;
}

interface DuplicateCluster extends Duplicate {
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: readonly RedisArgument[],
    options: object,
  ): Promise<unknown>;
}

/** What a Cluster was made with, which it tells in no other way. */
interface WithOptions {
  readonly _options: { readonly defaults?: object };
}

/** What cannot be sent fails at once: nothing waits for a server that is away. */
const OPTIONS = { disableOfflineQueue: true };

/** Bytes for texts, which the protocol calls type 36; no deadline of its own, which costs much. */
const AS_BYTES = { typeMapping: { 36: Buffer }, timeout: undefined };

/** Makes connections like that of a client of `redis`. */
export function connectLikeNodeRedis(client: NodeRedisClient | NodeRedisCluster): Connect {
  if ('masters' in client) {
    // What `duplicate` is given replaces all `defaults`, those with the password and TLS among them.
    // oxlint-disable-next-line no-underscore-dangle -- it tells of them in no other way
    const { defaults } = (client as Partial<WithOptions>)._options ?? {};
    return () => {
      const given = { defaults: { ...defaults, ...OPTIONS } };
      const cluster = client.duplicate(given) as DuplicateCluster;
      const send = (key: string, args: readonly RedisArgument[]): Promise<unknown> =>
        cluster.sendCommand(key, false, args, AS_BYTES);
      return new NodeRedisConnection(cluster, send);
    };
  }
  return () => {
    const one = client.duplicate(OPTIONS) as DuplicateClient;
    return new NodeRedisConnection(one, (_, args) => one.sendCommand(args, AS_BYTES));
  };
}

class NodeRedisConnection implements RedisConnection {
  readonly ready: Promise<unknown>;
  readonly #client: Duplicate;
  readonly #send: (key: string, args: readonly RedisArgument[]) => Promise<unknown>;

  constructor(
    client: Duplicate,
    send: (key: string, args: readonly RedisArgument[]) => Promise<unknown>,
  ) {
    this.#client = client;
    this.#send = send;
    // Whoever waits for an answer hears of what is wrong.
    client.on('error', () => {});
    this.ready = client.connect();
  }

  async send(key: string, command: readonly RedisArgument[]): Promise<RedisReply> {
    return (await this.#send(key, command)) as RedisReply;
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<unknown> {
    await this.ready;
    return this.#client.subscribe(channel, hear);
  }

  end(): void {
    this.#client.destroy();
  }
}
