import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '../../lib/clock.js';
import { SystemTurnTime, turnTimeOf } from '../../lib/memory/turn-time.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

/** A clock that counts how often it is asked. */
class CountingClock extends VirtualClock {
  asked = 0;

  override now(): number {
    this.asked += 1;
    return super.now();
  }
}

const LONG_MS = 60_000;

let clock: CountingClock;
let time: SystemTurnTime;

beforeEach(() => {
  clock = new CountingClock();
  time = new SystemTurnTime(clock);
});

/** How often the clock is asked by so many reads, or writes, in a row. */
function asked(calls: number, call: () => number = () => time.now()): number {
  const before = clock.asked;
  for (let count = 0; count < calls; count++) call();
  return clock.asked - before;
}

describe(SystemTurnTime.name, () => {
  it('asks the clock for each of a few reads', () => {
    expect(asked(8)).toBe(8);
  });

  it('asks it for one of 257 reads in a burst', () => {
    asked(9);

    expect(asked(256)).toBe(0);
    expect(asked(257)).toBe(1);
  });

  it('keeps no time while reads are far apart', () => {
    const spaced = asked(100, () => {
      clock.block(0.1);
      return time.now();
    });

    expect(spaced).toBe(100);
  });

  it('forgets the time when the event loop goes on', async () => {
    asked(10);
    clock.block(1_000);
    const stale = time.now();
    await settle();

    expect([stale, time.now()]).toEqual([1_000, 2_000]);
  });

  it('reads it again and again in a chain of promises, which is one turn', async () => {
    asked(10);
    clock.block(1_000);
    const seen: number[] = [];
    for (let link = 0; link < 257; link++) {
      await Promise.resolve();
      seen.push(time.now());
    }

    expect([seen[0], seen.at(-1)]).toEqual([1_000, 2_000]);
  });

  it('gives a value that took long to compute its whole lifetime', () => {
    asked(10);
    clock.block(1_000);

    expect(time.nowForWrite(LONG_MS)).toBe(2_000);
  });

  it('gives a short lifetime its whole length, also between writes', () => {
    asked(20, () => time.nowForWrite(LONG_MS));
    clock.block(150);

    expect(time.nowForWrite(999)).toBe(1_150);
  });

  it('asks the clock for one of nine long-lived writes in a row', () => {
    asked(20, () => time.nowForWrite(LONG_MS));

    expect(asked(90, () => time.nowForWrite(LONG_MS))).toBe(10);
  });

  it('asks it for a write in a later turn, whatever was left before', async () => {
    asked(9, () => time.nowForWrite(LONG_MS));
    await settle();
    asked(8);
    clock.block(500);

    expect(time.nowForWrite(LONG_MS)).toBe(1_500);
  });

  it('says whole milliseconds, rounded down', () => {
    clock.block(0.9);

    expect([time.now(), time.nowForWrite(LONG_MS)]).toEqual([1_000, 1_000]);
  });

  describe('under the fake timers of a test', () => {
    afterEach(() => {
      jest.useRealTimers();
    });

    it('keeps nothing: its tick would come when the test says so', () => {
      jest.useFakeTimers();

      expect(asked(100)).toBe(100);
    });
  });
});

describe(turnTimeOf.name, () => {
  it('asks any other clock every time', () => {
    const other = turnTimeOf(clock);

    expect(asked(100, () => other.now())).toBe(100);
    expect(asked(100, () => other.nowForWrite(LONG_MS))).toBe(100);
  });

  it('is one for all caches on the system clock', () => {
    expect(turnTimeOf(systemClock)).toBe(turnTimeOf(systemClock));
  });
});
