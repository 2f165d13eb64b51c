import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheOptions } from '../../lib/memory/cache-options.js';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { VirtualClock } from '../support/virtual-clock.js';

const DAY_MS = 86_400_000;

let clock: VirtualClock;
let cache: EnhancedAsyncTTLCache<unknown>;

beforeEach(() => {
  clock = new VirtualClock();
  cache = open();
});

afterEach(async () => {
  await cache.stop();
  expect(clock.pending).toBe(0);
});

function open(options: CacheOptions = {}): EnhancedAsyncTTLCache<unknown> {
  return new EnhancedAsyncTTLCache({ clock, ttl: 1_000, cleanupInterval: false, ...options });
}

async function removeExpired(): Promise<number> {
  const removed = cache.removeExpired();
  await clock.turn();
  return removed;
}

/** How long a key can still be read from now on, in milliseconds. */
function lifetimeOf(key: string, atMostMs = 10_000): number {
  let lived = 0;
  while (cache.has(key) && lived < atMostMs) {
    clock.block(1);
    lived += 1;
  }
  return lived;
}

describe(`${EnhancedAsyncTTLCache.name}: lifetimes`, () => {
  it('are the cache’s own unless a call says otherwise', async () => {
    await cache.set('key', 1);

    expect(lifetimeOf('key')).toBe(1_000);
  });

  it.each([
    ['set', (key: string) => cache.set(key, 1, { ttl: 300 })],
    ['getOrSet', (key: string) => cache.getOrSet(key, () => 1, { ttl: '300ms' })],
    ['update', (key: string) => cache.update(key, () => 1, { ttl: '0.3s' })],
  ])('are what the call of %s says', async (_, call) => {
    await call('key');

    expect(lifetimeOf('key')).toBe(300);
  });

  it('are what the loader says, whatever the call does', async () => {
    await cache.getOrSet(
      'key',
      ({ ttl }) => {
        ttl('200ms');
        return 1;
      },
      { ttl: 300 },
    );

    expect(lifetimeOf('key')).toBe(200);
  });

  it.each([0, -1, '0s'] as const)('that a loader says are %p are not stored', async (lifetime) => {
    const value = await cache.getOrSet('key', ({ ttl }) => {
      ttl(lifetime);
      return 'value';
    });

    expect([value, cache.size, cache.getMetrics().sets]).toEqual(['value', 0, 0]);
  });

  it.each([
    ['get', (key: string) => cache.get(key)],
    ['getIfPresent', async (key: string) => cache.getIfPresent(key)],
    ['peek', async (key: string) => cache.peek(key)],
  ])('end for %s exactly at the deadline', async (_, read) => {
    await cache.set('key', 1);

    clock.block(999);
    const before = await read('key');
    clock.block(1);

    expect([before, await read('key')]).toEqual([1, undefined]);
  });

  it('end for getOrSet and update exactly at the deadline', async () => {
    await cache.set('read', 1);
    await cache.set('updated', 1);
    clock.block(1_000);

    const read = await cache.getOrSet('read', () => 'loaded');
    const current: unknown[] = [];
    await cache.update('updated', (value) => current.push(value));

    expect([read, current]).toEqual(['loaded', [undefined]]);
  });

  it('begin when the value is stored, not when its load was called', async () => {
    const loaded = cache.getOrSet('key', async () => {
      await clock.advance(700);
      return 1;
    });
    await loaded;

    expect(lifetimeOf('key')).toBe(1_000);
  });

  it('begin anew when a value is replaced', async () => {
    await cache.set('key', 1);
    clock.block(900);
    await cache.set('key', 2);

    expect(lifetimeOf('key')).toBe(1_000);
  });

  it('are not prolonged by reads', async () => {
    await cache.set('key', 1);
    for (let reads = 0; reads < 9; reads++) {
      clock.block(100);
      await cache.get('key');
    }

    expect(lifetimeOf('key')).toBe(100);
  });

  it('that are infinite never end', async () => {
    await cache.set('key', 1, { ttl: Infinity });
    clock.block(1_000_000 * DAY_MS);

    expect(cache.peek('key')).toBe(1);
    expect(await removeExpired()).toBe(0);
  });

  it('beyond 24.8 days, where timers overflow, are kept whole', async () => {
    await cache.set('key', 1, { ttl: '30d' });
    clock.block(30 * DAY_MS - 1);
    const before = [cache.has('key'), await removeExpired()];
    clock.block(1);

    expect(before).toEqual([true, 0]);
    expect([cache.has('key'), await removeExpired()]).toEqual([false, 1]);
  });
});

describe(`${EnhancedAsyncTTLCache.name}: removal of expired entries`, () => {
  it('removes what is expired, at the very deadline, and counts it', async () => {
    await cache.set('now', 1, { ttl: 100 });
    await cache.set('later', 2, { ttl: 101 });
    clock.block(100);

    const removed = await removeExpired();

    expect([removed, cache.size, cache.peek('later')]).toEqual([1, 1, 2]);
    expect(cache.getMetrics().expired).toBe(1);
  });

  it('leaves an entry that was replaced before it expired', async () => {
    await cache.set('key', 1, { ttl: 100 });
    await cache.set('key', 2, { ttl: 1_000 });
    clock.block(500);

    expect(await removeExpired()).toBe(0);
    expect(cache.peek('key')).toBe(2);
  });

  it('removes an entry whose replacement expires earlier', async () => {
    await cache.set('key', 1, { ttl: Infinity });
    await cache.set('key', 2, { ttl: 100 });
    clock.block(100);

    expect(await removeExpired()).toBe(1);
  });

  it('does not count an entry that was deleted before it expired', async () => {
    await cache.set('key', 1, { ttl: 100 });
    await cache.delete('key');
    clock.block(100);

    expect(await removeExpired()).toBe(0);
    expect(cache.getMetrics().expired).toBe(0);
  });

  it('happens by itself once in each cleanup interval', async () => {
    cache = open({ cleanupInterval: '1m' });
    await cache.set('key', 1);
    await clock.advance(59_999);
    const before = cache.size;
    await clock.advance(1);
    await cache.set('key', 1);
    await clock.advance(60_000);

    expect([before, cache.size]).toEqual([1, 0]);
    expect(cache.getMetrics().expired).toBe(2);
  });

  it('does not happen by itself when cleanupInterval is false', async () => {
    await cache.set('key', 1);

    await clock.advance(100 * DAY_MS);

    expect(cache.size).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('does not happen by itself any more after the cache was stopped', async () => {
    cache = open({ cleanupInterval: '1m' });
    await cache.set('key', 1);
    await cache.stop();

    await clock.advance(DAY_MS);

    expect(cache.size).toBe(1);
  });

  it('settles for whoever waits for it when the cache is stopped', async () => {
    await cache.set('key', 1, { ttl: 10 });
    clock.block(10);
    const removed = cache.removeExpired();

    await cache.stop();

    expect(await removed).toBe(0);
  });
});
