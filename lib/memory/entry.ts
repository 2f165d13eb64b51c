/**
 * What an entry carries beside its value, if it was stored with tags or in a namespace, is kept beyond
 * its lifetime, is to be refreshed, or may be kept longer than it is.
 */
export interface EntryFacts {
  /** The invalidation order when its load, set or update was called, if that matters. */
  readonly order: number | undefined;
  /** Clock time of that moment, in milliseconds. */
  readonly bornAt: number;
  readonly tags: readonly string[] | undefined;
  /**
   * Clock time from which it is only a stale answer; without it that is its deadline. One beyond the
   * deadline is how far hits may move that.
   */
  readonly freshUntil?: number | undefined;
  /** Clock time to which hits can move `freshUntil`, if they do. */
  readonly slidesUntil?: number | undefined;
  /** Clock time from which it is loaded anew behind those who ask. */
  readonly refreshAt?: number | undefined;
  /** Clock time until which no load is tried, since one has failed. */
  readonly retryAt?: number | undefined;
}

/** An entry as a table is given it and shows it. */
export interface Entry<V> {
  readonly value: V;
  /** Clock time from which it is expired, in milliseconds; `Infinity` for never. */
  readonly deadline: number;
  readonly facts: EntryFacts | undefined;
}

/** Whether an entry that is still there may only be returned as a stale answer. */
export function isStale({ facts }: Entry<unknown>, now: number): boolean {
  return facts?.freshUntil !== undefined && facts.freshUntil <= now;
}
