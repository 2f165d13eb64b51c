import type { Clock } from '../../lib/clock.js';
import type {
  Connect,
  RedisArgument,
  RedisConnection,
  RedisReply,
} from '../../lib/redis/redis-connection.js';
import { RedisDouble, scriptOf } from './redis-double.js';

/** A server in memory that any number of processes are connected to: commands and messages arrive at once. */
export class DirectServer {
  readonly double: RedisDouble;
  /** Makes a connection to it. */
  readonly connect: Connect = () => new DirectConnection(this.double, this.#listeners);
  readonly #listeners = new Set<(message: string) => void>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.double = new RedisDouble(clock);
    this.double.publish = (_, message) => {
      for (const hear of this.#listeners) void Promise.resolve().then(() => hear(message));
    };
  }
}

class DirectConnection implements RedisConnection {
  readonly isCluster = false;
  readonly ready = Promise.resolve();
  readonly #double: RedisDouble;
  readonly #listeners: Set<(message: string) => void>;
  #hear: ((message: string) => void) | undefined;

  constructor(double: RedisDouble, listeners: Set<(message: string) => void>) {
    this.#double = double;
    this.#listeners = listeners;
  }

  onReady(): void {}

  async subscribe(_channel: string, hear: (message: string) => void): Promise<void> {
    this.#hear = hear;
    this.#listeners.add(hear);
  }

  async send(_key: string, [name, ...args]: readonly RedisArgument[]): Promise<RedisReply> {
    if (name === 'mget') return this.#double.mget(args.map(String));
    const [which, count, ...rest] = args;
    const keys = rest.slice(0, Number(count)).map(String);
    return this.#double.run(scriptOf(which!), keys, rest.slice(Number(count)));
  }

  end(): void {
    if (this.#hear !== undefined) this.#listeners.delete(this.#hear);
  }
}
