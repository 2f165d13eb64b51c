import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import { systemClock, type Clock } from '../../lib/clock.js';
import { CacheLevelError } from '../../lib/errors.js';
import { CacheHierarchy, type HierarchyMetrics } from '../../lib/hierarchy/cache-hierarchy.js';
import { messagePack, type RedisClient } from '../../lib/redis/index.js';
import { connectLike } from '../../lib/redis/redis-client.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { randomFrom } from '../support/random.js';
import { machineNow, type Seen } from './oracle.js';
import { PlainCache } from './plain-cache.js';
import { clientOf, type ClientName } from './redis-clients.js';

export interface InstanceOptions {
  readonly kind: 'hierarchy' | 'plain';
  /** Which client the level is made of; `ioredis` where nothing is said. */
  readonly client?: ClientName | undefined;
  /** Where the cache finds Redis. */
  readonly port: number;
  /** Where the database is; that is a Redis, too. */
  readonly databasePort: number;
  readonly name: string;
  readonly maxStaleMs?: number;
  readonly leaseMs?: number;
  readonly levelTimeoutMs?: number;
  /** The longest that a loader takes beside the database. */
  readonly loadMs?: number;
  readonly clock?: Clock;
}

/** What readers and a writer do to an instance, for a while. */
export interface Work {
  readonly seed: number;
  readonly forMs: number;
  readonly readers: number;
  readonly keys: number;
  /** How often a key changes, about; 0 for never. */
  readonly changeEveryMs: number;
  /** Whether keys are invalidated one by one only, so that each can tell whether it was carried out. */
  readonly deletesOnly?: boolean;
}

/** How a key is invalidated. */
export type How = 'delete' | 'expire' | 'tag' | 'clear';

type Tested = CacheHierarchy | PlainCache;

/** A level that counts what Redis has refused to store, since it was invalidated while it was loaded. */
class CountingLevel extends RedisLevel {
  fenced = 0;

  override async write(...args: Parameters<RedisLevel['write']>): ReturnType<RedisLevel['write']> {
    const outcomes = await super.write(...args);
    for (const outcome of outcomes.values()) if (outcome === 'fenced') this.fenced += 1;
    return outcomes;
  }
}

const HOW = [
  [80, 'delete'],
  [9, 'expire'],
  [9, 'tag'],
  [2, 'clear'],
] as const;

/**
 * One instance of an application: a cache over Redis, and a database whose keys have versions that rise. It
 * notes what it reads and changes, for an oracle.
 */
export class Instance {
  readonly cache: Tested;
  readonly #database: Redis;
  readonly #name: string;
  readonly #loadMs: number;
  readonly #made: readonly Made[];
  readonly #level: CountingLevel | undefined;
  #seen: Seen[] = [];
  #loads = 0;

  private constructor(
    cache: Tested,
    options: InstanceOptions,
    made: readonly Made[] = [],
    level?: CountingLevel,
  ) {
    const { databasePort, name, loadMs = 0 } = options;
    this.cache = cache;
    this.#database = quiet(new Redis(databasePort));
    this.#name = name;
    this.#loadMs = loadMs;
    this.#made = made;
    this.#level = level;
  }

  static async open(options: InstanceOptions): Promise<Instance> {
    const { kind, port, name, levelTimeoutMs = 20_000, clock = systemClock } = options;
    if (kind === 'plain')
      return new Instance(await PlainCache.open(port, name, () => clock.wallNow()), options);
    const client = clientOf(options.client ?? 'ioredis').one(port);
    const made = noteDuplicates(client);
    const level = new CountingLevel(
      {
        driver: new RedisDriver(connectLike(client)!, clock),
        codec: messagePack(),
        clock,
        prefix: 'cache',
        source: randomUUID(),
        maxStaleMs: options.maxStaleMs ?? 5_000,
        leaseMs: options.leaseMs ?? 10_000,
      },
      name,
    );
    const cache = new CacheHierarchy({
      remote: level,
      l1: { ttl: '5m' },
      levelTimeout: levelTimeoutMs,
      clock,
      report: () => {},
    });
    return new Instance(cache, options, made, level);
  }

  get hierarchy(): CacheHierarchy {
    if (this.cache instanceof CacheHierarchy) return this.cache;
    throw new TypeError('a plain cache is no hierarchy');
  }

  /** How often the loader was called. */
  get loads(): number {
    return this.#loads;
  }

  /** How many loads the shared level has refused to store. */
  get fencedByLevel(): number {
    return this.#level?.fenced ?? 0;
  }

  /** What was done since it was asked last. */
  takeSeen(): Seen[] {
    const seen = this.#seen;
    this.#seen = [];
    return seen;
  }

  metrics(): HierarchyMetrics {
    return this.hierarchy.getMetrics();
  }

