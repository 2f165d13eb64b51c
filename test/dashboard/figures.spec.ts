import { describe, expect, it } from '@jest/globals';
import { LATENCY_BUCKETS_MS } from 'nestjs-cache-hierarchy';
import { answersOf, flowOf } from '../../lib/dashboard/page/flow.js';
import { barsOf, meanMs, quantile } from '../../lib/dashboard/page/latency.js';
import { heatOf, wordsOf } from '../../lib/dashboard/page/shard-heat.js';
import { cacheDetail, cacheSample, histogram } from './page-data.js';

const LEVELS = ['L1', 'L2', 'remote'];

describe(flowOf.name, () => {
  const { totals } = cacheDetail();

  it('follows the reads from level to level, and gives the loader what is left', () => {
    const { levels, loader } = flowOf(totals, LEVELS, cacheDetail());

    const parts = [...levels, loader].map(({ name, reach, share }) => [name, reach, share]);
    expect(parts).toEqual([
      ['L1', 1, 0.7],
      ['L2', 0.3, 0.15],
      ['remote', 0.15, 0.05],
      ['loader', 0.1, 0.1],
    ]);
    expect(loader.answered).toBe(1_000);
  });

  it('counts what loads would have taken longer than the answers', () => {
    const { levels, savedMs } = flowOf(totals, LEVELS, cacheDetail());

    // A load takes 40 ms, an answer of the remote level 2 ms, one from memory no time.
    expect(levels.map((level) => level.savedMs)).toEqual([7_000 * 40, 1_500 * 40, 500 * 38]);
    expect(savedMs).toBe(359_000);
  });

  it('counts a level that is slower than the loader as a loss', () => {
    const detail = cacheDetail({ loadTimes: histogram({ 1: 100 }, 100) });

    const { levels } = flowOf(totals, LEVELS, detail);

    expect(levels[2]).toMatchObject({ savedMs: -500 });
  });

  it('tells no saving as long as nothing was loaded', () => {
    const detail = cacheDetail({ loadTimes: histogram({}, 0) });

    const { levels, loader, savedMs } = flowOf(totals, LEVELS, detail);

    expect([savedMs, loader.meanMs, levels[0]!.savedMs]).toEqual([undefined, undefined, undefined]);
  });

  it('has no parts where nothing was read', () => {
    const { levels, loader, savedMs } = flowOf({ reads: 0, answered: {} }, LEVELS, cacheDetail());

    expect([...levels, loader].map(({ share }) => share)).toEqual([0, 0, 0, 0]);
    expect(savedMs).toBe(0);
  });
});

describe(answersOf.name, () => {
  it('adds the seconds up', () => {
    const samples = [
      cacheSample({ reads: 10, answered: { L1: 6, L2: 1 } }),
      cacheSample({ reads: 5, answered: { L1: 4 } }),
    ];

    expect(answersOf(samples)).toEqual({ reads: 15, answered: { L1: 10, L2: 1 } });
  });
});

describe(quantile.name, () => {
  it('spreads the times of a bucket evenly over it', () => {
    const times = histogram({ 10: 50, 20: 50 }, 0);

    expect(quantile(times, LATENCY_BUCKETS_MS, 0.5)).toEqual({ ms: 10, isMore: false });
    expect(quantile(times, LATENCY_BUCKETS_MS, 0.75)).toEqual({ ms: 15, isMore: false });
    expect(quantile(times, LATENCY_BUCKETS_MS, 0.25)).toEqual({ ms: 7.5, isMore: false });
  });

  it('starts the first bucket at 0', () => {
    expect(quantile(histogram({ 0.1: 2 }, 0), LATENCY_BUCKETS_MS, 0.5)?.ms).toBeCloseTo(0.05);
  });

  it('knows no more than the last bound of what is above it', () => {
    const times = histogram({ 10: 1, [Infinity]: 9 }, 0);

    expect(quantile(times, LATENCY_BUCKETS_MS, 0.5)).toEqual({ ms: 50_000, isMore: true });
  });

  it('tells nothing of no times', () => {
    expect(quantile(histogram({}, 0), LATENCY_BUCKETS_MS, 0.5)).toBeUndefined();
    expect(meanMs(histogram({}, 0))).toBeUndefined();
  });
});

describe(barsOf.name, () => {
  it('reaches one bucket beyond what is in use on either side', () => {
    const bars = barsOf(histogram({ 5: 3, 20: 1 }, 0), LATENCY_BUCKETS_MS);

    expect(bars.map(({ fromMs, toMs, share }) => [fromMs, toMs, share])).toEqual([
      [1, 2, 0],
      [2, 5, 0.75],
      [5, 10, 0],
      [10, 20, 0.25],
      [20, 50, 0],
    ]);
  });

  it('has a last bar without a bound, and none where nothing was timed', () => {
    const bars = barsOf(histogram({ [Infinity]: 1 }, 0), LATENCY_BUCKETS_MS);

    expect(bars.at(-1)).toEqual({ fromMs: 50_000, toMs: undefined, count: 1, share: 1 });
    expect(barsOf(histogram({}, 0), LATENCY_BUCKETS_MS)).toEqual([]);
  });
});

describe(heatOf.name, () => {
  const shard = { entries: 0, hits: 0, misses: 0, evicted: 0, expired: 0, lockWaits: 0 };

  it('compares each shard with the hottest, and that with the average', () => {
    const shards = [10, 40, 10].map((entries) => Object.assign({}, shard, { entries }));

    const { cells, sum, mean, hottest } = heatOf(shards, 'entries');

    expect(cells.map(({ heat }) => heat)).toEqual([0.25, 1, 0.25]);
    expect([sum, mean]).toEqual([60, 20]);
    expect(hottest).toEqual({ shard: 1, ratio: 2 });
  });

  it('has nothing hot where there is nothing', () => {
    const { cells, hottest } = heatOf([shard, shard], 'lockWaits');

    expect(cells.map(({ heat }) => heat)).toEqual([0, 0]);
    expect(hottest).toBeUndefined();
  });

  it('is told in words that fit one, many and none', () => {
    const words = (...entries: number[]): string => {
      const shards = entries.map((count) => Object.assign({}, shard, { entries: count }));
      return wordsOf(heatOf(shards, 'entries'), 'entries');
    };

    expect(words(0, 1)).toBe(
      '1 entry in 2 shards, 0.5 each on average; most in shard 1, 2 times the average.',
    );
    expect(words(3)).toBe(
      '3 entries in 1 shard, 3 each on average; most in shard 0, 1 times the average.',
    );
    expect(words(0)).toBe('No entries in 1 shard.');
  });
});
