import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createCache, type Cache } from 'cache-manager';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';
import { HierarchyCacheManager } from 'nestjs-cache-hierarchy/cache-manager';
import { DateClock } from '../support/date-clock.js';
import { defer } from '../support/deferred.js';
import { settle } from '../support/virtual-clock.js';

/** What both have; the stores of ours have the methods of Keyv's, and are not of its class. */
type CacheManager = Omit<Cache, 'stores' | 'on' | 'off'>;
type Options = { ttl?: number; refreshThreshold?: number; cacheId?: string };
type Subject = [name: string, create: (options?: Options) => CacheManager];

const EVENTS = ['get', 'mget', 'ttl', 'set', 'mset', 'del', 'mdel', 'clear', 'refresh'];

let clock: DateClock;

const subjects: Subject[] = [
  ['createCache of cache-manager', (options) => createCache(options)],
  [
    HierarchyCacheManager.name,
    (options) => new HierarchyCacheManager(new CacheHierarchy({ clock }), options),
  ],
];

/** Writes down what a cache tells its listeners. */
function listen(cache: CacheManager): unknown[][] {
  const heard: unknown[][] = [];
  const { on } = cache as unknown as { on: (event: string, hear: (data: unknown) => void) => void };
  for (const event of EVENTS)
    on.call(cache, event, (...data: unknown[]) => heard.push([event, ...data]));
  return heard;
}

function storeOf(cache: CacheManager): Pick<Cache['stores'][0], keyof Cache['stores'][0]> {
  return (cache as Cache).stores[0]!;
}

