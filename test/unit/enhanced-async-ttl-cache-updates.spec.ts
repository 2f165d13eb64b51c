import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { defer } from '../support/deferred.js';
import { rejectionOf } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: EnhancedAsyncTTLCache<unknown>;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new EnhancedAsyncTTLCache({ clock, cleanupInterval: false });
});

afterEach(async () => {
  await cache.stop();
  expect(clock.pending).toBe(0);
});

describe(`${EnhancedAsyncTTLCache.name}: update`, () => {
  it('stores what becomes of the current value, and returns it', async () => {
    await cache.set('key', 1);

    const updated = await cache.update('key', (current) => Number(current) + 1);

    expect([updated, cache.peek('key')]).toEqual([2, 2]);
  });

  it('is given undefined for an absent and for an expired key', async () => {
    await cache.set('expired', 1, { ttl: 10 });
    clock.block(10);
    const seen: unknown[] = [];

    await cache.update('absent', (current) => seen.push(current));
    await cache.update('expired', (current) => seen.push(current));

    expect(seen).toEqual([undefined, undefined]);
  });

  it('removes the key when it returns undefined', async () => {
    await cache.set('key', 1);

    const updated = await cache.update('key', () => undefined);

    expect(updated).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('stores null', async () => {
    await cache.update('key', () => null);

    expect(cache.peek('key')).toBeNull();
  });

  it('deletes the key when it throws, and throws the same', async () => {
    await cache.set('key', 1);
    const failure = new Error('of the change');

    const errors = await Promise.all([
      rejectionOf(cache.update('key', () => Promise.reject(failure))),
      rejectionOf(
        cache.update('other', () => {
          throw failure;
        }),
      ),
    ]);

    expect(errors).toEqual([failure, failure]);
    expect(cache.size).toBe(0);
  });

  it('loses no increment of 100 concurrent ones', async () => {
    const increments = Array.from({ length: 100 }, () =>
      cache.update('key', async (current) => {
        await settle();
        return Number(current ?? 0) + 1;
      }),
    );

    await Promise.all(increments);

    expect(cache.peek('key')).toBe(100);
    expect(cache.getMetrics().lockContentions).toBe(99);
  });

  it('of one key does not hold up other keys', async () => {
    const changed = defer<number>();
    const slow = cache.update('slow', () => changed.promise);

    const quick = await cache.update('quick', () => 1);
    await cache.set('set', 2);
    changed.resolve(3);

    expect([quick, cache.peek('set'), await slow]).toEqual([1, 2, 3]);
  });

  it('does not hold up reads, deletes and loads of its key', async () => {
    await cache.set('key', 'old');
    const changed = defer<string>();
    const update = cache.update('key', () => changed.promise);

    const read = await cache.get('key');
    const deleted = await cache.delete('key');
    const loaded = await cache.getOrSet('key', () => 'loaded');
    changed.resolve('changed');

    expect([read, deleted, loaded, await update]).toEqual(['old', true, 'loaded', 'changed']);
  });

  it.each([
    ['delete', () => cache.delete('key')],
    ['clear', () => cache.clear()],
  ])('that is overtaken by %s is returned and not stored', async (_, invalidate) => {
    const changed = defer<string>();
    const update = cache.update('key', () => changed.promise);
    await invalidate();

    changed.resolve('late');

    expect(await update).toBe('late');
    expect(cache.size).toBe(0);
    expect(cache.getMetrics().fenced).toBe(1);
  });

  it('that was waiting when its key was deleted runs and is not stored', async () => {
    const changed = defer<string>();
    const first = cache.update('key', () => changed.promise);
    const second = cache.update('key', () => 'second');
    await cache.delete('key');

    changed.resolve('first');

    expect([await first, await second]).toEqual(['first', 'second']);
    expect(cache.size).toBe(0);
  });
});
