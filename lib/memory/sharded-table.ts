import type { Clock } from '../clock.js';
import { CacheShard, type EntryCount, type ShardMetrics, type Stamps } from './cache-shard.js';
import { ConsistentHash } from './consistent-hash.js';
import type { FoundEntry, NewEntry } from './entry-table.js';
import type { Hash } from './hash.js';
import type { RingOptions } from './ring-points.js';

/** What a {@link ShardedTable} is made of; everything is resolved and checked. */
export interface ShardedTableOptions {
  readonly ring: RingOptions;
  /** Exact bound over all shards. */
  readonly maxEntries: number;
  /** Shards that a sweep advances side by side. */
  readonly maxWorkers: number;
  readonly clock: Clock;
  readonly stamps?: Stamps | undefined;
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
  readonly #count: EntryCount = { entries: 0 };
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
      () => new CacheShard<V>(this.#count, options.stamps),
    );
  }

  /** Entries in all shards; expired ones count until they are removed. */
  get size(): number {
    return this.#count.entries;
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
    for (const shard of this.#shards) yield* shard.entries(this.#clock);
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
   * the sweep has not seen all. `anew` begins one and forgets another that was under way. Shards in which nothing can have expired are skipped unseen, and at
   * most `maxWorkers` advance side by side.
   */
  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    const startedAt = this.#clock.now();
    if (anew || this.#sweep === undefined) this.#sweep = this.#newSweep(startedAt);
    const sweep = this.#sweep;
    let removed = 0;
    let endedAt: number;
    do {
      removed += this.#sweepChunk(sweep);
      endedAt = this.#clock.now();
    } while (hasMore(sweep) && endedAt - startedAt < budgetMs);
    if (!hasMore(sweep)) this.#sweep = undefined;
    this.#sweepMs += endedAt - startedAt;
    return { removed, more: hasMore(sweep) };
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

  #newSweep(now: number): Sweep<V> {
    return { now, waiting: this.#shards.filter((shard) => shard.isDue(now)), working: [] };
  }

  /** Advances the next of the working shards by one chunk. */
  #sweepChunk({ waiting, working, now }: Sweep<V>): number {
    while (working.length < this.#options.maxWorkers && waiting.length > 0) {
      const begun = waiting.shift()!;
      begun.beginSweep(now);
      working.push(begun);
    }
    const shard = working.shift();
    if (shard === undefined) return 0;
    const { removed, done } = shard.sweepRows(SWEEP_CHUNK);
    if (!done) working.push(shard);
    return removed;
  }
}

interface Sweep<V> {
  readonly now: number;
  readonly waiting: CacheShard<V>[];
  readonly working: CacheShard<V>[];
}

function hasMore({ waiting, working }: Sweep<unknown>): boolean {
  return working.length > 0 || waiting.length > 0;
}
