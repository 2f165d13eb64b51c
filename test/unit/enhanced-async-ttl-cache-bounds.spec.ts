import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheOptions } from '../../lib/memory/cache-options.js';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import type { CacheReport } from '../../lib/report.js';
import { randomFrom } from '../support/random.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let reports: CacheReport[];

beforeEach(() => {
  clock = new VirtualClock();
  reports = [];
});

function open<V>(options: CacheOptions<V>): EnhancedAsyncTTLCache<V> {
  const report = (what: CacheReport): void => void reports.push(what);
  return new EnhancedAsyncTTLCache<V>({
    clock,
    seed: 1,
    cleanupInterval: false,
    report,
    ...options,
  });
}

describe(`${EnhancedAsyncTTLCache.name}: maxEntries`, () => {
  it.each([...Array(40).keys(), 127, 512, 1_025, 5_000].map((size) => size + 1))(
    'of %p is exact: that many different keys are all kept, and not one more',
    (maxEntries) => {
      const cache = open<number>({ maxEntries, ttl: Infinity });
      for (let key = 0; key < maxEntries; key++) void cache.set(`key-${key}`, key);
      const kept = cache.size;
      for (let key = 0; key < 50; key++) void cache.set(`more-${key}`, key);

      expect([kept, cache.size, cache.getMetrics().evicted]).toEqual([maxEntries, maxEntries, 50]);
    },
  );
});

describe(`${EnhancedAsyncTTLCache.name}: maxBytes`, () => {
  it('holds at every moment, whatever the weights, also of values that grow', () => {
    const random = randomFrom(7);
    const cache = open<number>({ maxBytes: 1_000, weigh: (value) => value, numShards: 3 });
    const over: number[] = [];
    let refused = 0;
    for (let step = 0; step < 20_000; step++) {
      const weight = random.pick([0, 1, 10, 100, 900, 1_000, 1_001]);
      if (weight > 1_000) refused += 1;
      void cache.set(`key-${random.below(300)}`, weight);
      const { bytes } = cache.getMetrics();
      if (bytes > 1_000 || bytes < 0) over.push(bytes);
    }
    const weights = Array.from(cache.entries(), ([, weight]) => weight);

    expect(over).toEqual([]);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(cache.getMetrics().bytes);
    expect(cache.getMetrics().refused).toBe(refused);
  });

  it('stores an entry that is as heavy as all may be, alone', () => {
    const cache = open<number>({ maxBytes: 10, weigh: (value) => value });
    for (const key of ['a', 'b', 'c']) void cache.set(key, 3);
    void cache.set('all', 10);

    expect(Array.from(cache.entries(), ([key]) => key)).toEqual(['all']);
  });

  it('does not store an entry that is too heavy, and deletes what it was to replace', async () => {
    const cache = open<number>({ maxBytes: '1kb', maxEntryBytes: 100, weigh: (value) => value });
    await cache.set('key', 100);
    await cache.set('key', 101);
    const loaded = await cache.getOrSet('loaded', () => 500);

    expect([cache.peek('key'), loaded, cache.peek('loaded')]).toEqual([undefined, 500, undefined]);
    expect(cache.getMetrics()).toMatchObject({ size: 0, bytes: 0, refused: 2, deletes: 0 });
  });

  it('rounds weights up, so that fractions can not add up unseen', () => {
    const cache = open<number>({ maxBytes: 10, weigh: () => 0.1 });
    for (let key = 0; key < 20; key++) void cache.set(`key-${key}`, key);

    expect(cache.getMetrics()).toMatchObject({ size: 10, bytes: 10 });
  });

  it.each<[string, () => number, string]>([
    ['throws', () => JSON.parse('{') as number, 'The weigh function of a cache threw.'],
    ['returns NaN', () => NaN, 'must return a number of at least 0, got NaN'],
    ['returns a negative fraction', () => -0.5, 'must return a number of at least 0, got -0.5'],
    ['returns a text', () => '7' as unknown as number, 'at least 0, got "7"'],
    ['returns null', () => null as unknown as number, 'at least 0, got null'],
    ['returns a negative number', () => -1, 'must return a number of at least 0, got -1'],
  ])('stores nothing where weigh %s, and reports that once', async (_, weigh, message) => {
    const cache = open<number>({ maxBytes: 10, weigh });
    await cache.set('a', 1);
    await cache.set('b', 1);

    expect(cache.getMetrics()).toMatchObject({ size: 0, refused: 2 });
    expect(reports.map(({ code }) => code)).toEqual(['CACHE_ENTRY_NOT_WEIGHED']);
    expect(reports[0]!.message).toContain(message);
  });

  it('estimates the memory of an entry by default', () => {
    const cache = open<unknown>({ maxBytes: '64kb', maxEntries: Infinity });
    for (let key = 0; key < 100; key++) void cache.set(`key-${key}`, { text: 'a'.repeat(1_000) });

    expect(cache.size).toBeGreaterThan(20);
    expect(cache.size).toBeLessThan(40);
  });

  it('weighs nothing where no bound asks for it', () => {
    const cache = open<number>({});
    void cache.set('key', 1);

    expect(cache.getMetrics()).toMatchObject({ bytes: 0, refused: 0 });
  });
});

