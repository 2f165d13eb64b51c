/** What an entry carries beside its value, if it was stored with tags or in a namespace. */
export interface EntryFacts {
  /** The invalidation order when its load, set or update was called. */
  readonly order: number;
  /** Clock time of that moment, in milliseconds. */
  readonly bornAt: number;
  readonly tags: readonly string[] | undefined;
}

/** An entry as a table is given it and shows it. */
export interface Entry<V> {
  readonly value: V;
  /** Clock time from which it is expired, in milliseconds; `Infinity` for never. */
  readonly deadline: number;
  readonly facts: EntryFacts | undefined;
}
