import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ l1: { ttl: '60s' }, l2: { ttl: '600s' }, clock });
});

afterEach(async () => {
  await cache.close();

  expect(clock.pending).toBe(0);
});

describe(`${CacheHierarchy.name}: levels and lifetimes`, () => {
  it('stores in both levels and answers from L1', async () => {
    await cache.set('key', 'value');

    expect(await cache.get('key')).toBe('value');

    const { levels } = cache.getMetrics();
    expect(levels.L1).toMatchObject({ size: 1, hits: 1 });
    expect(levels.L2).toMatchObject({ size: 1, gets: 0 });
  });

  it('keeps a copy in L1 for the ttl of L1 and fills it again from L2', async () => {
    await cache.set('key', 'value');
    await clock.advance(60_000);
    expect(cache.l1.has('key')).toBe(false);

    expect(cache.getIfPresent('key')).toBe('value');

    expect(cache.l1.has('key')).toBe(true);
    expect(cache.getMetrics().levels.L2).toMatchObject({ hits: 1 });
  });

  it('lets no copy outlive the entry', async () => {
    await cache.set('key', 'value');
    await clock.advance(599_999);
    expect(await cache.get('key')).toBe('value');

    await clock.advance(1);

    expect(await cache.get('key')).toBeUndefined();
    expect(cache.l1.has('key')).toBe(false);
  });

  it('serves nothing in the moment in which it expires, also after the loop was blocked', async () => {
    await cache.set('key', 'value', { ttl: 1_000 });

    clock.block(999);
    expect(cache.peek('key')).toBe('value');
    clock.block(1);

    expect(cache.peek('key')).toBeUndefined();
    expect(cache.getIfPresent('key')).toBeUndefined();
  });

  it('lets the loader decide before the call, and the call before the options', async () => {
    const lifetimeOf = async (key: string): Promise<number> => {
      const before = clock.now();
      while (cache.has(key)) await clock.advance(500);
      return clock.now() - before;
    };
    await cache.getOrSet('loader', ({ ttl }) => (ttl('1s'), 1), { ttl: '2s' });
    expect(await lifetimeOf('loader')).toBe(1_000);
    await cache.getOrSet('call', () => 1, { ttl: '2s' });
    expect(await lifetimeOf('call')).toBe(2_000);
    await cache.getOrSet('options', () => 1);
    expect(await lifetimeOf('options')).toBe(600_000);
  });

  it('takes its own ttl before that of L2, and that of L1 where there is no L2', async () => {
    const own = new CacheHierarchy({ ttl: '5s', clock });
    const single = new CacheHierarchy({ l1: { ttl: '7s' }, l2: false, clock });
    await own.set('key', 1);
    await single.set('key', 1);
    expect(single.l2).toBeNull();
    expect(single.getMetrics().levels.L2).toBeUndefined();

    await clock.advance(4_999);
    expect([own.has('key'), single.has('key')]).toEqual([true, true]);
    await clock.advance(1);
    expect([own.has('key'), single.has('key')]).toEqual([false, true]);
    await clock.advance(1_999);
    expect(single.has('key')).toBe(true);
    await clock.advance(1);
    expect(single.has('key')).toBe(false);

    await own.close();
    await single.close();
  });

  it('keeps what never expires, whatever the time', async () => {
    await cache.set('key', 'value', { ttl: Infinity });

    clock.block(40 * 86_400_000);

    expect(await cache.get('key')).toBe('value');
  });

  it('keeps an entry in L2 that L1 had no room for', async () => {
    const small = new CacheHierarchy({ l1: { maxEntries: 1 }, l2: { maxEntries: 10 }, clock });
    for (const key of ['a', 'b', 'c']) await small.set(key, key);

    expect(small.l1.size).toBe(1);
    expect(await small.getMany(['c', 'missing', 'a', 'b', 'a'])).toEqual(
      new Map([
        ['c', 'c'],
        ['a', 'a'],
        ['b', 'b'],
      ]),
    );
    expect(small.l1.size).toBe(1);
    await small.close();
  });

  it('peeks and has without moving or counting anything', async () => {
    await cache.set('key', 'value');
    await clock.advance(60_000);

    expect(cache.peek('key')).toBe('value');
    expect(cache.has('key')).toBe(true);
    expect(cache.has('absent')).toBe(false);

    expect(cache.l1.has('key')).toBe(false);
    expect(cache.getMetrics()).toMatchObject({ gets: 0, hits: 0, misses: 0 });
  });

  it('counts every read as a hit or a miss', async () => {
    await cache.set('key', null);

    await cache.get('key');
    cache.getIfPresent('absent');
    await cache.getMany(['key', 'absent']);
    await cache.getOrSet('key', () => 1);
    await cache.getOrSet('loaded', () => 1);

    expect(cache.getMetrics()).toMatchObject({ gets: 6, hits: 3, misses: 3, hitRatio: 0.5 });
  });

  it('removes expired entries of both levels when asked, and by itself', async () => {
    await cache.setMany(
      [
        ['a', 1],
        ['b', 2],
      ],
      { ttl: '1s' },
    );
    await clock.advance(1_000);
    const removing = cache.removeExpired();
    await clock.turn();
    expect(await removing).toBe(4);
    expect([cache.l1.size, cache.l2?.size]).toEqual([0, 0]);

    await cache.set('c', 3, { ttl: '1s' });
    await clock.advance(60_000);
    expect([cache.l1.size, cache.l2?.size]).toEqual([0, 0]);
    expect(cache.getMetrics().levels.L1.expired).toBe(3);
  });

  it('sweeps away what was invalidated through a tag or a namespace', async () => {
    const users = cache.namespace('users');
    for (let key = 0; key < 100; key++) {
      await cache.set(`tagged ${key}`, key, { ttl: Infinity, tags: 'tag' });
      await users.set(`user ${key}`, key, { ttl: Infinity });
    }
    await cache.set('plain', 1, { ttl: Infinity });
    await cache.invalidateTags('tag');
    await users.clear();
    expect(cache.l2?.size).toBe(201);

    const removing = cache.removeExpired();
    await clock.turn();

    expect(await removing).toBe(400);
    expect([cache.l1.size, cache.l2?.size]).toEqual([1, 1]);
  });
});

describe(`${CacheHierarchy.name}: bounds on memory`, () => {
  it('serves from L2 what is too heavy for L1', async () => {
    await cache.close();
    const weigh = (value: unknown): number => String(value).length;
    cache = new CacheHierarchy({
      l1: { maxBytes: 10, weigh },
      l2: { maxBytes: 1_000, weigh },
      clock,
    });
    await cache.set('key', 'short');
    await cache.set('key', 'a long value');
    const read = [cache.getIfPresent('key'), await cache.get('key')];

    const { L1, L2 } = cache.getMetrics().levels;
    expect(read).toEqual(['a long value', 'a long value']);
    expect(L1).toMatchObject({ size: 0, bytes: 0, refused: 3 });
    expect(L2).toMatchObject({ size: 1, bytes: 12, refused: 0, hits: 2 });
  });
});
