import type { Clock } from '../clock.js';
import type { EntryFacts, EntryTable, FoundEntry, NewEntry } from './entry-table.js';
import { MapTable } from './map-table.js';

/** What happened in a shard since the start, and how many entries it holds now. */
export interface ShardMetrics {
  /** Entries in the table; expired ones count until they are removed. */
  readonly size: number;
  /** Counted reads that found a live entry. */
  readonly hits: number;
  /** Counted reads that did not. */
  readonly misses: number;
  /** Values stored. */
  readonly sets: number;
  /** Live entries removed because the user asked. */
  readonly deletes: number;
  /** Entries removed because their time had passed, or by a sweep after their tag was invalidated. */
  readonly expired: number;
  /** Entries removed to make room. */
  readonly evicted: number;
}

/**
 * Tells whether what an entry's tags and namespaces say still holds: entries invalidated through
 * them stay in the tables and are misses. Asked only for entries that carry facts.
 */
export interface Stamps {
  /** Moves on with each invalidation. */
  readonly order: number;
  admits(key: string, facts: EntryFacts): boolean;
}

/** How many entries all shards of a cache hold together. */
export interface EntryCount {
  entries: number;
}

/**
 * One shard of a cache: the entries of the keys that the ring gives to it, and what happened to
 * them. Everything is synchronous, so no step can come between the parts of another. An entry that
 * is found dead is removed at once.
 */
export class CacheShard<V> {
  readonly #table: EntryTable<V>;
  readonly #count: EntryCount;
  readonly #stamps: Stamps | undefined;
  /** The order up to which entries killed through a tag or a namespace are swept away. */
  #sweptOrder = 0;
  #holdsFacts = false;
  #hits = 0;
  #misses = 0;
  #sets = 0;
  #deletes = 0;
  #expired = 0;
  #evicted = 0;

  constructor(count: EntryCount, stamps?: Stamps, table: EntryTable<V> = new MapTable<V>()) {
    this.#table = table;
    this.#count = count;
    this.#stamps = stamps;
  }

  /** Entries in the table; expired ones count until they are removed. */
  get size(): number {
    return this.#table.size;
  }

  /** Whether an entry can have died since the last sweep: expired, or killed by an invalidation. */
  isDue(now: number): boolean {
    if (this.#table.earliestDeadline <= now) return true;
    return this.#holdsFacts && this.#stamps !== undefined && this.#stamps.order > this.#sweptOrder;
  }

  /** Finds a live entry, counts the read and marks the entry as used. */
  read(key: string, hash: number, now: number): FoundEntry<V> | undefined {
    const entry = this.#live(key, hash, now, this.#table.read(key, hash));
    if (entry === undefined) this.#misses += 1;
    else this.#hits += 1;
    return entry;
  }

  /** Finds a live entry and moves nothing. */
  peek(key: string, hash: number, now: number): FoundEntry<V> | undefined {
    const entry = this.#table.peek(key, hash);
    return entry !== undefined && this.#isLive(key, entry, now) ? entry : undefined;
  }

  /** Replaces the key's entry; returns whether there was one. */
  replace(key: string, entry: NewEntry<V>, hash: number): boolean {
    const replaced = this.#table.replace(key, entry, hash);
    if (replaced) this.#noteStored(entry);
    return replaced;
  }

  /** Adds an entry whose key is not there. */
  insert(key: string, entry: NewEntry<V>, hash: number): void {
    this.#table.insert(key, entry, hash);
    this.#count.entries += 1;
    this.#noteStored(entry);
  }

  /** Removes an entry because the user asked; returns whether a live one was there. */
  delete(key: string, hash: number, now: number): boolean {
    const entry = this.#live(key, hash, now, this.#table.peek(key, hash));
    if (entry === undefined) return false;
    this.drop(key, hash);
    this.#deletes += 1;
    return true;
  }

  /** Removes an entry that the cache itself gives up; counts nothing. */
  drop(key: string, hash: number): void {
    if (this.#table.delete(key, hash)) this.#count.entries -= 1;
  }

  /** Drops every entry in one step. */
  clear(): void {
    this.#count.entries -= this.#table.size;
    this.#table.clear();
  }

  /** Removes one entry to make room; returns whether there was one. */
  evict(now: number): boolean {
    const eviction = this.#table.evict(now);
    if (eviction !== undefined) this.#count.entries -= 1;
    if (eviction === 'expired') this.#expired += 1;
    if (eviction === 'evicted') this.#evicted += 1;
    return eviction !== undefined;
  }

  /** Begins to remove what is expired at `now` or was invalidated. */
  beginSweep(now: number): void {
    this.#sweptOrder = this.#stamps?.order ?? 0;
    this.#table.beginSweep((key, entry) => !this.#isLive(key, entry, now));
  }

  /** Looks at the next `rows` entries; returns how many it removed and whether that was all. */
  sweepRows(rows: number): { readonly removed: number; readonly done: boolean } {
    const step = this.#table.sweepRows(rows);
    this.#expired += step.removed;
    this.#count.entries -= step.removed;
    return step;
  }

  /** The entries that are live when they come, in no particular order. */
  *entries(clock: Pick<Clock, 'now'>): IterableIterator<[key: string, value: V]> {
    for (const [key, entry] of this.#table.entries()) {
      if (this.#isLive(key, entry, clock.now())) yield [key, entry.value];
    }
  }

  getMetrics(): ShardMetrics {
    return {
      size: this.size,
      hits: this.#hits,
      misses: this.#misses,
      sets: this.#sets,
      deletes: this.#deletes,
      expired: this.#expired,
      evicted: this.#evicted,
    };
  }

  #noteStored({ facts }: NewEntry<V>): void {
    this.#sets += 1;
    if (facts !== undefined) this.#holdsFacts = true;
  }

  #live(
    key: string,
    hash: number,
    now: number,
    entry: FoundEntry<V> | undefined,
  ): FoundEntry<V> | undefined {
    if (entry === undefined || this.#isLive(key, entry, now)) return entry;
    if (entry.deadline <= now) this.#expired += 1;
    this.drop(key, hash);
    return undefined;
  }

  #isLive(key: string, entry: FoundEntry<V>, now: number): boolean {
    if (entry.deadline <= now) return false;
    const { facts } = entry;
    return facts === undefined || this.#stamps === undefined || this.#stamps.admits(key, facts);
  }
}