describe.each(subjects)('%s', (_, create) => {
  beforeEach(() => {
    clock = new DateClock();
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  describe('get, set and del', () => {
    it('return the value that was set, by reference', async () => {
      const cache = create();
      const place = { name: 'Paris' };

      expect(await cache.set('place', place, 1_000)).toBe(place);
      expect(await cache.get('place')).toBe(place);
      expect(await cache.get('other')).toBeUndefined();
    });

    it.each([null, 0, '', false])('keep %p, which is a value', async (value) => {
      const cache = create();

      await cache.set('key', value, 1_000);

      expect(await cache.get('key')).toBe(value);
    });

    it('take undefined as absent, also in place of a value', async () => {
      const cache = create();

      await cache.set('key', 1, 1_000);

      expect(await cache.set('key', undefined)).toBeUndefined();
      expect(await cache.get('key')).toBeUndefined();
    });

    it('say true of a delete, whether there was something or not', async () => {
      const cache = create();
      await cache.set('key', 1);

      expect(await cache.del('key')).toBe(true);
      expect(await cache.get('key')).toBeUndefined();
      expect(await cache.del('key')).toBe(true);
    });

    it.each([
      ['empty', ''],
      ['long', 'k'.repeat(5_000)],
      ['with control characters', 'a\u0000b\u001fc\n'],
      ['ill-formed', 'a\ud800'],
      ['that looks like a hash', `sha256:${'0'.repeat(64)}`],
      ['of the object prototype', '__proto__'],
    ])('take a key %s', async (_name, key) => {
      const cache = create();

      await cache.set(key, 'value');
      await cache.mset([{ key: `${key}2`, value: 2 }]);

      expect(await cache.get(key)).toBe('value');
      expect(await cache.mget([key, `${key}2`])).toEqual(['value', 2]);
      expect(await cache.wrap(key, () => 'other')).toBe('value');
      expect(await cache.del(key)).toBe(true);
      expect(await cache.get(key)).toBeUndefined();
    });

    it('tell illegal keys apart', async () => {
      const cache = create();

      await cache.set('a\ud800', 1);
      await cache.set('a\ud801', 2);

      expect(await cache.mget(['a\ud800', 'a\ud801', 'a\ufffd'])).toEqual([1, 2, undefined]);
    });

    it('refuse what is no string, but for a get, which finds nothing', async () => {
      const cache = create();
      const key = 1 as unknown as string;

      await expect(cache.get(key)).resolves.toBeUndefined();
      await expect(cache.set(key, 1)).rejects.toThrow(Error);
      await expect(cache.del(key)).rejects.toThrow(Error);
      await expect(cache.mdel([key])).rejects.toThrow(Error);
      await expect(cache.mset([{ key, value: 1 }])).resolves.toHaveLength(1);
      await expect(cache.wrap(key, () => 1)).rejects.toThrow(Error);
    });
  });

  describe('lifetimes', () => {
    it('are milliseconds', async () => {
      const cache = create();
      await cache.set('key', 1, 1_000);

      clock.advance(999);
      expect(await cache.get('key')).toBe(1);
      clock.advance(2);
      expect(await cache.get('key')).toBeUndefined();
    });

    it.each([0, Infinity, NaN, '1000' as unknown as number])(
      'of %p are for ever',
      async (ttl: number) => {
        const cache = create({ ttl: 1_000 });
        await cache.set('key', 1, ttl);

        clock.advance(10 ** 12);

        expect(await cache.get('key')).toBe(1);
      },
    );

    it('below 0 are over at once, and what was there is gone', async () => {
      const cache = create();
      await cache.set('key', 1);

      expect(await cache.set('key', 2, -1)).toBe(2);

      expect(await cache.get('key')).toBeUndefined();
    });

    it('are the default ttl where a call says nothing, or null', async () => {
      const cache = create({ ttl: 1_000 });
      await cache.set('key', 1);
      await cache.set('null', 1, null as unknown as number);
      await cache.wrap('wrapped', () => 1);

      clock.advance(1_001);

      expect(await cache.mget(['key', 'null', 'wrapped'])).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('are for ever by a default ttl of 0', async () => {
      const cache = create({ ttl: 0 });
      await cache.set('key', 1);
      await cache.wrap('wrapped', () => 2);

      clock.advance(10 ** 12);

      expect(await cache.mget(['key', 'wrapped'])).toEqual([1, 2]);
      expect(await cache.ttl('key')).toBeUndefined();
    });

    it('are told by ttl as the time of their end', async () => {
      const cache = create();
      await cache.set('key', 1, 90_000);
      await cache.set('forever', 1, 0);

      expect(await cache.ttl('key')).toBe(Date.now() + 90_000);
      expect(await cache.ttl('forever')).toBeUndefined();
      expect(await cache.ttl('absent')).toBeUndefined();
      clock.advance(30_000);
      expect(await cache.ttl('key')).toBe(Date.now() + 60_000);
      clock.advance(60_001);
      expect(await cache.ttl('key')).toBeUndefined();
    });
  });

  describe('mget, mset and mdel', () => {
    it('treat several keys, each with its lifetime, in their order', async () => {
      const cache = create({ ttl: 5_000 });
      const list = [
        { key: 'a', value: 1, ttl: 1_000 },
        { key: 'b', value: null },
        { key: 'c', value: 3, ttl: 0 },
      ];

      expect(await cache.mset<unknown>(list)).toEqual([
        list[0],
        { ...list[1], ttl: 5_000 },
        list[2],
      ]);
      expect(await cache.mget(['c', 'absent', 'a', 'b', 'a'])).toEqual([3, undefined, 1, null, 1]);
      clock.advance(1_001);
      expect(await cache.mget(['a', 'b', 'c'])).toEqual([undefined, null, 3]);
      clock.advance(10_000);
      expect(await cache.mget(['a', 'b', 'c'])).toEqual([undefined, undefined, 3]);
      expect(await cache.mdel(['b', 'c', 'absent'])).toBe(true);
      expect(await cache.mget(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined]);
    });

    it('do nothing with no keys', async () => {
      const cache = create();

      expect(await cache.mget([])).toEqual([]);
      expect(await cache.mset([])).toEqual([]);
      expect(await cache.mdel([])).toBe(true);
    });
  });

  describe('clear', () => {
    it('removes everything', async () => {
      const cache = create();
      await cache.mset([
        { key: 'a', value: 1 },
        { key: '', value: 2 },
      ]);

      expect(await cache.clear()).toBe(true);

      expect(await cache.mget(['a', ''])).toEqual([undefined, undefined]);
      await cache.set('a', 3);
      expect(await cache.get('a')).toBe(3);
    });
  });

  describe('wrap', () => {
    it('loads once, and then returns what it has', async () => {
      const cache = create();
      const load = jest.fn(() => ({ name: 'Paris' }));

      const first = await cache.wrap('place', load, 1_000);

      expect(await cache.wrap('place', load, 1_000)).toBe(first);
      expect(await cache.get('place')).toBe(first);
      expect(load.mock.calls).toEqual([[]]);
      clock.advance(1_001);
      expect(await cache.wrap('place', load, 1_000)).not.toBe(first);
    });

    it('loads once for all who ask meanwhile', async () => {
      const cache = create();
      const answer = defer<number>();
      const load = jest.fn(() => answer.promise);

      const waiting = Promise.all(Array.from({ length: 100 }, () => cache.wrap('key', load)));
      await settle();
      answer.resolve(7);

      expect(new Set(await waiting)).toEqual(new Set([7]));
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('gives an error of the loader to all, and keeps nothing', async () => {
      const cache = create();
      const error = new Error('down');
      const load = jest.fn(async () => {
        await settle();
        throw error;
      });

      const waiting = await Promise.allSettled([cache.wrap('key', load), cache.wrap('key', load)]);

      expect(waiting.map((one) => one.status === 'rejected' && one.reason)).toEqual([error, error]);
      expect(load).toHaveBeenCalledTimes(1);
      expect(await cache.wrap('key', () => 5)).toBe(5);
    });

    it('keeps null and not undefined', async () => {
      const cache = create();
      const nothing = jest.fn(() => undefined);
      const none = jest.fn(() => null);

      expect(await cache.wrap('undefined', nothing)).toBeUndefined();
      expect(await cache.wrap('undefined', nothing)).toBeUndefined();
      expect(await cache.wrap('null', none)).toBeNull();
      expect(await cache.wrap('null', none)).toBeNull();

      expect(nothing).toHaveBeenCalledTimes(2);
      expect(none).toHaveBeenCalledTimes(1);
    });

    it.each<[string, unknown]>([
      ['a function', (value: number) => value * 1_000],
      ['an option', { ttl: 5_000 }],
      ['a function as an option', { ttl: (value: number) => value * 1_000 }],
    ])('takes its lifetime from %s', async (_name, given) => {
      const cache = create();

      await cache.wrap('key', () => 5, given as number);

      expect(await cache.ttl('key')).toBe(Date.now() + 5_000);
    });

    it.each([0, Infinity, (): number => 0])('has %p be for ever', async (ttl) => {
      const cache = create({ ttl: 1_000 });

      await cache.wrap('key', () => 5, ttl);

      clock.advance(10 ** 12);
      expect(await cache.get('key')).toBe(5);
    });

    it('keeps nothing with a lifetime below 0', async () => {
      const cache = create();

      expect(await cache.wrap('key', () => 5, -1)).toBe(5);

      clock.advance(1);
      expect(await cache.get('key')).toBeUndefined();
    });

    it('returns with raw when the value expires', async () => {
      const cache = create();
      const expected = { value: 5, expires: Date.now() + 5_000 };

      expect(await cache.wrap('key', () => 5, { ttl: 5_000, raw: true })).toEqual(expected);
      clock.advance(1_000);
      expect(await cache.wrap('key', () => 6, { ttl: 5_000, raw: true })).toEqual(expected);
      await cache.set('forever', 5, 0);
      expect(await cache.wrap('forever', () => 6, { raw: true })).toEqual({
        value: 5,
        expires: undefined,
      });
    });
  });

  describe('refreshThreshold', () => {
    it.each<[string, Options, unknown[]]>([
      ['an argument', {}, [10_000, 3_000]],
      ['a function', {}, [10_000, (value: number) => value * 3_000]],
      ['an option', {}, [{ ttl: 10_000, refreshThreshold: 3_000 }]],
      ['the default', { refreshThreshold: 3_000 }, [10_000]],
    ])('as %s has a value loaded anew behind its caller', async (_name, options, rest) => {
      const cache = create(options);
      let loads = 0;
      const wrap = (): Promise<number> => cache.wrap('key', () => ++loads, ...(rest as [number]));

      await wrap();
      clock.advance(6_999);
      expect(await wrap()).toBe(1);
      await settle();
      expect(loads).toBe(1);
      clock.advance(2);
      expect(await wrap()).toBe(1);
      await settle();

      expect(await cache.get('key')).toBe(2);
      expect(await cache.ttl('key')).toBe(Date.now() + 10_000);
    });

    it('leaves alone what lives for ever', async () => {
      const cache = create();
      await cache.set('key', 1, 0);

      expect(await cache.wrap('key', () => 2, 0, 10 ** 12)).toBe(1);

      await settle();
      expect(await cache.get('key')).toBe(1);
    });

    it('keeps what is there where the load fails', async () => {
      const cache = create();
      const heard = listen(cache);
      const error = new Error('down');
      await cache.set('key', 1, 1_000);
      heard.length = 0;

      const value = await cache.wrap('key', () => Promise.reject<number>(error), 1_000, 2_000);
      await settle();

      expect(value).toBe(1);
      expect(await cache.get('key')).toBe(1);
      expect(heard[0]).toEqual(['refresh', { key: 'key', value: 1, error }]);
    });
  });

  describe('events', () => {
    it('tell of what was done', async () => {
      const cache = create();
      const heard = listen(cache);
      const entry = { key: 'a', value: 1, ttl: 1_000 };
      const stored = { key: 'a', value: 1 };

      await cache.set('a', 1, 1_000);
      await cache.get('a');
      await cache.get('absent');
      await cache.ttl('a');
      await cache.ttl('absent');
      await cache.mget(['a', 'absent']);
      await cache.mset([entry]);
      await cache.del('a');
      await cache.mdel(['a', 'b']);
      await cache.wrap('a', () => 1, 1_000);
      await cache.wrap('a', () => 2, 1_000);
      await cache.wrap('a', () => 1, 1_000, 2_000);
      await settle();
      await cache.clear();

      expect(heard).toEqual([
        ['set', { ...stored, store: 'primary' }],
        ['set', stored],
        ['get', { ...stored, store: 'primary' }],
        ['ttl', { key: 'a', value: { value: 1, expires: Date.now() + 1_000 } }],
        ['mget', { keys: ['a', 'absent'], values: [1, undefined] }],
        ['mset', { list: [entry] }],
        ['del', { key: 'a' }],
        ['mdel', { keys: ['a', 'b'] }],
        ['set', { ...stored, store: 'primary' }],
        ['set', stored],
        ['set', { ...stored, store: 'primary' }],
        ['set', stored],
        ['refresh', stored],
        ['clear'],
      ]);
    });

    it('tell of what failed', async () => {
      const cache = create();
      const heard = listen(cache);
      const key = 1 as unknown as string;
      const error = expect.any(Error);

      await cache.get(key);
      await cache.ttl(key);
      await Promise.allSettled([cache.set(key, 1), cache.del(key), cache.mdel([key])]);

      expect(heard).toEqual(
        expect.arrayContaining([
          ['get', { key, error, store: 'primary' }],
          ['ttl', { key, error }],
          ['set', { key, value: 1, error }],
          ['del', { key, error }],
          ['mdel', { keys: [key], error }],
        ]),
      );
    });

    it('are heard until off', async () => {
      const { on, off, ...cache } = create() as Cache;
      const hear = jest.fn();

      on('del', hear);
      await cache.del('a');
      off('del', hear);
      await cache.del('b');

      expect(hear.mock.calls).toEqual([[{ key: 'a' }]]);
    });
  });

  describe('the rest of the surface', () => {
    it('has an id, its own or the one that was given', () => {
      expect(create({ cacheId: 'mine' }).cacheId()).toBe('mine');
      expect(create().cacheId()).not.toBe(create().cacheId());
    });

    it('can be disconnected, and goes on', async () => {
      const cache = create();

      await expect(cache.disconnect()).resolves.toBeUndefined();

      await cache.set('key', 1);
      expect(await cache.get('key')).toBe(1);
    });

    it('has a store with the methods of Keyv, over the same entries', async () => {
      const cache = create();
      const store = storeOf(cache);
      await cache.set('a', 1, 1_000);

      expect(await store.get('a')).toBe(1);
      expect(await store.get('a', { raw: true })).toEqual({
        value: 1,
        expires: Date.now() + 1_000,
      });
      expect(await store.get('absent', { raw: true })).toBeUndefined();
      expect(await store.set('b', 2, 1_000)).toBe(true);
      expect(await store.setMany([{ key: 'c', value: 3 }])).toEqual([true]);
      expect(await cache.mget(['b', 'c'])).toEqual([2, 3]);
      expect(await store.getMany(['a', 'absent'])).toEqual([1, undefined]);
      expect(await store.has('a')).toBe(true);
      expect(await store.hasMany(['a', 'absent'])).toEqual([true, false]);
      expect(await store.delete('a')).toBe(true);
      expect(await store.delete('a')).toBe(false);
      expect(await store.deleteMany(['b', 'absent'])).toBe(false);
      expect(await store.deleteMany(['c'])).toBe(true);
      await cache.set('d', 4);
      expect(await store.clear()).toBeUndefined();
      expect(await cache.get('d')).toBeUndefined();
    });

    it('has a store that tells when it is cleared and disconnected', async () => {
      const cache = create();
      const heard: string[] = [];
      for (const event of ['clear', 'disconnect'])
        storeOf(cache).on(event, () => heard.push(event));

      await cache.clear();
      await cache.disconnect();

      expect(heard).toEqual(['clear', 'disconnect']);
    });
  });
});
