import { parseDuration, parseLifetime, type Duration } from '../durations.js';
import { assertKnownOptions } from '../options.js';
import type { AbsenceMemory } from './absence-memory.js';
import { assertLoader, assertValue } from './cache-arguments.js';
import { assertKey } from './cache-key.js';
import {
  resolveCacheOptions,
  type CacheOptions,
  type ResolvedCacheOptions,
} from './cache-options.js';
import type { Stamps } from './cache-shard.js';
import { KeyCoordinator } from './key-coordinator.js';
import { LiveResharding } from './live-resharding.js';
import { LoaderContext, type CacheLoadContext } from './loader-context.js';
import { RemovalNotifier } from './removal-notifier.js';
import { ShardedTable } from './sharded-table.js';
import type { TableMetrics } from './table-metrics.js';
import { weighingOf } from './size-estimate.js';
import { Sweeper, type Sweepable } from './sweeper.js';

/** Options of a call that stores one entry. */
export interface EntryOptions {
  /**
   * How long the entry lives.
   * @default the cache's `ttl`
   */
  readonly ttl?: Duration;
}

/** What a cache has done since the start. Counters never go back. */
export interface CacheMetrics extends TableMetrics {
  /** Callers of `getOrSet` who joined another caller's load. */
  readonly joins: number;
  /** Loaded or written values not stored because of an invalidation meanwhile. */
  readonly fenced: number;
  /** Callers of `set` and `update` who had to wait for a lock. */
  readonly lockContentions: number;
  /** How long they waited, all together, in milliseconds. */
  readonly lockWaitMs: number;
}

/** How a hierarchy builds a cache that is one of its levels. */
export interface LevelInternals {
  /** Begins its warnings. */
  readonly subject: string;
  readonly stamps: Stamps;
  /** Where somebody asks why keys are not there, what remembers it. */
  readonly absences?: AbsenceMemory | undefined;
}

/** How long a caller of `getOrSet` waits for a load that another caller started. */
export const DEFAULT_JOIN_TIMEOUT_MS = 30_000;

/**
 * An in-process cache with a lifetime for each entry and an exact bound on their number, sharded by
 * consistent hashing. It can be used alone; a {@link CacheHierarchy} is made of two.
 *
 * Reads are optimistic: they look, in one synchronous step, and never wait for a lock or a load.
 * `set` and `update` of one key take turns. A value whose load, `set` or `update` was called before
 * a `delete` or `clear` of its key is not stored after it. Expired entries are removed in short
 * slices; they are never returned, removed or not.
 *
 * Values are kept by reference; `undefined` means absent and is never stored, `null` is a value.
 * Stop it when it is no longer needed: its timer does not keep the process alive, but the cache.
 */
export class EnhancedAsyncTTLCache<V> implements AsyncDisposable {
  /** @internal The synchronous inside, which the levels of a hierarchy work on. */
  readonly table: ShardedTable<V>;
  readonly #options: ResolvedCacheOptions;
  readonly #coordinator: KeyCoordinator;
  readonly #sweeper: Sweeper;
  readonly #swept: Sweepable;
  readonly #resharding: LiveResharding<V>;

