/** What a command takes: texts are sent as UTF-8, bytes as they are. */
export type RedisArgument = string | Buffer;

/** What Redis answers: bytes where it has a text. */
export type RedisReply = Buffer | number | null | readonly RedisReply[];

/** Says that a command was not sent, and will not be: there is no connection. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/** A connection of this package's own, to one server or to a Cluster. */
export interface RedisConnection {
  /** Whether it is to a Cluster, of which a part can be away. */
  readonly isCluster: boolean;
  /** Settles when it can be used for the first time; rejects when it was ended before. */
  readonly ready: Promise<unknown>;
  /** What the client has said last of what is wrong, such as why it reaches no server. */
  readonly lastError?: unknown;
  /** Calls `run` whenever a server is there, the first time and after each break. A Cluster may keep silent. */
  onReady(run: () => void): void;
  /**
   * Sends a command, to the server that has `key` where it is a Cluster. Rejects at once while there is no
   * server; one that rejects may have been carried out, and may be yet, unless with a {@link NotSentError}.
   */
  send(key: string, command: readonly RedisArgument[]): Promise<RedisReply>;
  /** Takes out of what {@link send} rejects with what must not be logged; called before anybody else has it. */
  strip?(error: unknown): void;
  /** Listens to a channel, after it was broken, too; settles when it hears for the first time. */
  subscribe(channel: string, hear: (message: string) => void): Promise<unknown>;
  /** Lets go of it at once; what is under way fails. */
  end(): void;
}

/** Makes connections like that of a client that the user has. */
export type Connect = () => RedisConnection;
