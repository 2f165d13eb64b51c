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

describe(EnhancedAsyncTTLCache.name, () => {
  it('stores a value within the call and hands out the same object', async () => {
    const value = { name: 'Paris' };

    const stored = cache.set('key', value);

    expect(cache.peek('key')).toBe(value);
    await stored;
    expect(await cache.get('key')).toBe(value);
  });

  it.each([null, 0, '', false, Number.NaN])('takes %p for a value and a hit', async (value) => {
    await cache.set('key', value);

    expect(await cache.get('key')).toBe(value);
    expect(cache.has('key')).toBe(true);
    expect(await cache.getOrSet('key', () => 'loaded')).toBe(value);
  });

  it('replaces a value', async () => {
    await cache.set('key', 1);
    await cache.set('key', 2);

    expect(cache.peek('key')).toBe(2);
    expect(cache.size).toBe(1);
  });

  it('keeps keys apart whose hashes are the same', async () => {
    const colliding = new EnhancedAsyncTTLCache<number>({ clock, hash: () => 7 });
    await colliding.set('a', 1);
    await colliding.set('b', 2);
    await colliding.delete('a');

    expect([colliding.peek('a'), colliding.peek('b'), colliding.size]).toEqual([undefined, 2, 1]);
    await colliding.stop();
  });

  it.each(['__proto__', 'constructor', 'toString'])(
    'has nothing under %p before it is set',
    (key) => {
      expect(cache.getIfPresent(key)).toBeUndefined();
      expect(cache.has(key)).toBe(false);
    },
  );

  it('tells whether it deleted a live value', async () => {
    await cache.set('key', 1);

    expect([await cache.delete('key'), await cache.delete('key')]).toEqual([true, false]);
    expect(cache.has('key')).toBe(false);
  });

  it('deletes within the call', async () => {
    await cache.set('key', 1);

    void cache.delete('key');

    expect(cache.peek('key')).toBeUndefined();
  });

  it('clears everything within the call', async () => {
    for (let key = 0; key < 100; key++) await cache.set(`key-${key}`, key);

    void cache.clear();

    expect(cache.size).toBe(0);
    expect([...cache.entries()]).toEqual([]);
  });

  it('takes values again after it was cleared', async () => {
    await cache.set('key', 1);
    await cache.clear();
    await cache.set('key', 2);

    expect([...cache.entries()]).toEqual([['key', 2]]);
  });

  it('lists the entries that are not expired', async () => {
    await cache.set('short', 1, { ttl: 10 });
    await cache.set('long', 2);
    clock.block(10);

    expect([...cache.entries()]).toEqual([['long', 2]]);
    expect(cache.size).toBe(2);
  });

  it('is stopped by await using', async () => {
    const pendingBefore = clock.pending;
    {
      await using inner = new EnhancedAsyncTTLCache({ clock });
      await inner.set('key', 1);
    }

    expect(clock.pending).toBe(pendingBefore);
  });

  it('goes on working after it was stopped, and may be stopped twice', async () => {
    await cache.stop();
    await cache.stop();
    await cache.set('key', 1, { ttl: 10 });
    clock.block(10);
    const removed = cache.removeExpired();
    await clock.turn();

    expect(await removed).toBe(1);
    expect(await cache.getOrSet('key', () => 2)).toBe(2);
  });
});