  /**
   * @param options every one has a default
   * @throws {InvalidOptionsError} with everything that is wrong with them
   */
  constructor(options?: CacheOptions<V>);
  /** @internal */
  constructor(options: CacheOptions<V> | undefined, internals: LevelInternals);
  constructor(options: CacheOptions<V> = {}, internals?: LevelInternals) {
    this.#options = resolveCacheOptions(options, internals?.subject);
    const { clock, report, sweepEveryMs, onRemove } = this.#options;
    this.table = new ShardedTable<V>({
      ...this.#options,
      weigh: weighingOf(this.#options),
      removals:
        onRemove === undefined
          ? undefined
          : new RemovalNotifier<V>({ listener: onRemove, clock, report }),
      stamps: internals?.stamps,
      absences: internals?.absences,
      assertKey: (key) => this.#assertKey(key),
    });
    this.#coordinator = new KeyCoordinator({
      clock,
      lockTimeoutMs: this.#options.lockTimeoutMs,
      joinTimeoutMs: DEFAULT_JOIN_TIMEOUT_MS,
      shardOf: (key) => this.table.shardOf(key),
      drop: (key) => this.table.drop(key),
      order: () => 0,
      admits: () => true,
    });
    const { table } = this;
    this.#resharding = new LiveResharding({ table, coordinator: this.#coordinator, clock });
    this.#sweeper = new Sweeper({ clock, report });
    this.#swept = {
      name: 'cache',
      sweepEveryMs,
      sweep: (budgetMs, anew) => this.table.sweep(budgetMs, anew),
    };
    this.#sweeper.add(this.#swept);
    if (internals === undefined) this.#sweeper.start();
  }

  /** Number of entries; expired ones count until they are removed. */
  get size(): number {
    return this.table.size;
  }

  /** Returns the key's value, or `undefined` if it is absent or expired. Never waits. */
  async get(key: string): Promise<V | undefined> {
    return this.#read(key);
  }

  /** Does what {@link get} does, synchronously. */
  getIfPresent(key: string): V | undefined {
    return this.#read(key);
  }

  /** Returns the key's value without counting the read or marking the entry as used. */
  peek(key: string): V | undefined {
    if (typeof key !== 'string') this.#assertKey(key);
    return this.table.peek(key);
  }

  /** Tells whether the key has a value that is not expired, without counting. */
  has(key: string): boolean {
    return this.peek(key) !== undefined;
  }

  /**
   * Stores a value. Takes effect in the call when nobody holds the key's lock, else after those
   * who came before.
   *
   * @throws {InvalidArgumentError} for a bad key, a bad ttl or `undefined` as the value
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   */
  set(key: string, value: V, options?: EntryOptions): Promise<void> {
    try {
      const isPlain = typeof key === 'string' && value !== undefined;
      if (isPlain && options === undefined && this.#coordinator.idle) {
        this.table.write(key, value, this.#options.ttlMs);
        return STORED;
      }
      this.#assertKey(key);
      assertValue(value);
      const ttlMs = this.#ttlMs(options);
      const store = (): void => void this.table.write(key, value, ttlMs);
      return this.#coordinator.set(key, undefined, { value, store });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Removes a key. Takes effect in the call: what was being loaded or set for it is not stored.
   *
   * @returns whether it had a value that was not expired
   */
  async delete(key: string): Promise<boolean> {
    this.#assertKey(key);
    this.#coordinator.fence(key);
    return this.table.delete(key);
  }

  /** Removes everything, in the call, in time proportional to the number of shards. */
  async clear(): Promise<void> {
    this.#coordinator.fenceAll();
    this.table.clear();
  }

  /**
   * Returns the key's value, or loads and stores it: the loader runs once, however many callers ask
   * meanwhile. What it throws reaches every one of them, and nothing is stored; `undefined` is
   * returned and not stored.
   *
   * @throws what the loader throws
   * @throws {LoadTimeoutError} when loads that other callers started did not settle
   * @throws {InvalidArgumentError} for a bad key or ttl, or when the loader asks for its own key at once
   */
  getOrSet(
    key: string,
    loader: (context: CacheLoadContext) => V | Promise<V>,
    options?: EntryOptions,
  ): Promise<V> {
    try {
      const value = this.#read(key);
      return value === undefined ? this.#load(key, loader, options) : Promise.resolve(value);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Replaces a value by what `change` makes of it, while no other `set` or `update` of the key runs.
   * `change` gets `undefined` for an absent key; returning `undefined` removes the key.
   *
   * @returns what `change` returned
   * @throws what `change` throws; the key was deleted then
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   */
  async update(
    key: string,
    change: (current: V | undefined) => V | undefined | Promise<V | undefined>,
    options?: EntryOptions,
  ): Promise<V | undefined> {
    this.#assertKey(key);
    assertLoader(change);
    const ttlMs = this.#ttlMs(options);
    return this.#coordinator.update<V>(key, undefined, async () => change(this.peek(key)), {
      store: (value) => void this.table.write(key, value, ttlMs),
    });
  }

  /**
   * Removes expired entries, in slices of about a millisecond.
   *
   * @returns how many
   */
  removeExpired(): Promise<number> {
    return this.#sweeper.sweepNow(this.#swept);
  }

  /** The entries that are not expired, shard by shard; moves and counts nothing. */
  entries(): IterableIterator<[key: string, value: V]> {
    return this.table.entries();
  }

  /**
   * Gives the keys to another number of shards while the cache is in use. The new number holds at
   * once, and about (m - n) / m of the entries move from n shards to m, or all where shards share
   * tables: each when it is asked for, the others a shard at a time in slices of about a millisecond,
   * after the updates of that shard that are under way. Nothing is lost. Calls run one after the other.
   *
   * @param numShards from 1 to 1,024
   * @throws {InvalidArgumentError} for any other number
   * @throws {LockTimeoutError} when an update kept a shard longer than `lockTimeout`: its entries
   * move when they are asked for, or by the next call
   */
  reshard(numShards: number): Promise<void> {
    return this.#resharding.run(numShards);
  }

  /** What the cache has done since the start. */
  getMetrics(): CacheMetrics {
    const { joins, fenced, locks } = this.#coordinator.getMetrics();
    return {
      ...this.table.getMetrics(),
      joins,
      fenced,
      lockContentions: locks.contentions,
      lockWaitMs: locks.waitMs,
    };
  }

  /** Ends the periodic removal of expired entries; the cache goes on working. */
  async stop(): Promise<void> {
    this.#sweeper.stop();
  }

  /** The same as {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #read(key: string): V | undefined {
    if (typeof key !== 'string') this.#assertKey(key);
    return this.table.read(key);
  }

  #load(
    key: string,
    loader: (context: CacheLoadContext) => V | Promise<V>,
    options: EntryOptions | undefined,
  ): Promise<V> {
    this.#assertKey(key);
    assertLoader(loader);
    let ttlMs = this.#ttlMs(options);
    return this.#coordinator.load<V>({
      key,
      callLoader: (load) => {
        const context = new LoaderContext(load, key, (ttl) => {
          ttlMs = parseLifetime(ttl);
        });
        return load.call(() => loader(context));
      },
      store: (value) => {
        if (ttlMs > 0) this.table.write(key, value, ttlMs);
      },
      stored: () => this.peek(key),
    });
  }

  #ttlMs(options: EntryOptions | undefined): number {
    if (options === undefined) return this.#options.ttlMs;
    assertKnownOptions(options, ENTRY_OPTIONS);
    return options.ttl === undefined ? this.#options.ttlMs : parseDuration(options.ttl);
  }

  #assertKey(key: string): void {
    assertKey(key, this.#options.maxKeyLength);
  }
}

/** What `set` returns when it took effect in the call. */
const STORED = Promise.resolve();

const ENTRY_OPTIONS: ReadonlySet<string> = new Set(['ttl']);
