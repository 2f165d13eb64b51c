import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, LoadTimeoutError } from '../../lib/errors.js';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { defer } from '../support/deferred.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: EnhancedAsyncTTLCache<unknown>;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new EnhancedAsyncTTLCache({ clock, ttl: '1h', cleanupInterval: false });
});

afterEach(async () => {
  await cache.stop();
  expect(clock.pending).toBe(0);
});

describe(`${EnhancedAsyncTTLCache.name}: loads`, () => {
  it('call the loader once for 1,000 callers of a cold key', async () => {
    const loaded = defer<object>();
    const value = {};
    let calls = 0;
    const callers = Array.from({ length: 1_000 }, () =>
      cache.getOrSet('key', () => {
        calls += 1;
        return loaded.promise;
      }),
    );

    loaded.resolve(value);
    const values = await Promise.all(callers);

    expect(calls).toBe(1);
    expect(new Set(values)).toEqual(new Set([value]));
    expect(cache.peek('key')).toBe(value);
    expect(cache.getMetrics()).toMatchObject({ misses: 1_000, joins: 999, sets: 1 });
  });

  it('give the very same error to 1,000 callers, store nothing, and the next call loads', async () => {
    const failure = new Error('of the loader');
    const errors = await Promise.all(
      Array.from({ length: 1_000 }, () =>
        rejectionOf(cache.getOrSet('key', () => Promise.reject(failure))),
      ),
    );
    const sizeAfter = cache.size;

    const next = await cache.getOrSet('key', () => 'new');

    expect(new Set(errors)).toEqual(new Set([failure]));
    expect([sizeAfter, next]).toEqual([0, 'new']);
  });

  it('do not call the loader for a value that is there', async () => {
    await cache.set('key', 'there');
    let calls = 0;

    const value = await cache.getOrSet('key', () => (calls += 1));

    expect([value, calls]).toEqual(['there', 0]);
  });

  it('return undefined and do not store it', async () => {
    const value = await cache.getOrSet('key', () => undefined);

    expect(value).toBeUndefined();
    expect(cache.size).toBe(0);
    expect(await cache.getOrSet('key', () => 'next')).toBe('next');
  });

  it('store null', async () => {
    await cache.getOrSet('key', () => null);

    expect(cache.peek('key')).toBeNull();
  });

  it('tell the loader its key', async () => {
    const key = await cache.getOrSet('place:1', (context) => context.key);

    expect(key).toBe('place:1');
  });

  it('leave reads alone: they find nothing and do not wait', async () => {
    const loaded = defer<string>();
    const load = cache.getOrSet('key', () => loaded.promise);

    const read = await cache.get('key');
    loaded.resolve('value');

    expect([read, await load]).toEqual([undefined, 'value']);
  });

  it('let a caller join who comes after a value was stored and evicted', async () => {
    const tiny = new EnhancedAsyncTTLCache<string>({ clock, maxEntries: 1 });
    await tiny.getOrSet('a', () => 'a');
    await tiny.getOrSet('b', () => 'b');

    expect(await tiny.getOrSet('a', () => 'again')).toBe('again');
    await tiny.stop();
  });
});

describe(`${EnhancedAsyncTTLCache.name}: a loader that asks for its own key`, () => {
  it('is refused when it asks at once', async () => {
    const load = (): Promise<unknown> => cache.getOrSet('key', load);

    const error = await rejectionOf(cache.getOrSet('key', load));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(cache.size).toBe(0);
  });

  it('ends when it awaits itself', async () => {
    const load = async (): Promise<unknown> => {
      await settle();
      return cache.getOrSet('key', load);
    };
    const caller = observe(cache.getOrSet('key', load));

    for (let wait = 0; wait < 5; wait++) await clock.advance(30_000);
    await settle();

    expect(caller.state).toBe('rejected');
    expect(caller.error).toBeInstanceOf(LoadTimeoutError);
  });

  it('may set it, and its callers get what it returns', async () => {
    const value = await cache.getOrSet('key', async () => {
      await cache.set('key', 'set');
      return 'loaded';
    });

    expect(value).toBe('loaded');
    expect(cache.peek('key')).toBe('set');
  });
});
