import { describe, expect, it } from '@jest/globals';
import { hitRatio, lru, optimalHitRatio } from '../../bench/src/hit-ratio/policies.js';
import { library } from '../../bench/src/hit-ratio/replay.js';
import { generatedTraces, withScans } from '../../bench/src/hit-ratio/traces.js';
import { zipfRequests } from '../../bench/src/workload.js';

const ABCABD = Uint32Array.of(0, 1, 2, 0, 1, 3);

describe('the policies that the library is measured against', () => {
  it('lru evicts what was used least recently', () => {
    expect(hitRatio(ABCABD, lru(2))).toBe(0);
    expect(hitRatio(ABCABD, lru(3))).toBeCloseTo((100 * 2) / 6);
    expect(hitRatio(Uint32Array.of(0, 1, 0, 2, 0), lru(2))).toBe(40);
  });

  it('the optimum knows what is asked for next, and takes nothing in that is not', () => {
    expect(optimalHitRatio(ABCABD, 2)).toBeCloseTo((100 * 2) / 6);
    expect(optimalHitRatio(ABCABD, 1)).toBeCloseTo((100 * 1) / 6);
    expect(optimalHitRatio(Uint32Array.of(0, 1, 2, 3), 2)).toBe(0);
  });

  it('the optimum is never below lru', () => {
    const requests = zipfRequests({ keys: 500, requests: 20_000, seed: 1, exponent: 0.8 });
    const better = [10, 50, 200].map(
      (size) => optimalHitRatio(requests, size) - hitRatio(requests, lru(size)),
    );

    expect(better.filter((points) => points <= 0)).toEqual([]);
  });

  it('can leave requests out of the count', () => {
    expect(hitRatio(Uint32Array.of(0, 9, 0, 9), lru(2), (key) => key === 0)).toBe(50);
  });
});

describe('generated traffic', () => {
  it('is the same every time', () => {
    const [first, second] = [generatedTraces(), generatedTraces()];

    expect(first.map(({ name }) => name)).toEqual([
      'zipf0.7',
      'zipf0.9',
      'zipf1.1',
      'zipf0.9scan',
      'loop6000',
    ]);
    expect(first[1]!.requests).toEqual(second[1]!.requests);
  });

  it('has its scans behind every so many requests, of keys that never come back', () => {
    const scanned = withScans(Uint32Array.of(1, 2, 3, 4, 5), 2, 3);

    expect([...scanned].map((key) => (key < 100_000 ? key : 'cold'))).toEqual([
      1,
      2,
      ...Array(3).fill('cold'),
      3,
      4,
      ...Array(3).fill('cold'),
      5,
    ]);
    expect(new Set(scanned).size).toBe(scanned.length);
  });
});

describe('the hit ratio of the library', () => {
  const requests = zipfRequests({ keys: 20_000, requests: 200_000, seed: 5, exponent: 0.9 });
  const size = 2_000;

  it('is five points above that of lru where few keys are asked for all the time', () => {
    const ours = hitRatio(requests, library({ maxEntries: size }, 1));

    expect(ours - hitRatio(requests, lru(size))).toBeGreaterThan(5);
  });

  it('is eight points above it where scans come between', () => {
    const scanned = withScans(requests, 20_000, 10_000);
    const isNormal = (key: number): boolean => key < 20_000;
    const ours = hitRatio(scanned, library({ maxEntries: size }, 1), isNormal);

    expect(ours - hitRatio(scanned, lru(size), isNormal)).toBeGreaterThan(8);
  });

  it('is that of the best possible in a loop, where lru hits nothing', () => {
    const loop = Uint32Array.from({ length: 60_000 }, (_, request) => request % 3_000);
    const ours = hitRatio(loop, library({ maxEntries: size, numShards: 1 }, 1));

    expect(hitRatio(loop, lru(size))).toBe(0);
    expect(optimalHitRatio(loop, size) - ours).toBeLessThan(10);
  });
});
