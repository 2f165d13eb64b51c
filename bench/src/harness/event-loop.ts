import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';

/** How long the event loop was kept from its next turn at most while something went on. */
export class LongestGap {
  #longestMs = 0;
  #running = true;
  #lastAt = performance.now();

  constructor() {
    const turn = (): void => {
      const now = performance.now();
      this.#longestMs = Math.max(this.#longestMs, now - this.#lastAt);
      this.#lastAt = now;
      if (this.#running) setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** Ends the watch, after one more turn, and returns the longest gap in milliseconds. */
  async end(): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#running = false;
    await new Promise((resolve) => setImmediate(resolve));
    return this.#longestMs;
  }
}

/** A pause of the garbage collector. */
interface Collection {
  readonly from: number;
  readonly to: number;
}

/** Notes the pauses of the garbage collector. */
export class Collections {
  readonly #all: Collection[] = [];
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#note(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Ends the notes; what was measured while they were taken can be looked up then. */
  async end(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 10));
    this.#note(this.#observer.takeRecords());
    this.#observer.disconnect();
  }

  /** How much of a span of time the collector took, in milliseconds. */
  within(from: number, to: number): number {
    return this.#all.reduce(
      (sum, pause) => sum + Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from)),
      0,
    );
  }

  #note(entries: readonly PerformanceEntry[]): void {
    for (const { startTime, duration } of entries) {
      this.#all.push({ from: startTime, to: startTime + duration });
    }
  }
}
