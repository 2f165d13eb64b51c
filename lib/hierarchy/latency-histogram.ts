/** The upper bounds of the buckets of every {@link LatencyHistogram}, in milliseconds, each included. */
export const LATENCY_BUCKETS_MS: readonly number[] = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000,
];

/** How long something took, since the start. */
export interface LatencyMetrics {
  /** How often it was timed. */
  readonly count: number;
  /** All times together, in milliseconds. */
  readonly sumMs: number;
  /**
   * How many times fell into each bucket of `LATENCY_BUCKETS_MS`, above the bound before it; one more at the
   * end for those above the last bound.
   */
  readonly buckets: readonly number[];
}

/** Counts times in buckets that are always the same, so that those of processes can be added up. */
export class LatencyHistogram {
  readonly #buckets: number[] = Array.from({ length: LATENCY_BUCKETS_MS.length + 1 }, () => 0);
  #count = 0;
  #sumMs = 0;

  note(ms: number): void {
    this.#count += 1;
    this.#sumMs += ms;
    let at = 0;
    while (at < LATENCY_BUCKETS_MS.length && ms > LATENCY_BUCKETS_MS[at]!) at++;
    this.#buckets[at]! += 1;
  }

  getMetrics(): LatencyMetrics {
    return { count: this.#count, sumMs: this.#sumMs, buckets: [...this.#buckets] };
  }
}
