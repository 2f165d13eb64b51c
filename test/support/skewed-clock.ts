import type { Clock } from '../../lib/clock.js';

/** Another clock, behind it or before it by the same time for ever: that of another machine. */
export class SkewedClock implements Clock {
  readonly #clock: Clock;
  readonly #byMs: number;

  constructor(clock: Clock, byMs: number) {
    this.#clock = clock;
    this.#byMs = byMs;
  }

  now(): number {
    return this.#clock.now() + this.#byMs;
  }

  wallNow(): number {
    return this.#clock.wallNow() + this.#byMs;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    return this.#clock.setTimer(run, delayMs);
  }

  setImmediate(run: () => void): () => void {
    return this.#clock.setImmediate(run);
  }
}
