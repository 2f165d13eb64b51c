import { CONNECT_WITHIN_MS, pauseBeforeConnect, SILENT_FOR_MS } from './reconnecting.js';
import {
  NotSentError,
  type Connect,
  type RedisArgument,
  type RedisConnection,
  type RedisReply,
} from './redis-connection.js';

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
  readonly isReady?: boolean;
  on(event: 'error', note: (error: unknown) => void): unknown;
  on(event: 'connect' | 'ready' | 'reconnecting', run: () => void): unknown;
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

/** The options of a client, as far as they have parts that are replaced one by one. */
interface ClientOptions {
  readonly socket?: object;
}

/**
 * Of a Cluster, `defaults` are those of each of its clients: its duplicates would forget them. `rootNodes` are
 * those of the clients that ask which nodes there are.
 */
interface HasOptions {
  readonly options?: ClientOptions;
  readonly _options?: {
    readonly defaults?: ClientOptions;
    readonly rootNodes?: readonly ClientOptions[];
  };
}

/** What cannot be sent fails at once, and whoever has lost its server comes back as soon as it can. */
function optionsLike({ socket, ...rest }: ClientOptions = {}): object {
  const reconnecting = {
    connectTimeout: CONNECT_WITHIN_MS,
    reconnectStrategy: pauseBeforeConnect,
  };
  return {
    ...rest,
    disableOfflineQueue: true,
    // How much may be under way is the cache's matter, which sheds what is too much.
    commandsQueueMaxLength: undefined,
    socket: { ...socket, ...reconnecting },
  };
}

/** Who asks a node can not be ended before it answers: where it does not it ends by itself. */
function rootNodeLike({ socket, ...rest }: ClientOptions): object {
  return { ...rest, socket: { ...socket, socketTimeout: SILENT_FOR_MS } };
}

/** Bytes for texts, which the protocol calls type 36; no deadline of its own, which costs much. */
const AS_BYTES = { typeMapping: { 36: Buffer }, timeout: undefined };

/** Makes connections like that of a client of `redis`. */
export function connectLikeNodeRedis(client: NodeRedisClient | NodeRedisCluster): Connect {
  const { options, _options } = client as HasOptions;
  if ('masters' in client) {
    const defaults = optionsLike(_options?.defaults);
    const rootNodes = _options?.rootNodes && { rootNodes: _options.rootNodes.map(rootNodeLike) };
    return () => {
      const cluster = client.duplicate({ defaults, ...rootNodes }) as DuplicateCluster;
      const send = (key: string, args: readonly RedisArgument[]): Promise<unknown> =>
        cluster.sendCommand(key, false, args, AS_BYTES);
      return new NodeRedisConnection(cluster, send);
    };
  }
  const likeIt = optionsLike(options);
  return () => {
    const one = client.duplicate(likeIt) as DuplicateClient;
    return new NodeRedisConnection(one, (_, args) => one.sendCommand(args, AS_BYTES));
  };
}

class NodeRedisConnection implements RedisConnection {
  readonly isCluster: boolean;
  readonly ready: Promise<unknown>;
  lastError: unknown;
  readonly #client: Duplicate;
  readonly #send: (key: string, args: readonly RedisArgument[]) => Promise<unknown>;
  #isMade = false;
  /** Whether a socket is being connected: a client that is destroyed meanwhile lets it go on, and keeps it. */
  #isConnecting = true;
  #ended = false;
  #isDestroyed = false;
  #giveUp: (() => void) | undefined;

  constructor(
    client: Duplicate,
    send: (key: string, args: readonly RedisArgument[]) => Promise<unknown>,
  ) {
    this.#client = client;
    this.isCluster = 'masters' in client;
    this.#send = send;
    // Whoever waits for an answer hears of what is wrong.
    client.on('error', (error) => {
      this.lastError = error;
      this.#noteConnected();
    });
    client.on('connect', () => this.#noteConnected());
    client.on('reconnecting', () => (this.#isConnecting = true));
    const made = client.connect();
    this.ready = new Promise((resolve, reject) => {
      this.#giveUp = () => reject(new Error('The connection to Redis was ended.'));
      made.then(resolve, reject);
    });
    this.ready.catch(() => {});
    void this.#noteMade(made);
  }

  onReady(run: () => void): void {
    this.#client.on('ready', run);
  }

  async send(key: string, command: readonly RedisArgument[]): Promise<RedisReply> {
    // A Cluster may have other nodes.
    if (!this.isCluster && this.#client.isReady === false)
      throw new NotSentError('The connection to Redis is not ready.');
    return (await this.#send(key, command)) as RedisReply;
  }

  async subscribe(channel: string, hear: (message: string) => void): Promise<unknown> {
    await this.ready;
    return this.#client.subscribe(channel, hear);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#giveUp?.();
    if (!this.isCluster) this.#destroyOne();
    // What a Cluster has begun to connect it can end only when that is done; what takes long is not there.
    else if (this.#isMade) this.#client.destroy();
    else setTimeout(() => this.#client.destroy(), CONNECT_WITHIN_MS).unref();
  }

  /** A socket is there, or could not be connected. */
  #noteConnected(): void {
    this.#isConnecting = false;
    if (this.#ended && !this.isCluster) this.#destroyOne();
  }

  /** Destroys it once, as soon as that ends its socket, too: one of version 5 throws the second time. */
  #destroyOne(): void {
    if (this.#isConnecting || this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#client.destroy();
  }

  async #noteMade(made: Promise<unknown>): Promise<void> {
    await made.catch(() => {});
    this.#isMade = true;
    if (this.#ended && this.isCluster) this.#client.destroy();
  }
}
