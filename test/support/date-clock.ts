import { jest } from '@jest/globals';
import { systemClock, type Clock } from '../../lib/clock.js';

/** A clock that tells the time of `Date`, and `Date` that only the test moves. */
export class DateClock implements Clock {
  #now = 1_700_000_000_000;

  constructor() {
    jest.spyOn(Date, 'now').mockImplementation(() => this.#now);
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    return systemClock.setTimer(run, delayMs);
  }

  setImmediate(run: () => void): () => void {
    return systemClock.setImmediate(run);
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
