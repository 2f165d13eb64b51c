import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BothClocks, bothClocksOf, SuspensionWatch } from '../../lib/both-clocks.js';
import { systemClock } from '../../lib/clock.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

/** A clock that counts how often it is asked. */
class CountingClock extends VirtualClock {
  asked = 0;

  override now(): number {
    this.asked += 1;
    return super.now();
  }

  override wallNow(): number {
    this.asked += 1;
    return super.wallNow();
  }
}

let clock: CountingClock;
let clocks: BothClocks;

beforeEach(() => {
  clock = new CountingClock();
  clocks = new BothClocks(clock, true);
});

/** How often the clock is asked by so many readings in a row. */
function asked(readings: number): number {
  clock.asked = 0;
  for (let count = 0; count < readings; count++) clocks.read();
  return clock.asked;
}

describe(BothClocks.name, () => {
  afterEach(() => void jest.useRealTimers());

  it('says what both clocks say', () => {
    clock.suspend(1_000);

    const { now, wallNow } = clocks.read();
    expect([now, wallNow]).toEqual([clock.now(), clock.wallNow()]);
  });

  it('reads both twice, and keeps the second reading for 16 times', () => {
    expect(asked(2 + 16)).toBe(4);
    expect(asked(1)).toBe(2);
  });

  it('keeps none of readings that are far apart', () => {
    for (let count = 0; count < 100; count++) {
      clock.block(0.1);
      expect(asked(1)).toBe(2);
    }
  });

  it('forgets what it has kept when the event loop goes on, and not before', async () => {
    asked(3);
    clock.block(5_000);
    clock.suspend(60_000);
    await Promise.resolve();
    expect(clocks.read().now).toBe(clock.now() - 5_000);

    await settle();

    expect(clocks.read().now).toBe(clock.now());
    expect(clocks.read().wallNow).toBe(clock.wallNow());
  });

  it('keeps none while a test fakes the timers, whose time may go on at any moment', () => {
    jest.useFakeTimers();

    expect(asked(100)).toBe(200);
  });

  it('keeps none of another clock than that of the system, of which there is one', () => {
    const own = bothClocksOf(clock);
    clock.asked = 0;
    for (let count = 0; count < 100; count++) own.read();

    expect(clock.asked).toBe(200);
    expect(bothClocksOf(systemClock)).toBe(bothClocksOf(systemClock));
    expect(bothClocksOf(clock)).not.toBe(own);
  });
});

describe(SuspensionWatch.name, () => {
  it('tells once that the monotonic clock has stood still', () => {
    const watch = new SuspensionWatch(bothClocksOf(clock));
    clock.block(3_600_000);
    expect(watch.wasSuspended()).toBe(false);

    clock.suspend(100);

    expect([watch.wasSuspended(), watch.wasSuspended()]).toEqual([true, false]);
  });

  it('takes small steps of the wall clock, and those back, for adjustments', () => {
    const watch = new SuspensionWatch(bothClocksOf(clock));
    const seen = [40, -10_000, 40].map((ms) => {
      clock.suspend(ms);
      return watch.wasSuspended();
    });

    expect(seen).toEqual([false, false, false]);
  });

  it('does not take the time for a suspension that a kept reading is old', async () => {
    const watch = new SuspensionWatch(clocks);
    asked(3);
    clock.block(10_000);
    expect(watch.wasSuspended()).toBe(false);
    await settle();

    expect(watch.wasSuspended()).toBe(false);
  });
});
