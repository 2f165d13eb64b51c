import { EnhancedAsyncTTLCache } from 'nestjs-cache-hierarchy';

import { median } from '../harness/statistics.js';
import { hitRatio, type Cache } from './policies.js';

/** Chance decides which keys share a counter of the sketch, so a figure is the median of five. */
const SEEDS = [1, 7_920, 15_839, 23_758, 31_677];

/** How the library is set up for a replay. */
export interface ReplayOptions {
  readonly maxEntries: number;
  /** The default number of shards if it is left out. */
  readonly numShards?: number;
}

/** The library itself, and no copy of its policy: read, and store what was not there. */
export function library(options: ReplayOptions, seed: number): Cache {
  const cache = new EnhancedAsyncTTLCache<number>({
    ...options,
    ttl: Infinity,
    cleanupInterval: false,
    seed,
    report: () => {},
  });
  return (key) => {
    const name = `k${key}`;
    if (cache.getIfPresent(name) !== undefined) return true;
    void cache.set(name, key);
    return false;
  };
}

/** The hit ratio of the library in percent: the median over five seeds of its hash. */
export function libraryHitRatio(
  requests: Uint32Array,
  options: ReplayOptions,
  counts?: (key: number) => boolean,
): number {
  return median(SEEDS.map((seed) => hitRatio(requests, library(options, seed), counts)));
}
