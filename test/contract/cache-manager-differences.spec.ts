import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createCache, type Cache } from 'cache-manager';
import { CacheHierarchy, InvalidOptionsError } from 'nestjs-cache-hierarchy';
import {
  HierarchyCacheManager,
  type CacheManagerOptions,
} from 'nestjs-cache-hierarchy/cache-manager';
import { DateClock } from '../support/date-clock.js';
import { defer } from '../support/deferred.js';
import { settle } from '../support/virtual-clock.js';

/** The rows of the table "What is different" of docs/migration.md: theirs beside ours. */
describe('what is different from cache-manager', () => {
  let clock: DateClock;
  let hierarchy: CacheHierarchy;

  beforeEach(() => {
    clock = new DateClock();
    hierarchy = new CacheHierarchy({ clock, l1: { ttl: '10s' }, l2: { ttl: '1m' } });
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  function create(options?: CacheManagerOptions): HierarchyCacheManager {
    return new HierarchyCacheManager(hierarchy, options);
  }

  it('an entry whose call and options say nothing lives as long as the hierarchy has it', async () => {
    const [theirs, ours] = [createCache(), create()];
    for (const cache of [theirs, ours]) await cache.set('key', 1);

    expect(await theirs.ttl('key')).toBeUndefined();
    expect(await ours.ttl('key')).toBe(Date.now() + 60_000);
    clock.advance(60_001);
    expect(await theirs.get('key')).toBe(1);
    expect(await ours.get('key')).toBeUndefined();
  });

  it('a get that a lower level answers fills those above', async () => {
    const [upper, lower] = [createCache().stores[0]!, createCache().stores[0]!];
    const [theirs, ours] = [createCache({ stores: [upper, lower] }), create()];
    for (const cache of [theirs, ours]) await cache.set('key', 1);
    await upper.clear();
    await hierarchy.l1.clear();

    expect([await theirs.get('key'), await ours.get('key')]).toEqual([1, 1]);

    expect(await upper.get('key')).toBeUndefined();
    expect(hierarchy.l1.size).toBe(1);
    await theirs.wrap('key', () => 2);
    expect(await upper.get('key')).toBe(1);
  });

  it('a value that is loaded while its key is deleted or everything is cleared is not stored', async () => {
    for (const [cache, stored] of [
      [createCache(), 'old'],
      [create(), undefined],
    ] as const) {
      for (const invalidate of [() => cache.del('key'), () => cache.clear()]) {
        const answer = defer<string>();
        const waiting = cache.wrap('key', () => answer.promise);
        await settle();

        await invalidate();
        answer.resolve('old');

        expect(await waiting).toBe('old');
        expect(await cache.get('key')).toBe(stored);
        await cache.del('key');
      }
    }
  });

  it('a refresh under way is not told of once more by each hit meanwhile', async () => {
    for (const [cache, count] of [
      [createCache(), 3],
      [create(), 1],
    ] as const) {
      const heard = jest.fn();
      (cache as Cache).on('refresh', heard);
      await cache.set('key', 1, 1_000);
      const answer = defer<number>();

      for (let hit = 0; hit < 3; hit++) await cache.wrap('key', () => answer.promise, 1_000, 2_000);
      await settle();
      answer.resolve(2);
      await settle();

      expect(heard).toHaveBeenCalledTimes(count);
    }
  });

  it('what loads itself ends with an error, and not never', async () => {
    const ours = create();

    await expect(ours.wrap('key', () => ours.wrap('key', () => 1))).rejects.toThrow(
      /this same key/,
    );
  });

  it('a listener that throws is logged and fails no call', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const error = new Error('listener');
    const [theirs, ours] = [createCache(), create()];
    for (const cache of [theirs, ours]) {
      (cache as Cache).on('set', () => {
        throw error;
      });
    }

    await expect(theirs.set('key', 1)).rejects.toBe(error);
    await expect(ours.set('key', 1)).resolves.toBe(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/'set'/), error);
  });

  it('a symbol is a value', async () => {
    const symbol = Symbol('value');

    await expect(createCache().set('key', symbol)).rejects.toThrow(/cannot be serialized/);
    await expect(create().set('key', symbol)).resolves.toBe(symbol);
  });

  it('an entry for ever has no end, also one of Infinity or without a ttl in raw', async () => {
    const [theirs, ours] = [createCache(), create({ ttl: 0 })];
    for (const cache of [theirs, ours]) await cache.set('key', 1, Infinity);

    expect(await theirs.ttl('key')).toBe(Infinity);
    expect(await ours.ttl('key')).toBeUndefined();
    expect(await theirs.wrap('raw', () => 1, { raw: true })).toHaveProperty('expires', NaN);
    expect(await ours.wrap('raw', () => 1, { raw: true })).toHaveProperty('expires', undefined);
  });

  it('an undefined value has no end, since nothing is stored', async () => {
    const [theirs, ours] = [createCache(), create()];
    for (const cache of [theirs, ours]) await cache.set('key', undefined, 1_000);

    expect(await theirs.ttl('key')).toBe(Date.now() + 1_000);
    expect(await ours.ttl('key')).toBeUndefined();
  });

  it('a clear leaves what other namespaces and the hierarchy itself hold', async () => {
    const [first, second] = [create(), create({ namespace: 'second' })];
    await hierarchy.set('key', 'of the hierarchy');
    await first.set('key', 1);
    await second.set('key', 2);

    await first.clear();

    expect(await first.get('key')).toBeUndefined();
    expect(await second.get('key')).toBe(2);
    expect(await hierarchy.get('key')).toBe('of the hierarchy');
  });

  it('the entries are those of a namespace, illegal keys under their hash', async () => {
    const ours = create();
    const entries = hierarchy.namespace('cache-manager');

    await ours.set('key', 1);
    await ours.set('', 2);

    expect(entries.peek('key')).toBe(1);
    expect(
      entries.peek(`sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`),
    ).toBe(2);
    expect(ours.stores[0].namespace).toBe('cache-manager');
  });

  it('a load of wrap is shared with getOrSet of the namespace', async () => {
    const load = jest.fn(() => settle().then(() => 1));

    await Promise.all([
      create().wrap('key', load),
      hierarchy.namespace('cache-manager').getOrSet('key', load),
    ]);

    expect(load).toHaveBeenCalledTimes(1);
  });

  it('the end of an entry is that of the entry, not of the copy in L1', async () => {
    const ours = create();
    await ours.set('key', 1, 45_000);

    clock.advance(20_000);

    expect(await ours.ttl('key')).toBe(Date.now() + 25_000);
    expect(await ours.wrap('key', () => 2, { raw: true })).toEqual({
      value: 1,
      expires: Date.now() + 25_000,
    });
  });

  it('a load that is refreshed by force is no stale value of the grace', async () => {
    const graceful = new HierarchyCacheManager(new CacheHierarchy({ clock, grace: '1h' }));
    const heard = jest.fn();
    const error = new Error('down');
    graceful.on('refresh', heard);
    await graceful.set('key', 1, 1_000);

    await graceful.wrap('key', () => Promise.reject(error), 1_000, 2_000);
    await settle();

    expect(heard.mock.calls).toEqual([[{ key: 'key', value: 1, error }]]);
  });

  it.each([
    ['where nothing is cached', () => new CacheHierarchy({ enabled: false })],
    [
      'once the hierarchy is closed',
      () => {
        const closed = new CacheHierarchy({ report: () => {} });
        void closed.close();
        return closed;
      },
    ],
  ])('%s nothing fails, and every wrap loads', async (_, open) => {
    const ours = new HierarchyCacheManager(open());

    expect(await ours.set('key', 1)).toBe(1);
    expect(await ours.get('key')).toBeUndefined();
    expect(await ours.wrap('key', () => 2)).toBe(2);
    expect(await ours.wrap('key', () => 3, { raw: true })).toEqual({
      value: 3,
      expires: undefined,
    });
    expect(await ours.ttl('key')).toBeUndefined();
    expect(await ours.mdel(['key'])).toBe(true);
    expect(await ours.clear()).toBe(true);
  });

  it('options are checked, all at once; those about stores belong to the hierarchy', () => {
    const options = { ttl: -1, refreshThreshold: 'soon', namespace: 7, stores: [], max: 5 };

    const creating = (): unknown => create(options as unknown as CacheManagerOptions);

    expect(creating).toThrow(InvalidOptionsError);
    expect(creating).toThrow(
      /ttl: .*got -1[^]*refreshThreshold: [^]*namespace: must be a string[^]*stores: must be left out[^]*max: is unknown/,
    );
  });

  it('durations may be written with a unit in the options', async () => {
    const ours = create({ ttl: '5s', refreshThreshold: '2s' });

    expect(await ours.mset([{ key: 'key', value: 1 }])).toEqual([
      { key: 'key', value: 1, ttl: 5_000 },
    ]);
    expect(await ours.ttl('key')).toBe(Date.now() + 5_000);
  });
});
