import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: EnhancedAsyncTTLCache<unknown>;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new EnhancedAsyncTTLCache({ clock, seed: 1 });
});

afterEach(async () => {
  await cache.stop();
  expect(clock.pending).toBe(0);
});

describe(`${EnhancedAsyncTTLCache.name}: metrics`, () => {
  it('begin at zero', () => {
    expect(cache.getMetrics()).toMatchObject({
      gets: 0,
      hits: 0,
      misses: 0,
      hitRatio: 0,
      sets: 0,
      deletes: 0,
      expired: 0,
      evicted: 0,
      size: 0,
      joins: 0,
      fenced: 0,
      lockContentions: 0,
      lockWaitMs: 0,
      cleanupDurationMs: 0,
    });
  });

  it('count the reads of get, getIfPresent and getOrSet', async () => {
    await cache.set('key', 1);
    await cache.get('key');
    await cache.get('absent');
    cache.getIfPresent('key');
    cache.getIfPresent('absent');
    await cache.getOrSet('key', () => 2);
    await cache.getOrSet('loaded', () => 2);

    expect(cache.getMetrics()).toMatchObject({
      gets: 6,
      hits: 3,
      misses: 3,
      hitRatio: 0.5,
      sets: 2,
    });
  });

  it('do not count peek, has and entries', async () => {
    await cache.set('key', 1);

    cache.peek('key');
    cache.peek('absent');
    cache.has('key');
    expect([...cache.entries()]).toHaveLength(1);

    expect(cache.getMetrics()).toMatchObject({ gets: 0, hits: 0, misses: 0 });
  });

  it('count deletes of live values only', async () => {
    await cache.set('live', 1);
    await cache.set('dead', 1, { ttl: 10 });
    clock.block(10);

    await cache.delete('live');
    await cache.delete('dead');
    await cache.delete('absent');

    expect(cache.getMetrics()).toMatchObject({ deletes: 1, expired: 1, size: 0 });
  });

  it('count a read of an expired entry as a miss, and the entry once as expired', async () => {
    await cache.set('key', 1, { ttl: 10 });
    clock.block(10);

    await cache.get('key');
    await cache.get('key');

    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 2, expired: 1, size: 0 });
  });

  it('count what was evicted to make room', async () => {
    const small = new EnhancedAsyncTTLCache({ clock, maxEntries: 2 });
    for (const key of ['a', 'b', 'c']) await small.set(key, 1);

    expect(small.getMetrics()).toMatchObject({ sets: 3, evicted: 1, expired: 0, size: 2 });
    await small.stop();
  });

  it('count an expired entry that made room as expired', async () => {
    const small = new EnhancedAsyncTTLCache({ clock, maxEntries: 2 });
    await small.set('a', 1, { ttl: 10 });
    await small.set('b', 1);
    clock.block(10);
    await small.set('c', 1);

    expect(small.getMetrics()).toMatchObject({ evicted: 0, expired: 1, size: 2 });
    expect(small.has('b')).toBe(true);
    await small.stop();
  });

  it('count callers who joined a load, and loads that were not stored', async () => {
    const callers = [1, 2, 3].map(() => cache.getOrSet('key', async () => 'value'));
    await cache.delete('key');
    await Promise.all(callers);

    expect(cache.getMetrics()).toMatchObject({ joins: 2, fenced: 1, sets: 0 });
  });

  it('count who waited for a lock, and how long', async () => {
    const updated = cache.update('key', async () => {
      await clock.advance(25);
      return 1;
    });
    const waiting = cache.set('key', 2);
    await Promise.all([updated, waiting]);

    expect(cache.getMetrics()).toMatchObject({ lockContentions: 1, lockWaitMs: 25 });
  });

  it('have figures for each shard that add up', async () => {
    for (let key = 0; key < 200; key++) await cache.set(`key-${key}`, key);
    for (let key = 100; key < 300; key++) await cache.get(`key-${key}`);
    for (let key = 0; key < 50; key++) await cache.delete(`key-${key}`);

    const { shards, ...totals } = cache.getMetrics();

    expect(shards).toHaveLength(8);
    for (const name of ['size', 'hits', 'misses', 'sets', 'deletes'] as const) {
      expect(shards.reduce((sum, shard) => sum + shard[name], 0)).toBe(totals[name]);
    }
    expect(totals).toMatchObject({ size: 150, hits: 100, misses: 100, sets: 200, deletes: 50 });
    expect(shards.filter(({ size }) => size === 0)).toEqual([]);
  });
});
