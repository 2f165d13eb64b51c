import type { Clock } from '../../lib/clock.js';
import { KeyLayout, type KeyLayoutOptions } from '../../lib/redis/key-layout.js';
import type {
  RedisArgument,
  RedisConnection,
  RedisReply,
} from '../../lib/redis/redis-connection.js';
import type { RedisScript } from '../../lib/redis/redis-driver.js';
import { RedisDouble, scriptOf } from './redis-double.js';

/** What {@link RedisNodes} are made of. */
export interface RedisNodesOptions extends KeyLayoutOptions {
  readonly clock: Clock;
  readonly isCluster: boolean;
}

/** A connection to servers, one for each bucket, of which each has a clock of its own. */
export class RedisNodes implements RedisConnection {
  readonly isCluster: boolean;
  readonly ready = Promise.resolve();
  /** The scripts that were carried out. */
  readonly executed: RedisScript[] = [];
  /** How often it was given up. */
  ended = 0;
  /** Runs a script at its time, and gives its answer at its time. */
  around: (
    script: RedisScript,
    run: () => RedisReply,
    bucket: number,
  ) => RedisReply | Promise<RedisReply> = (_, run) => run();
  readonly #layout: KeyLayout;
  readonly #listeners: (() => void)[] = [];
  #hear: (message: string) => void = () => {};
  readonly #skews = new Map<number, number>();
  readonly #nodes: readonly RedisDouble[];

  constructor({ clock, isCluster, ...names }: RedisNodesOptions) {
    this.isCluster = isCluster;
    this.#layout = new KeyLayout(names);
    this.#nodes = this.#layout.buckets.map(({ index }) => {
      // A server goes on while this process is suspended.
      const now = (): number => clock.wallNow() + (this.#skews.get(index) ?? 0);
      const node = new RedisDouble({ now });
      node.publish = (_, message) => void Promise.resolve().then(() => this.#hear(message));
      return node;
    });
  }

  /** Puts the clock of the server forward that has a key. */
  skewOf(key: string, ms: number): void {
    this.#skews.set(this.#layout.indexOf(key), ms);
  }

  /** Says which run of which server has a key, or all of them. */
  runOf(key: string | undefined, run: string): void {
    for (const [bucket, node] of this.#nodes.entries())
      if (key === undefined || bucket === this.#layout.indexOf(key)) node.runId = run;
  }

  /** The connection was broken, and is there again. */
  reconnect(): void {
    for (const run of this.#listeners) run();
  }

  onReady(run: () => void): void {
    this.#listeners.push(run);
  }

  async subscribe(_channel: string, hear: (message: string) => void): Promise<void> {
    this.#hear = hear;
  }

  end(): void {
    this.ended += 1;
  }

  async send(key: string, [name, ...args]: readonly RedisArgument[]): Promise<RedisReply> {
    const bucket = this.#bucketOf(key);
    if (name === 'mget')
      return args.map((one) => this.#nodes[this.#bucketOf(String(one))]!.mget([String(one)])[0]!);
    const [which, count, ...rest] = args;
    const script = scriptOf(which!);
    const keys = rest.slice(0, Number(count)).map(String);
    return this.around(
      script,
      () => {
        this.executed.push(script);
        return this.#nodes[bucket]!.run(script, keys, rest.slice(Number(count)));
      },
      bucket,
    );
  }

  #bucketOf(name: string): number {
    return Number(/\/(\d+)\}/.exec(name)![1]);
  }
}
