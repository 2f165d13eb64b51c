import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { defer } from '../support/deferred.js';
import { TickingClock } from '../support/ticking-clock.js';
import { settle } from '../support/virtual-clock.js';

const LOCK_MS = 100;

let clock: TickingClock;
let cache: EnhancedAsyncTTLCache<number>;

function open(options: { numShards: number; maxEntries?: number }): void {
  const fixed = { clock, seed: 1, ttl: Infinity, cleanupInterval: false, lockTimeout: LOCK_MS };
  cache = new EnhancedAsyncTTLCache({
    maxEntries: Infinity,
    ...fixed,
    ...options,
    report() {},
  } as never);
}

beforeEach(() => {
  clock = new TickingClock();
  open({ numShards: 4 });
});

afterEach(async () => {
  await cache.stop();
  expect(clock.pending).toBe(0);
});

function fill(count: number): void {
  for (let key = 0; key < count; key++) void cache.set(`key-${key}`, key);
}

function missing(count: number): number[] {
  return Array.from({ length: count }, (_, key) => key).filter(
    (key) => cache.getIfPresent(`key-${key}`) !== key,
  );
}

function sizes(): number[] {
  return cache.getMetrics().shards.map(({ size }) => size);
}

describe(`${EnhancedAsyncTTLCache.name}: reshard`, () => {
  it.each([1, 2, 5, 16])('from 4 to %p shards keeps every entry, each in its shard', async (to) => {
    fill(20_000);
    await cache.reshard(to);

    expect(cache.size).toBe(20_000);
    expect(sizes()).toHaveLength(to);
    expect(sizes().reduce((sum, size) => sum + size, 0)).toBe(20_000);
    expect(sizes().filter((size) => size < 20_000 / to / 2)).toEqual([]);
    expect(missing(20_000)).toEqual([]);
  });

  it('moves about the share of the keys that the new shards take', async () => {
    open({ numShards: 16 });
    fill(20_000);
    const before = sizes();
    await cache.reshard(20);

    const kept = sizes().slice(0, 16);

    expect(kept.every((size, shard) => size <= before[shard]!)).toBe(true);
    expect(kept.reduce((sum, size) => sum + size, 0) / 20_000).toBeGreaterThan(0.7);
    expect(kept.reduce((sum, size) => sum + size, 0) / 20_000).toBeLessThan(0.9);
  });

  it('keeps small caches whole whose shards share tables', async () => {
    open({ numShards: 2, maxEntries: 300 });
    fill(300);
    await cache.reshard(8);
    await cache.reshard(3);

    expect([cache.size, sizes().length]).toEqual([300, 3]);
    expect(sizes().reduce((sum, size) => sum + size, 0)).toBe(300);
    expect(missing(300)).toEqual([]);
  });

  it('keeps lifetimes, bounds and counts', async () => {
    open({ numShards: 4, maxEntries: 4_000 });
    fill(4_000);
    void cache.set('key-0', 0, { ttl: 50 });
    missing(4_000);
    const { hits, sets } = cache.getMetrics();
    await cache.reshard(2);
    const moved = cache.getMetrics();
    clock.block(50);
    fill(10_000);

    expect([moved.hits, moved.sets]).toEqual([hits, sets]);
    expect(cache.size).toBe(4_000);
  });

  it('answers reads, writes and deletes rightly while entries are on their way', async () => {
    fill(5_000);
    const update = defer<number>();
    const updated = cache.update('key-7', () => update.promise);
    const resharded = cache.reshard(9);
    await settle();

    const read = missing(2_000);
    void cache.set('key-2001', -1);
    const deleted = await cache.delete('key-2002');
    const listed = new Set(Array.from(cache.entries(), ([key]) => key));
    update.resolve(-7);
    await Promise.all([updated, resharded]);

    expect([read, deleted, listed.size]).toEqual([[], true, 4_999]);
    expect(missing(5_000)).toEqual([7, 2_001, 2_002]);
    expect([cache.peek('key-7'), cache.peek('key-2001')]).toEqual([-7, -1]);
  });

  it('waits for an update of the shard that it moves, and fails after lockTimeout', async () => {
    fill(1_000);
    const update = defer<number>();
    const updated = cache.update('key-7', () => update.promise);
    const resharded = expect(cache.reshard(8)).rejects.toThrow('lock of shard');
    await clock.advance(LOCK_MS);
    await resharded;
    const read = missing(1_000);

    update.resolve(7);
    await updated;
    await cache.reshard(8);

    expect([read, missing(1_000), sizes().length]).toEqual([[], [], 8]);
  });

  it('does its work in slices, and lets the event loop go on between them', async () => {
    open({ numShards: 1 });
    fill(40_000);
    const resharded = cache.reshard(2);
    clock.tickMs = 0.3;
    await settle();
    const moved: number[] = [];
    while (clock.pending > 0 && moved.length < 100) {
      moved.push(sizes()[1]!);
      clock.turnOnce();
      await settle();
    }
    clock.tickMs = 0;
    await resharded;

    expect(moved.length).toBeGreaterThan(3);
    expect(moved.toSorted((a, b) => a - b)).toEqual(moved);
    expect(missing(40_000)).toEqual([]);
  });

  it('sweeps entries that are still on their way', async () => {
    open({ numShards: 2, maxEntries: 300 });
    for (let key = 0; key < 300; key++) void cache.set(`key-${key}`, key, { ttl: 10 });
    const update = defer<number>();
    const updated = cache.update('other', () => update.promise);
    const resharded = cache.reshard(6);
    await settle();
    clock.block(10);
    const swept = cache.removeExpired();
    clock.turnOnce();
    const removed = await swept;
    update.resolve(1);
    await Promise.all([updated, resharded]);

    expect([removed, cache.size]).toEqual([300, 1]);
  });

  it('runs one call after the other, and does nothing for the number that there is', async () => {
    fill(2_000);
    await Promise.all([cache.reshard(8), cache.reshard(3), cache.reshard(3)]);

    expect([sizes().length, missing(2_000)]).toEqual([3, []]);
  });

  it('ends when everything is cleared meanwhile', async () => {
    fill(2_000);
    const resharded = cache.reshard(8);
    await cache.clear();
    await resharded;
    fill(10);

    expect([cache.size, missing(10)]).toEqual([10, []]);
  });

  it.each([0, -1, 1.5, 1_025, NaN, '4' as unknown as number])('refuses %p', async (numShards) => {
    await expect(cache.reshard(numShards)).rejects.toThrow(
      'numShards must be a whole number from 1 to 1024, got',
    );
  });
});
