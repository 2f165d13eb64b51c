import { FakeClock } from '../../lib/testing/fake-clock.js';

/** The clock that users test with, with the means to settle what waits that our own tests have. */
export class VirtualClock extends FakeClock {
  #suspendedMs = 0;

  /** @param settleWith lets what waits on settled promises run; a turn of the event loop by default */
  constructor(settleWith = settle) {
    super({ settleWith, startAt: new Date(1_700_000_001_000) });
  }

  /** The machine sleeps for so long: only the wall clock goes on. */
  suspend(ms: number): void {
    this.#suspendedMs += ms;
  }

  override wallNow(): number {
    return super.wallNow() + this.#suspendedMs;
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
