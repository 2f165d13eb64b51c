import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../lib/clock.js';

const DAY_MS = 86_400_000;
/** 24.86 days: a timer of Node's own fires at once beyond it. */
const OVERFLOW_MS = 2 ** 31;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance', 'Date'] });
});

afterEach(() => {
  jest.useRealTimers();
});

function timer(delayMs: number): { fired: number; readonly cancel: () => void } {
  const seen = { fired: 0, cancel: () => {} };
  seen.cancel = systemClock.setTimer(() => {
    seen.fired += 1;
  }, delayMs);
  return seen;
}

describe('systemClock', () => {
  it('runs a timer once, after its delay', () => {
    const seen = timer(250);

    jest.advanceTimersByTime(249);
    const before = seen.fired;
    jest.advanceTimersByTime(10_000);

    expect([before, seen.fired]).toEqual([0, 1]);
  });

  it('does not run a timer that was cancelled', () => {
    const seen = timer(250);

    seen.cancel();
    jest.advanceTimersByTime(1_000);

    expect(seen.fired).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('never runs a timer of an infinite delay, and keeps none for it', () => {
    const seen = timer(Infinity);
    const kept = jest.getTimerCount();

    jest.advanceTimersByTime(1_000 * DAY_MS);

    expect([kept, seen.fired]).toEqual([0, 0]);
    expect(seen.cancel).not.toThrow();
  });

  it.each([OVERFLOW_MS - 1, OVERFLOW_MS, 30 * DAY_MS, 365 * DAY_MS])(
    'keeps a delay of %p ms whole',
    (delayMs) => {
      const seen = timer(delayMs);

      jest.advanceTimersByTime(delayMs - 1);
      const before = seen.fired;
      jest.advanceTimersByTime(1);

      expect([before, seen.fired]).toEqual([0, 1]);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  it('cancels a long timer in any of its parts', () => {
    const seen = timer(80 * DAY_MS);
    jest.advanceTimersByTime(60 * DAY_MS);

    seen.cancel();
    jest.advanceTimersByTime(60 * DAY_MS);

    expect(seen.fired).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('runs an immediate once, unless it was cancelled', () => {
    const ran: string[] = [];
    systemClock.setImmediate(() => ran.push('first'));
    const cancel = systemClock.setImmediate(() => ran.push('second'));

    cancel();
    jest.advanceTimersByTime(1);

    expect(ran).toEqual(['first']);
  });
});

describe('systemClock: in real time', () => {
  beforeEach(() => {
    jest.useRealTimers();
  });

  it('goes on and never back', () => {
    const readings = Array.from({ length: 1_000 }, () => systemClock.now());

    expect(readings).toEqual(readings.toSorted((a, b) => a - b));
    expect(readings.at(-1)).toBeGreaterThan(readings[0]!);
  });

  it('tells the time since 1970 from the wall clock', () => {
    expect(Math.abs(systemClock.wallNow() - Date.now())).toBeLessThan(1_000);
  });

  it('keeps no process alive, not with a long timer either', () => {
    const timeouts: boolean[] = [];
    const spy = jest.spyOn(globalThis, 'setTimeout');

    const cancels = [1_000, 80 * DAY_MS].map((delayMs) => systemClock.setTimer(() => {}, delayMs));
    for (const { value } of spy.mock.results) timeouts.push((value as NodeJS.Timeout).hasRef());
    for (const cancel of cancels) cancel();
    spy.mockRestore();

    expect(timeouts).toEqual([false, false]);
  });
});
