import type { Clock } from '../clock.js';
import { parseDuration, type Duration } from '../durations.js';
import { InvalidArgumentError, show } from '../errors.js';

/** What a {@link FakeClock} may be given. */
export interface FakeClockOptions {
  /**
   * What the wall clock shows at first.
   * @default 2024-01-01T00:00:00Z
   */
  readonly startAt?: Date;
  /**
   * Lets what waits on settled promises run, between the steps of `advance`.
   * @default a turn of the event loop
   */
  readonly settleWith?: () => Promise<void>;
}

interface Task {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
}

/** Before the first step, so that a time of 0 is not taken for none. */
const START_MS = 1_000;

/**
 * A clock that stands still until a test moves it. Timers run in the order of their due times while
 * `advance` passes them; immediates run between the steps of `advance`, and in `turn`.
 */
export class FakeClock implements Clock {
  #now = START_MS;
  #order = 0;
  readonly #wallAtZero: number;
  readonly #timers = new Set<Task>();
  #immediates: Task[] = [];
  readonly #settle: () => Promise<void>;

  constructor({ startAt, settleWith = turnOfTheLoop }: FakeClockOptions = {}) {
    this.#wallAtZero = (startAt?.getTime() ?? Date.UTC(2024, 0, 1)) - START_MS;
    this.#settle = settleWith;
  }

  /** Timers and immediates that are still to run. */
  get pending(): number {
    return this.#timers.size + this.#immediates.length;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#wallAtZero + this.#now;
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
  block(duration: Duration): void {
    this.#now += millisecondsOf(duration);
  }

  /**
   * Moves time on, running on the way what falls due, and lets promises settle after each step.
   *
   * @throws {InvalidArgumentError} for what is no duration, or has no end
   */
  async advance(duration: Duration): Promise<void> {
    const target = this.#now + millisecondsOf(duration);
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

  #next(target: number): Task | undefined {
    return [...this.#timers]
      .filter(({ dueAt }) => dueAt <= target)
      .toSorted((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];
  }
}

/** The real one, whatever fake timers a test runner puts in its place later. */
const realSetImmediate = setImmediate;

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

/** Kept here since reading a global is slow inside Jest. */
const { isFinite } = Number;

/** Zero is no duration, and legal here; an endless one would run timers that renew themselves for ever. */
function millisecondsOf(duration: Duration): number {
  const milliseconds = typeof duration === 'number' ? duration : parseDuration(duration);
  if (isFinite(milliseconds)) return milliseconds;
  throw new InvalidArgumentError(`A clock can not be moved by ${show(duration)}.`);
}
