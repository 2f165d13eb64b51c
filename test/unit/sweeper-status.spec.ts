import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Sweeper } from '../../lib/memory/sweeper.js';
import type { SteppedClock } from '../support/stepped-clock.js';
import { SweeperBench } from '../support/sweeper-bench.js';

let bench: SweeperBench;
let clock: SteppedClock;
let sweeper: Sweeper;

beforeEach(() => {
  bench = new SweeperBench();
  ({ clock, sweeper } = bench);
});

afterEach(() => bench.stop());

describe(`${Sweeper.name}: status`, () => {
  it('says that nothing has happened and nothing is due before the start', () => {
    bench.add('cache', 100);

    expect(sweeper.status()).toEqual({
      running: false,
      lastRunAt: undefined,
      lastRemoved: 0,
      removed: 0,
      runs: 0,
      longestSliceMs: 0,
      busyMs: 0,
      nextRunAt: undefined,
    });
  });

  it('says what was done and what is next, in wall-clock time', async () => {
    const often = bench.add('often', 100, 2);
    bench.add('seldom', 250);
    often.sliceMs = 3;
    sweeper.start();

    await clock.advance(110);
    const endedAt = clock.wallNow() - 4;

    expect(sweeper.status()).toEqual({
      running: true,
      lastRunAt: endedAt,
      lastRemoved: 2,
      removed: 2,
      runs: 1,
      longestSliceMs: 3,
      busyMs: 6,
      nextRunAt: clock.wallNow() + 90,
    });
  });

  it('adds up over the sweeps', async () => {
    const first = bench.add('first', 100, 2);
    const second = bench.add('second', 100, 3);
    first.sliceMs = 1;
    second.sliceMs = 4;
    sweeper.start();

    await clock.advance(130);

    expect(sweeper.status()).toMatchObject({
      lastRemoved: 3,
      removed: 5,
      runs: 2,
      longestSliceMs: 4,
      busyMs: 14,
    });
  });

  it('says that it does not run while there is nothing to sweep', () => {
    sweeper.start();

    expect(sweeper.status()).toMatchObject({ running: false, nextRunAt: undefined });
    bench.add('cache', 100);
    expect(sweeper.status()).toMatchObject({ running: true, nextRunAt: clock.wallNow() + 100 });
  });

  it('says that nothing is due after a stop, and keeps what was done', async () => {
    bench.add('cache', 100);
    sweeper.start();
    await clock.advance(100);

    sweeper.stop();

    expect(sweeper.status()).toMatchObject({ running: false, runs: 1, nextRunAt: undefined });
  });

  it('never has the next run in the past', () => {
    bench.add('cache', 100);
    sweeper.start();
    clock.block(5_000);

    expect(sweeper.status().nextRunAt).toBe(clock.wallNow());
  });

  it('is told of each sweep that ends', async () => {
    const swept = bench.add('cache', 100, 3);
    swept.sliceMs = 2;
    sweeper.start();

    await clock.advance(150);

    expect(bench.runs).toEqual([{ name: 'cache', removed: 3, durationMs: 6, longestSliceMs: 2 }]);
  });
});
