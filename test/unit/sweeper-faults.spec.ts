import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { Sweeper } from '../../lib/memory/sweeper.js';
import type { CacheReport } from '../../lib/report.js';
import { FakeSweepable } from '../support/fake-sweepable.js';
import { observe } from '../support/observed.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { TickingClock } from '../support/ticking-clock.js';

let clock: SteppedClock;
let sweeper: Sweeper;
let swept: FakeSweepable;

beforeEach(() => {
  clock = new SteppedClock();
  sweeper = new Sweeper({ clock });
  swept = new FakeSweepable('cache', 100, clock);
  swept.slices = 3;
  sweeper.add(swept);
});

afterEach(async () => {
  sweeper.stop();
  await clock.turn();
  expect(clock.pending).toBe(0);
});

describe(`${Sweeper.name}: faults`, () => {
  it('sweeps from the beginning after a sweep that was stopped in its middle', async () => {
    const ticking = new TickingClock();
    const cache = new EnhancedAsyncTTLCache<number>({ clock: ticking, maxEntries: Infinity });
    for (let key = 0; key < 20_000; key++) await cache.set(`early-${key}`, 1, { ttl: 10 });
    await cache.set('late', 1, { ttl: 500 });
    ticking.block(10);
    ticking.tickMs = 1;
    const stopped = cache.removeExpired();
    ticking.turnOnce();
    await cache.stop();
    await stopped;
    ticking.block(1_000);

    const removed = cache.removeExpired();
    await ticking.turn();
    await removed;

    expect(cache.size).toBe(0);
  });

  it('goes on with the other targets when one throws, and reports it', async () => {
    const failure = new Error('of the target');
    const reports: CacheReport[] = [];
    sweeper = new Sweeper({ clock, report: (report) => reports.push(report) });
    const broken = {
      name: 'broken',
      sweepEveryMs: 100,
      sweep: (): never => {
        throw failure;
      },
    };
    const failed = observe(sweeper.sweepNow(broken));
    const removed = observe(sweeper.sweepNow(swept));

    await clock.turn();

    expect([failed.value, removed.value]).toEqual([0, 3]);
    expect(reports).toEqual([
      {
        code: 'CACHE_SWEEP_FAILED',
        message: 'The sweep of broken threw. It is tried again when it is due.',
        cause: failure,
      },
    ]);
  });

  it('goes on when onRun throws, and reports it', async () => {
    const failure = new Error('of onRun');
    const reports: CacheReport[] = [];
    sweeper = new Sweeper({
      clock,
      report: (report) => reports.push(report),
      onRun: () => {
        throw failure;
      },
    });
    const removed = [sweeper.sweepNow(swept), sweeper.sweepNow(swept)];

    await clock.turn();

    expect(await Promise.all(removed)).toEqual([3, 3]);
    expect(reports.map(({ code, cause }) => [code, cause])).toEqual([
      ['CACHE_SWEEP_NOT_LOGGED', failure],
      ['CACHE_SWEEP_NOT_LOGGED', failure],
    ]);
  });

  it('keeps to one slice a turn when onRun asks for a sweep', () => {
    const other = new FakeSweepable('other', Infinity, clock);
    other.slices = 10;
    let asked = false;
    sweeper = new Sweeper({
      clock,
      onRun: ({ name }) => {
        if (name === 'cache' && !asked) void sweeper.sweepNow(swept);
        asked = true;
      },
    });
    swept.slices = 1;
    void sweeper.sweepNow(swept);
    void sweeper.sweepNow(other);
    for (let turn = 0; turn < 3; turn++) clock.turnOnce();

    expect(other.budgets).toHaveLength(3);
  });
});
