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
export type Admits = (key: string, facts: EntryFacts) => boolean;

/**
 * One shard of a cache: the entries of the keys that the ring gives to it, and what happened to
 * them. Everything is synchronous, so no step can come between the parts of another. An entry that
 * is found dead is removed at once.
 */
export class CacheShard<V> {
  readonly #table: EntryTable<V>;
  readonly #admits: Admits | undefined;
  #hits = 0;
  #misses = 0;
  #sets = 0;
  #deletes = 0;
  #expired = 0;
  #evicted = 0;

  constructor(admits?: Admits, table: EntryTable<V> = new MapTable<V>()) {
    this.#table = table;
    this.#admits = admits;
  }

  /** Entries in the table; expired ones count until they are removed. */
  get size(): number {
    return this.#table.size;
  }

  /** No entry expires before this; `Infinity` if none ever does. */
  get earliestDeadline(): number {
    return this.#table.earliestDeadline;
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
    if (replaced) this.#sets += 1;
    return replaced;
  }

  /** Adds an entry whose key is not there. */
  insert(key: string, entry: NewEntry<V>, hash: number): void {
    this.#table.insert(key, entry, hash);
    this.#sets += 1;
  }

  /** Removes an entry because the user asked; returns whether a live one was there. */
  delete(key: string, hash: number, now: number): boolean {
    const entry = this.#live(key, hash, now, this.#table.peek(key, hash));
    if (entry === undefined) return false;
    this.#table.delete(key, hash);
    this.#deletes += 1;
    return true;
  }

  /** Removes an entry that the cache itself gives up; counts nothing. */
  drop(key: string, hash: number): void {
    this.#table.delete(key, hash);
  }

  /** Drops every entry in one step. */
  clear(): void {
    this.#table.clear();
  }

  /** Removes one entry to make room; returns whether there was one. */
  evict(now: number): boolean {
    const eviction = this.#table.evict(now);
    if (eviction === 'expired') this.#expired += 1;
    if (eviction === 'evicted') this.#evicted += 1;
    return eviction !== undefined;
  }

  /** Begins to remove what is expired at `now` or was invalidated. */
  beginSweep(now: number): void {
    this.#table.beginSweep((key, entry) => !this.#isLive(key, entry, now));
  }

  /** Looks at the next `rows` entries; returns how many it removed and whether that was all. */
  sweepRows(rows: number): { readonly removed: number; readonly done: boolean } {
    const step = this.#table.sweepRows(rows);
    this.#expired += step.removed;
    return step;
  }

  /** The live entries, in no particular order. */
  *entries(now: number): IterableIterator<[key: string, value: V]> {
    for (const [key, entry] of this.#table.entries()) {
      if (this.#isLive(key, entry, now)) yield [key, entry.value];
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

  #live(
    key: string,
    hash: number,
    now: number,
    entry: FoundEntry<V> | undefined,
  ): FoundEntry<V> | undefined {
    if (entry === undefined || this.#isLive(key, entry, now)) return entry;
    if (entry.deadline <= now) this.#expired += 1;
    this.#table.delete(key, hash);
    return undefined;
  }

  #isLive(key: string, entry: FoundEntry<V>, now: number): boolean {
    if (entry.deadline <= now) return false;
    return (
      entry.facts === undefined || this.#admits === undefined || this.#admits(key, entry.facts)
    );
  }
}
