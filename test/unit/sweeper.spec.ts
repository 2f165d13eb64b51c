import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Sweeper, type SweeperOptions } from '../../lib/memory/sweeper.js';
import type { SteppedClock } from '../support/stepped-clock.js';
import { SweeperBench } from '../support/sweeper-bench.js';

let bench: SweeperBench;
let clock: SteppedClock;
let sweeper: Sweeper;

function open(options?: SweeperOptions): void {
  bench = new SweeperBench(options);
  ({ clock, sweeper } = bench);
}

beforeEach(() => open());

afterEach(() => bench.stop());

describe(`${Sweeper.name}: due times`, () => {
  it('sweeps each target once in each of its own intervals', async () => {
    const begun = clock.now();
    const often = bench.add('often', 100);
    const seldom = bench.add('seldom', 250);
    sweeper.start();

    await clock.advance(520);

    expect(often.startedAt.map((at) => at - begun)).toEqual([100, 200, 300, 400, 500]);
    expect(seldom.startedAt.map((at) => at - begun)).toEqual([250, 500]);
  });

  it('does not sweep before it is started', async () => {
    const swept = bench.add('cache', 100);

    await clock.advance(1_000);

    expect(swept.startedAt).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('counts the first interval from its start', async () => {
    const swept = bench.add('cache', 100);
    await clock.advance(70);
    const begun = clock.now();
    sweeper.start();

    await clock.advance(100);

    expect(swept.startedAt).toEqual([begun + 100]);
  });

  it('sweeps a target that was added while it runs', async () => {
    sweeper.start();
    await clock.advance(70);
    const swept = bench.add('cache', 100);
    const begun = clock.now();

    await clock.advance(100);

    expect(swept.startedAt).toEqual([begun + 100]);
  });

  it('never sweeps a target with an infinite interval by itself, and has no timer for it', async () => {
    const swept = bench.add('cache', Infinity);
    sweeper.start();
    const armed = clock.pending;

    await clock.advance(1_000_000_000);

    expect([armed, swept.startedAt.length]).toEqual([0, 0]);
  });

  it('sweeps once after the event loop was blocked for many intervals', async () => {
    const swept = bench.add('cache', 100);
    sweeper.start();
    clock.block(5_000);

    await clock.advance(0);
    const afterBlock = swept.startedAt.length;
    await clock.advance(100);

    expect([afterBlock, swept.startedAt.length]).toEqual([1, 2]);
  });

  it('does not queue a target that is due again while its sweep is under way', async () => {
    const swept = bench.add('cache', 100, 10);
    sweeper.start();
    await clock.advanceWithoutTurns(100);
    clock.turnOnce();
    await clock.advanceWithoutTurns(100);

    await clock.turn();

    expect(swept.startedAt).toHaveLength(1);
    expect(swept.budgets).toHaveLength(10);
  });

  it('starts once, however often it is told to', async () => {
    const swept = bench.add('cache', 100);
    sweeper.start();
    await clock.advance(70);
    sweeper.start();

    await clock.advance(30);

    expect(swept.startedAt).toHaveLength(1);
    expect(clock.pending).toBe(1);
  });

  it('starts again after it was stopped', async () => {
    const swept = bench.add('cache', 100);
    sweeper.start();
    sweeper.stop();
    await clock.advance(1_000);
    const whileStopped = swept.startedAt.length;
    sweeper.start();

    await clock.advance(100);

    expect([whileStopped, swept.startedAt.length]).toEqual([0, 1]);
  });
});

describe(`${Sweeper.name}: slices`, () => {
  it('are one to a turn of the event loop', async () => {
    const swept = bench.add('cache', Infinity, 3);
    const swept3 = sweeper.sweepNow(swept);

    const slices = [0, 1, 2, 3].map(() => {
      const before = swept.budgets.length;
      clock.turnOnce();
      return before;
    });

    expect(slices).toEqual([0, 1, 2, 3]);
    expect(await swept3).toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('share the budget of a turn', () => {
    const first = bench.add('first', Infinity, 3);
    const second = bench.add('second', Infinity, 1);
    void sweeper.sweepNow(first);
    void sweeper.sweepNow(second);

    clock.turnOnce();
    clock.turnOnce();

    expect(second.budgets).toEqual([0.5]);
    expect(first.budgets).toEqual([0.5, 1]);
  });

  it('are given to maxWorkers targets at most; the next begins when one is done', () => {
    open({ maxWorkers: 2 });
    const targets = [3, 1, 1, 1].map((slices, index) =>
      bench.add(`cache ${index}`, Infinity, slices),
    );
    for (const target of targets) void sweeper.sweepNow(target);

    const perTurn = [1, 2, 3].map(() => {
      clock.turnOnce();
      return targets.map(({ budgets }) => budgets.length);
    });

    expect(perTurn).toEqual([
      [1, 1, 0, 0],
      [2, 1, 1, 0],
      [3, 1, 1, 1],
    ]);
  });

  it('of all due targets begin in the same turn', async () => {
    const targets = ['a', 'b', 'c'].map((name) => bench.add(name, 100, 2));
    sweeper.start();
    await clock.advanceWithoutTurns(100);

    clock.turnOnce();

    expect(targets.map(({ budgets }) => budgets.length)).toEqual([1, 1, 1]);
  });
});