  isProven(): boolean {
    return this.cache instanceof PlainCache || this.metrics().coherence?.proven === true;
  }

  /** Of each of its clients that is connected, how many listeners each event has. */
  listeners(): readonly string[] {
    const counted = this.#made.filter(isConnected).map((client) => {
      const events = client.eventNames();
      const counts = events.map((event) => `${String(event)}: ${client.listenerCount(event)}`);
      return counts.toSorted(inOrder).join(', ');
    });
    return counted.toSorted(inOrder);
  }

  /** How many invalidations the shared level has not confirmed. */
  owes(): number {
    return this.cache instanceof PlainCache ? 0 : (this.metrics().lower.remote?.unconfirmed ?? 0);
  }

  async read(key: string): Promise<number> {
    const invokedAt = machineNow();
    const version = await this.cache.getOrSet(key, () => this.#load(key), { tags: `of-${key}` });
    this.#seen.push({ kind: 'read', key, version, invokedAt });
    return version;
  }

  /** Changes a key in the database, and invalidates it; returns its version. */
  async change(key: string, how: How = 'delete'): Promise<number> {
    const version = await this.#database.incr(this.#rowOf(key));
    const applied = await this.#invalidate(key, how);
    this.#seen.push({ kind: 'change', key, version, resolvedAt: machineNow(), applied });
    return version;
  }

  /** Works until the time is over. */
  async work({ seed, forMs, readers, keys, changeEveryMs, deletesOnly }: Work): Promise<void> {
    const random = randomFrom(seed);
    const until = machineNow() + forMs;
    const keyOf = (): string => `key:${random.below(keys)}`;
    const read = async (): Promise<void> => {
      while (machineNow() < until) {
        await this.#forgiven(this.read(keyOf()));
        await pause(random.below(3));
      }
    };
    const change = async (): Promise<void> => {
      while (machineNow() < until) {
        const how = deletesOnly === true ? 'delete' : random.weighted<How>(HOW);
        await this.#forgiven(this.change(keyOf(), how));
        await pause(random.below(2 * changeEveryMs));
      }
    };
    const writers = changeEveryMs > 0 ? [change()] : [];
    await Promise.all([...writers, ...Array.from({ length: readers }, read)]);
  }

  /** Asks so many times for a key at once, with a loader that takes a while; returns what was answered. */
  async stampede(key: string, callers: number, loadMs: number): Promise<unknown[]> {
    const load = async (): Promise<number> => {
      this.#loads += 1;
      await pause(loadMs);
      return 1;
    };
    const asked = Array.from({ length: callers }, () => this.cache.getOrSet(key, load));
    return [...new Set(await Promise.all(asked))];
  }

  /** Begins to load a key and never ends; resolves when the loader was called. */
  hang(key: string): Promise<void> {
    return new Promise((resolve) => {
      const load = (): Promise<never> => {
        resolve();
        return new Promise<never>(() => {});
      };
      void this.cache.getOrSet(key, load);
    });
  }

  async close(): Promise<void> {
    await this.cache.close();
    this.#database.disconnect();
  }

  /** What a plain cache throws is not what is tested. */
  async #forgiven(done: Promise<unknown>): Promise<void> {
    if (this.cache instanceof PlainCache) await done.catch(() => {});
    else await done;
  }

  #rowOf(key: string): string {
    return `database:${this.#name}:${key}`;
  }

  async #load(key: string): Promise<number> {
    this.#loads += 1;
    const version = Number(await this.#database.get(this.#rowOf(key)));
    if (this.#loadMs > 0) await pause(Math.random() * this.#loadMs);
    return version;
  }

  async #invalidate(key: string, how: How): Promise<boolean> {
    const { cache } = this;
    if (cache instanceof PlainCache) {
      await cache.delete(key);
      return true;
    }
    if (how === 'expire') await cache.expire(key);
    if (how === 'tag') await cache.invalidateTags(`of-${key}`);
    if (how === 'clear') await cache.clear();
    if (how !== 'delete') return true;
    return cache.delete(key, { require: 'remote' }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof CacheLevelError) return false;
        throw error;
      },
    );
  }
}

/** A client that a level has made like the one that it was given. */
type Made = EventEmitter & { readonly status?: string; readonly isReady?: boolean };

function isConnected({ status, isReady }: Made): boolean {
  return status === 'ready' || isReady === true;
}

function inOrder(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** Returns a list of the clients that are made like one, which grows with each. */
function noteDuplicates(client: RedisClient): readonly Made[] {
  const made: Made[] = [];
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => Made;
  Object.assign(client, {
    duplicate(...args: unknown[]) {
      const one = duplicate(...args);
      made.push(one);
      return one;
    },
  });
  return made;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function quiet(client: Redis): Redis {
  return client.on('error', () => {});
}
