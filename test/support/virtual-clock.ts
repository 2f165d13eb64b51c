import type { Clock } from '../../lib/clock.js';

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * A clock that stands still until the test moves it. Timers run in the order of their due times
 * while `advance` passes them; immediates run between the steps of `advance` and in `turn`.
 */
export class VirtualClock implements Clock {
  #now = 1_000;
  #order = 0;
  readonly #timers = new Set<Timer>();
  #immediates: Timer[] = [];
  readonly #settle: () => Promise<void>;

  /** @param settleWith lets what waits on settled promises run; a turn of the event loop by default */
  constructor(settleWith = settle) {
    this.#settle = settleWith;
  }

  /** Timers and immediates that are still to run: none may be left when a test is over. */
  get pending(): number {
    return this.#timers.size + this.#immediates.length;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return 1_700_000_000_000 + this.#now;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    if (delayMs === Infinity) return () => {};
    const timer = { dueAt: this.#now + delayMs, order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  setImmediate(run: () => void): () => void {
    const immediate = { dueAt: 0, order: this.#order++, run };
    this.#immediates.push(immediate);
    return () => {
      this.#immediates = this.#immediates.filter((other) => other !== immediate);
    };
  }

  /** Moves time without running anything, as a blocked event loop does. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** Moves time on, running on the way what falls due, and lets promises settle after each step. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await this.turn();
    for (let timer = this.#next(target); timer !== undefined; timer = this.#next(target)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.dueAt);
      timer.run();
      await this.turn();
    }
    this.#now = Math.max(this.#now, target);
  }

  /** Runs immediates, and those they add, until none is left and promises have settled. */
  async turn(): Promise<void> {
    await this.#settle();
    while (this.#immediates.length > 0) {
      const batch = this.#immediates;
      this.#immediates = [];
      for (const { run } of batch) run();
      await this.#settle();
    }
  }

  #next(target: number): Timer | undefined {
    return [...this.#timers]
      .filter(({ dueAt }) => dueAt <= target)
      .toSorted((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];
  }
}

/** Kept here since reading a global is slow inside Jest. */
const resolved = Promise.resolve();

/**
 * Lets chains of up to 50 settled promises run, without a turn of the event loop: much faster than
 * {@link settle}, for tests that take hundreds of thousands of steps.
 */
export async function settleMicrotasks(): Promise<void> {
  for (let tick = 0; tick < 50; tick++) await resolved;
}

/** Lets everything that waits on settled promises run: one real turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
