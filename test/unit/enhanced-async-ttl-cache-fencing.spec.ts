import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { defer } from '../support/deferred.js';
import { observe } from '../support/observed.js';
import { VirtualClock } from '../support/virtual-clock.js';

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

type End = [name: string, end: () => Promise<unknown>];

const invalidations: End[] = [
  ['delete', () => cache.delete('key')],
  ['clear', () => cache.clear()],
];

describe.each(invalidations)(`${EnhancedAsyncTTLCache.name}: %s during a load`, (_, invalidate) => {
  it('lets the late value be stored nowhere, and its callers have it', async () => {
    const loaded = defer<string>();
    const callers = [1, 2].map(() => cache.getOrSet('key', () => loaded.promise));
    await invalidate();

    loaded.resolve('late');

    expect(await Promise.all(callers)).toEqual(['late', 'late']);
    expect(cache.size).toBe(0);
    expect(cache.getMetrics()).toMatchObject({ fenced: 1, sets: 0 });
  });

  it('lets the next caller load anew', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', () => loaded.promise);
    await invalidate();

    const next = await cache.getOrSet('key', () => 'new');
    loaded.resolve('late');
    await early;

    expect([next, cache.peek('key')]).toEqual(['new', 'new']);
  });

  it('takes effect within the call', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', () => loaded.promise);

    void invalidate();
    const next = cache.getOrSet('key', () => 'new');
    loaded.resolve('late');

    expect([await early, await next, cache.peek('key')]).toEqual(['late', 'new', 'new']);
  });

  it('does not touch what is stored afterwards', async () => {
    await invalidate();
    await cache.getOrSet('key', () => 'new');

    expect(cache.peek('key')).toBe('new');
  });
});

describe(`${EnhancedAsyncTTLCache.name}: stores during a load`, () => {
  it('by set win over the load that was called before', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', () => loaded.promise);
    await cache.set('key', 'set');

    loaded.resolve('late');

    expect(await early).toBe('late');
    expect(cache.peek('key')).toBe('set');
  });

  it('by update win over the load that was called before', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', () => loaded.promise);
    await cache.update('key', () => 'updated');

    loaded.resolve('late');
    await early;

    expect(cache.peek('key')).toBe('updated');
  });

  it('by a later load are not overwritten by an earlier one', async () => {
    const slow = defer<string>();
    const early = cache.getOrSet('key', () => slow.promise);
    const hurried = observe(cache.getOrSet('key', () => 'later'));
    await clock.advance(30_000);

    slow.resolve('earlier');
    await early;

    expect(hurried.value).toBe('later');
    expect(cache.peek('key')).toBe('later');
    expect(cache.getMetrics()).toMatchObject({ fenced: 1, sets: 1 });
  });

  it('by an earlier load are overwritten by a later one', async () => {
    const slow = defer<string>();
    const slower = defer<string>();
    const early = cache.getOrSet('key', () => slow.promise);
    const late = cache.getOrSet('key', () => slower.promise);
    await clock.advance(30_000);

    slow.resolve('earlier');
    await early;
    const between = cache.peek('key');
    slower.resolve('later');
    await late;

    expect([between, cache.peek('key')]).toEqual(['earlier', 'later']);
  });

  it('answer a follower of a load that hangs, who then loads nothing', async () => {
    let calls = 0;
    void cache.getOrSet('key', () => new Promise(() => {}));
    const follower = observe(cache.getOrSet('key', () => (calls += 1)));
    await cache.set('key', 'set');

    await clock.advance(30_000);

    expect([follower.value, calls]).toEqual(['set', 0]);
  });

  it('of another key do not matter', async () => {
    const loaded = defer<string>();
    const load = cache.getOrSet('key', () => loaded.promise);
    await cache.set('other', 1);
    await cache.delete('other');

    loaded.resolve('value');
    await load;

    expect(cache.peek('key')).toBe('value');
  });

  it('let callers who come afterwards read what was set', async () => {
    const loaded = defer<string>();
    const early = cache.getOrSet('key', () => loaded.promise);
    await cache.set('key', 'set');

    const value = await cache.getOrSet('key', () => 'unused');
    loaded.resolve('late');
    await early;

    expect(value).toBe('set');
  });
});
