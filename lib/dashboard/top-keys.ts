/** A key and what is known of how often it came. */
export interface TopKey {
  readonly key: string;
  /** It came at least so often. */
  readonly count: number;
}

interface Counter {
  count: number;
  /** How much of the count may be of keys that had the counter before. */
  error: number;
}

/**
 * Finds the keys that come most often among any number of them, with a bounded number of counters: the
 * Space-Saving algorithm (Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in
 * data streams, ICDT 2005). A key that has no counter takes over the lowest one, and its count as an error. A key
 * with more than the `1/maxCounters`th part of all counts has a counter.
 */
export class TopKeys {
  readonly #maxCounters: number;
  readonly #counters = new Map<string, Counter>();
  #total = 0;

  constructor(maxCounters: number) {
    this.#maxCounters = maxCounters;
  }

  /** All that was counted. */
  get total(): number {
    return this.#total;
  }

  add(key: string): void {
    this.#total += 1;
    const counter = this.#counters.get(key);
    if (counter !== undefined) counter.count += 1;
    else if (this.#counters.size < this.#maxCounters)
      this.#counters.set(key, { count: 1, error: 0 });
    else this.#takeOver(key);
  }

  /** The keys that have come most often, the first one first. */
  top(count: number): TopKey[] {
    return [...this.#counters]
      .map(([key, counter]) => ({ key, count: counter.count - counter.error }))
      .toSorted((one, other) => other.count - one.count)
      .slice(0, count);
  }

  /** Has all that was counted so far count half. */
  age(): void {
    this.#total /= 2;
    for (const [key, counter] of this.#counters) {
      counter.count /= 2;
      counter.error /= 2;
      if (counter.count < 1) this.#counters.delete(key);
    }
  }

  #takeOver(key: string): void {
    let lowest = '';
    let error = Infinity;
    for (const [one, { count }] of this.#counters) {
      if (count < error) [lowest, error] = [one, count];
    }
    this.#counters.delete(lowest);
    this.#counters.set(key, { count: error + 1, error });
  }
}