describe(`${EnhancedAsyncTTLCache.name}: onRemove`, () => {
  let told: string[];
  let cache: EnhancedAsyncTTLCache<number>;

  function listen(options: CacheOptions<number> = {}): void {
    told = [];
    const onRemove = (key: string, value: number, reason: string): void => {
      told.push(`${key}=${value} ${reason}`);
    };
    cache = open<number>({ ttl: 100, numShards: 1, onRemove, ...options });
  }

  it('tells of deleted, replaced and cleared entries', async () => {
    listen();
    await cache.set('a', 1);
    await cache.set('a', 2);
    await cache.delete('a');
    await cache.delete('a');
    await cache.set('b', 3);
    await cache.clear();
    await clock.turn();

    expect(told).toEqual(['a=1 replaced', 'a=2 deleted', 'b=3 cleared']);
  });

  it('tells of expired entries once, whoever comes across them', async () => {
    listen();
    for (const key of ['read', 'deleted', 'replaced', 'swept']) await cache.set(key, 1);
    clock.block(100);
    cache.getIfPresent('read');
    await cache.delete('deleted');
    await cache.set('replaced', 2);
    const swept = cache.removeExpired();
    await clock.turn();
    await swept;

    const expired = ['deleted', 'read', 'replaced', 'swept'].map((key) => `${key}=1 expired`);
    expect(told.toSorted()).toEqual(expired);
    expect(cache.getMetrics().expired).toBe(4);
  });

  it('tells of evicted entries', async () => {
    listen({ maxEntries: 3 });
    for (let key = 0; key < 5; key++) await cache.set(`key-${key}`, key);
    await settleMicrotasks();

    expect(told.filter((text) => text.endsWith('evicted'))).toHaveLength(2);
    expect(told).toHaveLength(2);
  });

  it('tells of every entry that ever was there, exactly once', async () => {
    listen({ maxEntries: 50, numShards: 4 });
    const random = randomFrom(3);
    let sets = 0;
    for (let step = 0; step < 3_000; step++) {
      const key = `key-${random.below(120)}`;
      const act = random.below(10);
      if (act < 6) await cache.set(key, ++sets);
      else if (act < 8) cache.getIfPresent(key);
      else if (act < 9) await cache.delete(key);
      else clock.block(3);
    }
    await cache.clear();
    await clock.turn();

    expect(told).toHaveLength(sets);
    expect(new Set(told.map((text) => text.split(/[= ]/)[1])).size).toBe(sets);
  });

  it('may use the cache', async () => {
    cache = open<number>({
      onRemove: (key, value, reason) => {
        if (reason === 'deleted') void cache.set(`${key}-again`, value);
      },
    });
    await cache.set('a', 1);
    await cache.delete('a');
    await settleMicrotasks();

    expect(cache.peek('a-again')).toBe(1);
  });
});
