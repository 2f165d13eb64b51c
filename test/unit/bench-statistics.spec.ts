import { describe, expect, it } from '@jest/globals';

import { interquartileRange, median, ratiosByRound } from '../../bench/src/harness/statistics.js';

describe('the benchmark statistics', () => {
  it('take the middle value as the median, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('take the mean of the two middle values of an even count', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('leave the values in their order', () => {
    const values = [3, 1, 2];

    median(values);

    expect(values).toEqual([3, 1, 2]);
  });

  it('interpolate the quartiles between neighbours', () => {
    expect(interquartileRange([1, 2, 3, 4, 5])).toEqual([2, 4]);
    expect(interquartileRange([1, 2, 3, 4])).toEqual([1.75, 3.25]);
  });

  it('give a single round as its own median and quartiles', () => {
    expect(median([7])).toBe(7);
    expect(interquartileRange([7])).toEqual([7, 7]);
  });

  it('divide round by round, so that a slow round weighs on both sides alike', () => {
    const ours = [50, 500, 50];
    const theirs = [100, 1_000, 100];

    expect(ratiosByRound(ours, theirs)).toEqual([0.5, 0.5, 0.5]);
  });

  it('refuse figures with different numbers of rounds', () => {
    expect(() => ratiosByRound([1, 2], [1])).toThrow(
      'Ratios need as many rounds of both, got 2 and 1.',
    );
  });

  it('refuse an empty figure', () => {
    expect(() => median([])).toThrow('A quantile needs at least one value.');
  });
});
