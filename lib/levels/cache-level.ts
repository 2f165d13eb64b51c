/** A value, or a promise of it. In-process levels answer synchronously: nothing is awaited on them. */
export type Maybe<T> = T | Promise<T>;

/** Whether an invalidation has been carried out, or was noted to be carried out later. */
export type Ack = 'applied' | 'queued';

/** What became of a write: stored, overtaken by an invalidation, or not taken. */
export type WriteOutcome = 'stored' | 'fenced' | 'refused';

/** An entry on its way between levels. Times are the clock's of this process, in milliseconds. */
export interface LevelEntry {
  readonly value: unknown;
  /** When its load, set or update was called; `-Infinity` where a level does not keep it. */
  readonly bornAt: number;
  /** From then on it is expired. */
  readonly freshUntil: number;
  /** From then on it may not even be served as a stale answer. */
  readonly staleUntil: number;
  /** From then on it is loaded anew behind those who ask. */
  readonly refreshAt?: number | undefined;
  /** Until then no load is tried, since one has failed. */
  readonly retryAt?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /**
   * The order of invalidations when its load, set or update was called. Only tagged and namespaced
   * entries carry it; an in-process level returns it as it was given.
   */
  readonly order?: number | undefined;
}

/**
 * What the hierarchy asks of a level. A level checks no keys and no lifetimes: that was done. One
 * that is reached over a network answers with promises; one in this process answers at once.
 */
export interface CacheLevel {
  readonly name: string;
  /** Whether it is an {@link InProcessLevel}. */
  readonly inProcess: boolean;
  /** Finds the live entries among `keys`, counts the reads and marks the entries as used. */
  read(keys: readonly string[]): Maybe<Map<string, LevelEntry>>;
  /** Stores entries. */
  write(entries: ReadonlyMap<string, LevelEntry>): Maybe<Map<string, WriteOutcome>>;
  /** Removes keys. */
  delete(keys: readonly string[]): Maybe<Ack>;
  /** Makes every entry with one of the tags a miss. */
  invalidateTags(tags: readonly string[]): Maybe<Ack>;
  /** Makes every entry of a namespace a miss, or without one removes everything. */
  clear(namespace?: string): Maybe<Ack>;
  /** Removes expired entries for about `budgetMs`; `more` asks for another slice, `anew` begins. */
  sweep?(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean };
  /** How often it wants to be swept, in milliseconds. */
  readonly sweepEveryMs?: number;
  /** Lets go of everything it holds. */
  close(): Promise<void>;
}

/**
 * A level in this process: nothing is awaited on it. An entry killed through a tag or a namespace is
 * told from a live one by the hierarchy's stamps, which the level asks about what it finds.
 */
export interface InProcessLevel extends CacheLevel {
  readonly inProcess: true;
  /**
   * Returns the value of a live entry without tags and namespace, counts the read and marks the
   * entry as used. Anything else is `undefined` and not counted: `readNow` is asked then.
   */
  readPlainNow(key: string): unknown;
  /**
   * Finds an entry that is live, or that is only a stale answer. A live one counts as a hit and is
   * marked as used.
   */
  readNow(key: string): LevelEntry | undefined;
  /** Does what `readNow` does, and counts and moves nothing. */
  peekNow(key: string): LevelEntry | undefined;
  /** Stores an entry. One that is refused leaves nothing under its key. */
  writeNow(key: string, entry: LevelEntry): WriteOutcome;
  /** Removes a key; returns whether it had a live entry. */
  deleteNow(key: string): boolean;
  read(keys: readonly string[]): Map<string, LevelEntry>;
  write(entries: ReadonlyMap<string, LevelEntry>): Map<string, WriteOutcome>;
  delete(keys: readonly string[]): Ack;
  invalidateTags(tags: readonly string[]): Ack;
  clear(namespace?: string): Ack;
}
