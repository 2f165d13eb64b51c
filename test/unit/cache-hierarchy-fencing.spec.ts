import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LockTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
});

afterEach(() => closeWithNothingLeft(cache, clock));

const invalidations: [string, (key: string) => Promise<unknown>][] = [
  ['delete', (key) => cache.delete(key)],
  ['deleteMany', (key) => cache.deleteMany([key])],
  ['clear', () => cache.clear()],
  ['a tag of the call', () => cache.invalidateTags('of the call')],
  ['a tag of the loader', () => cache.invalidateTags(['other', 'of the loader'])],
];

describe(`${CacheHierarchy.name}: fencing`, () => {
  it.each(invalidations)(
    'stores a value nowhere whose load was overtaken by %s',
    async (_, end) => {
      const loaded = defer<string>();
      const early = cache.getOrSet(
        'key',
        async ({ tags }) => {
          tags('of the loader');
          return loaded.promise;
        },
        { tags: 'of the call' },
      );

      await end('key');
      const late = cache.getOrSet('key', () => 'new');
      loaded.resolve('old');

      expect(await early).toBe('old');
      expect(await late).toBe('new');
      expect([cache.l1.peek('key'), cache.l2?.peek('key')]).toEqual(['new', 'new']);
      expect(cache.getMetrics().fenced).toBe(1);
    },
  );

  it('counts a tag that a loader gives last from the moment its load began', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', async ({ tags }) => {
      const value = await loaded.promise;
      tags('places');
      return value;
    });

    await cache.invalidateTags('places');
    loaded.resolve('old');

    expect(await early).toBe('old');
    expect(cache.has('key')).toBe(false);
  });

  it('clears a namespace with what is being loaded in it, and leaves its neighbours', async () => {
    const users = cache.namespace('users');
    const loaded = defer<string>();
    const early = users.namespace('admins').getOrSet('1', () => loaded.promise);
    await users.set('2', 'two');
    await cache.set('2', 'outside');
    await cache.namespace('users2').set('2', 'neighbour');

    await users.clear();
    loaded.resolve('old');

    expect(await early).toBe('old');
    expect(users.namespace('admins').has('1')).toBe(false);
    expect(users.has('2')).toBe(false);
    expect(cache.peek('2')).toBe('outside');
    expect(cache.namespace('users2').peek('2')).toBe('neighbour');
  });

  it('lets set take the place of a load called before it', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', () => loaded.promise);

    await cache.set('key', 'set');
    loaded.resolve('loaded');

    expect(await early).toBe('loaded');
    expect(cache.peek('key')).toBe('set');
  });

  it('never lets a load overwrite the result of one called later', async () => {
    const slow = defer<string>();
    const early = cache.getOrSet('key', () => slow.promise);
    const impatient = cache.getOrSet('key', () => 'later');
    await clock.advance(30_000);
    await impatient;
    await cache.set('key', 'later', { ttl: 1 });
    await clock.advance(1);

    slow.resolve('earlier');

    expect(await early).toBe('earlier');
    expect(cache.has('key')).toBe(false);
  });

  it.each(invalidations.slice(0, 4))(
    'returns what update made and does not store it after %s',
    async (_, end) => {
      const held = defer();
      await cache.set('key', 1);
      const updating = cache.update<number>(
        'key',
        async (current) => {
          await held.promise;
          return (current ?? 0) + 1;
        },
        { tags: 'of the call' },
      );

      await end('key');
      held.resolve();

      expect(await updating).toBe(2);
      expect(cache.has('key')).toBe(false);
    },
  );

  it('runs the updates and sets of one key one after the other, and other keys meanwhile', async () => {
    const held = defer();
    const first = cache.update<number>('key', async () => {
      await held.promise;
      return 1;
    });
    const second = cache.update<number>('key', (current) => (current ?? 0) + 10);
    const third = cache.set('key', 'set last');
    await cache.set('other', 'at once');
    expect(cache.peek('other')).toBe('at once');

    held.resolve();

    expect(await Promise.all([first, second, third])).toEqual([1, 11, undefined]);
    expect(cache.peek('key')).toBe('set last');
    expect(cache.getMetrics().locks).toMatchObject({ contentions: 2 });
  });

  it('keeps a set called before a delete from being stored after it', async () => {
    const held = defer();
    const updating = cache.update('key', () => held.promise.then(() => 'updated'));
    const setting = cache.set('key', 'set');

    await cache.delete('key');
    held.resolve();
    await Promise.all([updating, setting]);

    expect(cache.has('key')).toBe(false);
  });

  it('deletes the key of a set that waited too long for the lock', async () => {
    const held = defer<string>();
    await cache.set('key', 'old');
    const updating = cache.update('key', () => held.promise);
    const outcome = expect(cache.set('key', 'set')).rejects.toBeInstanceOf(LockTimeoutError);

    await clock.advance(5_000);
    await outcome;

    expect(cache.has('key')).toBe(false);
    held.resolve('updated');
    expect(await updating).toBe('updated');
    expect(cache.has('key')).toBe(false);
  });

  it('shows an update the null that is stored', async () => {
    await cache.set('key', null);

    expect(await cache.update('key', (current) => ({ current }))).toEqual({ current: null });
    expect(await cache.update('absent', (current) => ({ current }))).toEqual({
      current: undefined,
    });
  });

  it('deletes the key of an update that throws, and of one that returns undefined', async () => {
    await cache.set('throws', 1);
    await cache.set('undefined', 1);

    const failing = cache.update('throws', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await cache.update('undefined', () => undefined)).toBeUndefined();

    expect([cache.has('throws'), cache.has('undefined')]).toEqual([false, false]);
  });

  it('returns from delete whether there was a value, in either level', async () => {
    await cache.set('key', 1);
    await clock.advance(60_000);
    expect(cache.l1.has('key')).toBe(false);

    expect(await cache.delete('key')).toBe(true);
    expect(await cache.delete('key')).toBe(false);
    await cache.set('a', 1);
    expect(await cache.deleteMany(['a', 'b', 'a'])).toBe(1);
  });

  it('is empty at once after clear', async () => {
    await cache.setMany(Array.from({ length: 100 }, (_, index) => [`key ${index}`, index]));

    void cache.clear();

    expect([cache.l1.size, cache.l2?.size]).toEqual([0, 0]);
  });
});
