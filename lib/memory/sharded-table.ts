import type { Clock } from '../clock.js';
import { CacheShard, type Admits, type ShardMetrics } from './cache-shard.js';
import { ConsistentHash, type RingOptions } from './consistent-hash.js';
import type { FoundEntry, NewEntry } from './entry-table.js';
import type { Hash } from './hash.js';

/** What a {@link ShardedTable} is made of; everything is resolved and checked. */
export interface ShardedTableOptions {
  readonly ring: RingOptions;
  /** Exact bound over all shards. */
  readonly maxEntries: number;
  /** Shards that a sweep advances side by side. */
  readonly maxWorkers: number;
  readonly clock: Clock;
  readonly admits?: Admits | undefined;
}

/** What a cache's entries have been through since the start. Counters never go back. */
export interface TableMetrics {
  /** Counted reads: `get`, `getIfPresent` and `getOrSet`. Always hits + misses. */
  readonly gets: number;
  readonly hits: number;
  readonly misses: number;
  /** hits / gets, from 0 to 1; 0 before the first read. */
  readonly hitRatio: number;
  /** Values stored, by callers and loaders. */
  readonly sets: number;
  /** Live entries that were removed because somebody asked. */
  readonly deletes: number;
  /** Entries removed because their time had passed, or by a sweep after their tag was invalidated. */
  readonly expired: number;
  /** Entries removed to make room. */
  readonly evicted: number;
  /** Entries held now; expired ones count until they are removed. */
  readonly size: number;
  /** Time spent removing expired entries, in milliseconds. */
  readonly cleanupDurationMs: number;
  /** The same for each shard. */
  readonly shards: readonly ShardMetrics[];
}

/** Rows that a sweep looks at before it asks the clock again. */
const SWEEP_CHUNK = 256;

/**
 * The synchronous inside of a cache: shards behind a ring, one bound on the number of entries for
 * all of them together, and a sweep that can be interrupted after every few rows.
 *
 * The bound is exact at every moment: whoever adds an entry to a full cache first takes one out, of
 * the same shard if it has any, so the sizes of the shards follow their shares of the ring.
 */
export class ShardedTable<V> {
  readonly #options: ShardedTableOptions;
  readonly #hash: Hash;
  readonly #seed: number;
  readonly #ring: ConsistentHash;
  readonly #shards: readonly CacheShard<V>[];
  readonly #clock: Clock;
  /** The next shard that gives an entry away when the shard in need has none. */
  #donor = 0;
  #sweep: Sweep<V> | undefined;
  #sweepMs = 0;

  constructor(options: ShardedTableOptions) {
    this.#options = options;
    this.#hash = options.ring.hash;
    this.#seed = options.ring.seed;
    this.#ring = new ConsistentHash(options.ring);
    this.#clock = options.clock;
    this.#shards = Array.from(
      { length: options.ring.numShards },
      () => new CacheShard<V>(options.admits),
    );
  }

  /** Entries in all shards; expired ones count until they are removed. */
  get size(): number {
    let size = 0;
    for (const shard of this.#shards) size += shard.size;
    return size;
  }

  /** The shard that a key belongs to. */
  shardOf(key: string): number {
    return this.#ring.shardForHash(this.#hash(key, this.#seed));
  }

  /** Finds a live entry, counts the read and marks the entry as used. */
  read(key: string): FoundEntry<V> | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(hash).read(key, hash, this.#clock.now());
  }

  /** Finds a live entry and moves nothing. */
  peek(key: string): FoundEntry<V> | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(hash).peek(key, hash, this.#clock.now());
  }

  /** Stores an entry, evicting another if the table is full. */
  write(key: string, entry: NewEntry<V>): void {
    const hash = this.#hash(key, this.#seed);
    const shard = this.#shardAt(hash);
    if (shard.replace(key, entry, hash)) return;
    if (this.size >= this.#options.maxEntries) this.#makeRoom(shard);
    shard.insert(key, entry, hash);
  }

  /** Removes an entry because the user asked; returns whether a live one was there. */
  delete(key: string): boolean {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(hash).delete(key, hash, this.#clock.now());
  }

  /** Removes an entry that the cache itself gives up; counts nothing. */
  drop(key: string): void {
    const hash = this.#hash(key, this.#seed);
    this.#shardAt(hash).drop(key, hash);
  }

  /** Drops all entries, in time proportional to the number of shards. */
  clear(): void {
    for (const shard of this.#shards) shard.clear();
  }

  /** The live entries, shard by shard. */
  *entries(): IterableIterator<[key: string, value: V]> {
    const now = this.#clock.now();
    for (const shard of this.#shards) yield* shard.entries(now);
  }

  getMetrics(): TableMetrics {
    const shards = this.#shards.map((shard) => shard.getMetrics());
    const sum = (name: keyof ShardMetrics): number =>
      shards.reduce((total, shard) => total + shard[name], 0);
    const hits = sum('hits');
    const gets = hits + sum('misses');
    return {
      gets,
      hits,
      misses: sum('misses'),
      hitRatio: gets === 0 ? 0 : hits / gets,
      sets: sum('sets'),
      deletes: sum('deletes'),
      expired: sum('expired'),
      evicted: sum('evicted'),
      size: sum('size'),
      cleanupDurationMs: this.#sweepMs,
      shards,
    };
  }

  /**
   * Removes entries that were expired when the sweep began, for about `budgetMs`; `more` says that
   * the sweep has not seen all. Shards in which nothing can have expired are skipped unseen, and at
   * most `maxWorkers` advance side by side.
   */
  sweep(budgetMs: number): { readonly removed: number; readonly more: boolean } {
    const startedAt = this.#clock.now();
    const sweep = (this.#sweep ??= {
      now: startedAt,
      waiting: this.#shards.filter((shard) => shard.earliestDeadline <= startedAt),
      working: [],
    });
    let removed = 0;
    let more: boolean;
    do {
      removed += this.#sweepChunks(sweep);
      more = sweep.working.length > 0 || sweep.waiting.length > 0;
    } while (more && this.#clock.now() - startedAt < budgetMs);
    if (!more) this.#sweep = undefined;
    this.#sweepMs += this.#clock.now() - startedAt;
    return { removed, more };
  }

  #shardAt(hash: number): CacheShard<V> {
    return this.#shards[this.#ring.shardForHash(hash)]!;
  }

  #makeRoom(shard: CacheShard<V>): void {
    const now = this.#clock.now();
    if (shard.evict(now)) return;
    do {
      this.#donor = (this.#donor + 1) % this.#shards.length;
    } while (!this.#shards[this.#donor]!.evict(now));
  }

  /** Advances each working shard by one chunk. */
  #sweepChunks(sweep: Sweep<V>): number {
    while (sweep.working.length < this.#options.maxWorkers && sweep.waiting.length > 0) {
      const shard = sweep.waiting.shift()!;
      shard.beginSweep(sweep.now);
      sweep.working.push(shard);
    }
    let removed = 0;
    sweep.working = sweep.working.filter((shard) => {
      const step = shard.sweepRows(SWEEP_CHUNK);
      removed += step.removed;
      return !step.done;
    });
    return removed;
  }
}

interface Sweep<V> {
  readonly now: number;
  readonly waiting: CacheShard<V>[];
  working: CacheShard<V>[];
}
