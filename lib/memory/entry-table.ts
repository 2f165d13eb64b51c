/** What an entry carries beside its value, if it was stored with tags or in a namespace. */
export interface EntryFacts {
  /** The invalidation order when its load, set or update was called. */
  readonly order: number;
  /** Clock time of that moment, in milliseconds. */
  readonly bornAt: number;
  readonly tags: readonly string[] | undefined;
}

/** An entry as a table is given it. A table may keep the object or copy what it holds. */
export interface NewEntry<V> {
  value: V;
  /** Clock time from which it is expired, in milliseconds; `Infinity` for never. */
  deadline: number;
  facts: EntryFacts | undefined;
}

/** An entry as a table shows it, valid until the table's next call: a table may reuse the object. */
export type FoundEntry<V> = Readonly<NewEntry<V>>;

/**
 * Where a shard keeps its entries. A table knows deadlines but has no clock: it finds expired
 * entries like others, and removes them when it is swept or needs room. `hash` is the key's 32-bit
 * hash, which the cache has computed for its ring, for a table that is indexed by it.
 */
export interface EntryTable<V> {
  readonly size: number;
  /** No entry expires before this; `Infinity` if none ever does. */
  readonly earliestDeadline: number;

  /** Finds an entry and marks it as used. */
  read(key: string, hash: number): FoundEntry<V> | undefined;
  /** Finds an entry and changes nothing. */
  peek(key: string, hash: number): FoundEntry<V> | undefined;
  /** Replaces an entry that is there; returns whether it was. */
  replace(key: string, entry: NewEntry<V>, hash: number): boolean;
  /** Adds an entry whose key is not there. */
  insert(key: string, entry: NewEntry<V>, hash: number): void;
  /** Removes an entry; returns whether it was there. */
  delete(key: string, hash: number): boolean;
  /** Drops every entry in one step. */
  clear(): void;

  /** Removes one entry, an expired or a little used one; `undefined` if the table is empty. */
  evict(now: number): Eviction | undefined;
  /** Begins to look for dead entries; ends a search that was under way. */
  beginSweep(isDead: (key: string, entry: FoundEntry<V>) => boolean): void;
  /** Looks at the next `rows` entries and removes the dead ones. */
  sweepRows(rows: number): SweepStep;

  entries(): IterableIterator<[key: string, entry: FoundEntry<V>]>;
}

/** What made room: an entry that had expired, or one that had not. */
export type Eviction = 'expired' | 'evicted';

/** What a step of a sweep has done. */
export interface SweepStep {
  readonly removed: number;
  /** Whether every entry has been looked at. */
  readonly done: boolean;
}
