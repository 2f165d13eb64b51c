import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** What the original cache is made with; durations in milliseconds. */
export interface OriginalOptions {
  readonly ttl: number;
  readonly cleanupInterval: number;
  readonly numShards: number;
}

/** The original's counters. */
export interface OriginalMetrics {
  readonly gets: number;
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly deletes: number;
  readonly hitRatio: number;
}

/** The original's surface, as both caches can have it: an adapter levels out where they differ. */
export interface OriginalCache {
  set(key: string, value: unknown, ttlMs?: number): Promise<void>;
  get(key: string): Promise<unknown>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  /** Removes expired entries; returns how many. */
  removeExpired(): Promise<number>;
  stop(): Promise<void>;
  size(): Promise<number>;
  getMetrics(): Promise<OriginalMetrics>;
}

/** A cache under test, with what makes time pass for it. */
export interface OriginalSubject {
  readonly cache: OriginalCache;
  /** Lets time pass, and what falls due on the way run. */
  readonly advance: (ms: number) => Promise<void>;
}

const OPTIONS: OriginalOptions = { ttl: 60_000, cleanupInterval: 30_000, numShards: 16 };
const SHORT_MS = 1_000;

/**
 * Describes what the original cache did and any successor does. It runs on every implementation
 * that an adapter makes an {@link OriginalCache} of.
 */
export function describeOriginalBehaviour(
  name: string,
  createCache: (options: OriginalOptions) => OriginalSubject,
): void {
  let cache: OriginalCache;
  let advance: OriginalSubject['advance'];

  async function fill(count: number, prefix: string, ttlMs?: number): Promise<void> {
    for (let key = 0; key < count; key++) await cache.set(`${prefix}-${key}`, key, ttlMs);
  }

  describe(`${name}: the original's behaviour`, () => {
    beforeEach(() => {
      ({ cache, advance } = createCache(OPTIONS));
    });

    afterEach(async () => {
      await cache.stop();
    });

    it('gets what was set', async () => {
      await cache.set('key', { name: 'Paris' });

      expect(await cache.get('key')).toEqual({ name: 'Paris' });
    });

    it('gets undefined for what was never set', async () => {
      expect(await cache.get('absent')).toBeUndefined();
    });

    it('gets the value that was set last', async () => {
      await cache.set('key', 'first');
      await cache.set('key', 'second');

      expect(await cache.get('key')).toBe('second');
      expect(await cache.size()).toBe(1);
    });

    it('keeps an entry for its own ttl', async () => {
      await cache.set('key', 'value', SHORT_MS);
      await advance(SHORT_MS - 10);
      const before = await cache.get('key');
      await advance(20);

      expect([before, await cache.get('key')]).toEqual(['value', undefined]);
    });

    it('keeps an entry for the cache’s ttl if it has none of its own', async () => {
      await cache.set('key', 'value');
      await advance(OPTIONS.ttl - 10);
      const before = await cache.get('key');
      await advance(20);

      expect([before, await cache.get('key')]).toEqual(['value', undefined]);
    });

    it('counts an entry’s life anew when it is set again', async () => {
      await cache.set('key', 'first', SHORT_MS);
      await advance(SHORT_MS - 10);
      await cache.set('key', 'second', SHORT_MS);
      await advance(SHORT_MS - 10);

      expect(await cache.get('key')).toBe('second');
    });

    it('tells whether a delete removed something', async () => {
      await cache.set('key', 'value');

      const deleted = [await cache.delete('key'), await cache.delete('key')];

      expect(deleted).toEqual([true, false]);
      expect(await cache.get('key')).toBeUndefined();
    });

    it('is empty after it was cleared', async () => {
      await fill(100, 'key');
      const before = await cache.size();

      await cache.clear();

      expect([before, await cache.size()]).toEqual([100, 0]);
      expect(await cache.get('key-7')).toBeUndefined();
    });

    it('counts the entries of all shards', async () => {
      await fill(500, 'key');
      await cache.delete('key-7');

      expect(await cache.size()).toBe(499);
    });

    it('keeps every one of many concurrent sets', async () => {
      const keys = Array.from({ length: 1_000 }, (_, key) => `key-${key}`);
      await Promise.all(keys.map((key) => cache.set(key, key)));

      const values = await Promise.all(keys.map((key) => cache.get(key)));

      expect(values).toEqual(keys);
    });

    it('agrees on one value after concurrent sets and gets of one key', async () => {
      const values = Array.from({ length: 100 }, (_, value) => value);
      const [, seen] = await Promise.all([
        Promise.all(values.map((value) => cache.set('key', value))),
        Promise.all(values.map(() => cache.get('key'))),
      ]);
      const afterwards = await Promise.all(values.map(() => cache.get('key')));

      const known = new Set<unknown>([undefined, ...values]);
      expect(seen.filter((value) => !known.has(value))).toEqual([]);
      expect(new Set(afterwards).size).toBe(1);
      expect(values).toContain(afterwards[0]);
    });

    it('removes the 100 short-lived of 150 entries when asked, and says how many', async () => {
      await fill(100, 'short', SHORT_MS);
      await fill(50, 'long');
      await advance(SHORT_MS + 10);

      const removed = await cache.removeExpired();

      expect([removed, await cache.size()]).toEqual([100, 50]);
      expect(await cache.get('long-49')).toBe(49);
    });

    it('removes the 100 short-lived of 150 entries by itself', async () => {
      await fill(100, 'short', SHORT_MS);
      await fill(50, 'long');

      await advance(OPTIONS.cleanupInterval + 10);

      expect(await cache.size()).toBe(50);
      expect(await cache.removeExpired()).toBe(0);
    });

    it('does not remove anything by itself after it was stopped', async () => {
      await fill(10, 'short', SHORT_MS);
      await cache.stop();

      await advance(2 * OPTIONS.cleanupInterval);

      expect(await cache.size()).toBe(10);
    });

    it('counts gets, hits, misses, sets and deletes', async () => {
      await fill(10, 'key');
      for (let key = 0; key < 30; key++) await cache.get(`key-${key % 20}`);
      for (let key = 0; key < 4; key++) await cache.delete(`key-${key}`);

      expect(await cache.getMetrics()).toMatchObject({
        gets: 30,
        hits: 20,
        misses: 10,
        sets: 10,
        deletes: 4,
      });
    });

    it('has the share of hits among gets, and 0 before the first', async () => {
      const before = await cache.getMetrics();
      await cache.set('key', 1);
      for (const key of ['key', 'key', 'key', 'absent']) await cache.get(key);

      expect([before.hitRatio, (await cache.getMetrics()).hitRatio]).toEqual([0, 0.75]);
    });
  });
}
