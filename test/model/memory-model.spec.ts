import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { CacheOptions } from '../../lib/memory/cache-options.js';
import {
  EnhancedAsyncTTLCache,
  type EntryOptions,
} from '../../lib/memory/enhanced-async-ttl-cache.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';
import { DEFAULT_TTL_MS, programs, type Cache } from './cache-commands.js';
import { NaiveCache } from './naive-cache.js';

type CacheClass = new (options: CacheOptions) => Cache;

interface Shape {
  readonly maxEntries: number;
  readonly numShards: number;
  readonly hash?: () => number;
}

const UNBOUNDED = Infinity;
const COLLIDING = (): number => 7;

function behavesLikeANaiveMap(
  shape: Shape,
  Cache: CacheClass = EnhancedAsyncTTLCache,
): fc.IAsyncProperty<[unknown]> {
  return fc.asyncProperty(programs, async (program) => {
    const clock = new VirtualClock(settleMicrotasks);
    const naive = new NaiveCache(() => clock.now());
    const cache = new Cache({
      ...shape,
      clock,
      ttl: DEFAULT_TTL_MS,
      cleanupInterval: false,
      seed: 1,
      report: () => {},
    });
    await fc.asyncModelRun(
      () => ({ model: { naive, clock, maxEntries: shape.maxEntries }, real: cache }),
      program,
    );
    await cache.stop();
    expect(clock.pending).toBe(0);
  });
}

describe(`${EnhancedAsyncTTLCache.name}: random programs`, () => {
  it.each<[string, Shape]>([
    ['1 shard', { maxEntries: UNBOUNDED, numShards: 1 }],
    ['3 shards', { maxEntries: UNBOUNDED, numShards: 3 }],
    ['8 shards', { maxEntries: UNBOUNDED, numShards: 8 }],
    ['one hash for all', { maxEntries: UNBOUNDED, numShards: 8, hash: COLLIDING }],
  ])('hold and count exactly what a naive map does: %s', async (_, shape) => {
    const compared = fc.assert(behavesLikeANaiveMap(shape), { numRuns: 100 });

    await expect(compared).resolves.toBeUndefined();
  });

  it.each<[string, Shape]>([
    ['1 entry', { maxEntries: 1, numShards: 1 }],
    ['4 entries', { maxEntries: 4, numShards: 1 }],
    ['4 entries in 3 shards', { maxEntries: 4, numShards: 3 }],
    ['7 entries in 8 shards', { maxEntries: 7, numShards: 8 }],
    ['4 entries of one hash', { maxEntries: 4, numShards: 8, hash: COLLIDING }],
  ])('never hold a wrong value nor one too many: %s', async (_, shape) => {
    const compared = fc.assert(behavesLikeANaiveMap(shape), { numRuns: 100 });

    await expect(compared).resolves.toBeUndefined();
  });
});

/** Keeps every entry a millisecond too long. */
class LateCache extends EnhancedAsyncTTLCache<unknown> {
  override set(key: string, value: unknown, options?: EntryOptions): Promise<void> {
    return super.set(key, value, { ttl: Number(options?.ttl ?? DEFAULT_TTL_MS) + 1 });
  }
}

/** Counts and marks what it should only look at. */
class CuriousCache extends EnhancedAsyncTTLCache<unknown> {
  override peek(key: string): unknown {
    return this.getIfPresent(key);
  }
}

/** Says that it deleted and does not. */
class LyingCache extends EnhancedAsyncTTLCache<unknown> {
  override async delete(key: string): Promise<boolean> {
    return this.has(key);
  }
}

/** Holds one entry more than it may. */
class OverfullCache extends EnhancedAsyncTTLCache<unknown> {
  constructor(options: CacheOptions) {
    super({ ...options, maxEntries: options.maxEntries! + 1 });
  }
}

/** Takes one key for another. */
class ConfusedCache extends EnhancedAsyncTTLCache<unknown> {
  override get(key: string): Promise<unknown> {
    return super.get(key === 'k3' ? 'k4' : key);
  }
}

/** Leaves a key in place whose update failed. */
class ForgivingCache extends EnhancedAsyncTTLCache<unknown> {
  override async update(
    key: string,
    change: (current: unknown) => unknown,
    options?: EntryOptions,
  ): Promise<unknown> {
    const before = this.peek(key);
    try {
      return await super.update(key, change, options);
    } catch (error) {
      if (before !== undefined) await this.set(key, before);
      throw error;
    }
  }
}

describe(`${EnhancedAsyncTTLCache.name}: random programs (test of the test)`, () => {
  it.each<[string, CacheClass, number]>([
    ['entries live too long', LateCache, UNBOUNDED],
    ['a peek counts', CuriousCache, UNBOUNDED],
    ['a delete does nothing', LyingCache, UNBOUNDED],
    ['a delete does nothing, in a bounded cache', LyingCache, 4],
    ['there is one entry too many', OverfullCache, 4],
    ['keys are mixed up', ConfusedCache, UNBOUNDED],
    ['keys are mixed up, in a bounded cache', ConfusedCache, 4],
    ['a failed update leaves its key', ForgivingCache, UNBOUNDED],
  ])('find a cache in which %s', async (_, Cache, maxEntries) => {
    const found = await fc.check(behavesLikeANaiveMap({ maxEntries, numShards: 1 }, Cache), {
      numRuns: 200,
      seed: 1,
      endOnFailure: true,
    });

    expect(found.failed).toBe(true);
  });
});
