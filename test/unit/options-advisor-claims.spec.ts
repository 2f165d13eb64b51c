import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { adviceOn } from '../../lib/hierarchy/options-advisor.js';
import { defer, type Deferred } from '../support/deferred.js';
import { observe } from '../support/observed.js';
import { ScriptedLevel } from '../support/scripted-level.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const AWAY = new Error('the database is away');

let clock: VirtualClock;
let cache: CacheHierarchy;
let codes: string[];
let loaded: Deferred<string>;

function open(options: CacheHierarchyOptions): void {
  cache = new CacheHierarchy({ clock, report: ({ code }) => codes.push(code), ...options });
}

/** Asks for the key with a loader that ends when the test says so. */
function ask(): Promise<string> {
  return cache.getOrSet('key', () => loaded.promise);
}

beforeEach(() => {
  clock = new VirtualClock();
  codes = [];
  loaded = defer();
});

afterEach(async () => {
  loaded.resolve('new');
  await settle();
  await cache.close();
});

describe(`what ${adviceOn.name} says is true of`, () => {
  it('CACHE_SOFT_TIMEOUT_ABOVE_GRACE', async () => {
    open({ ttl: '10m', grace: 50, softTimeout: 50 });
    await cache.set('key', 'old');
    clock.block(600_000);
    const caller = ask();
    await clock.advance(50);
    loaded.resolve('new');

    expect(await caller).toBe('new');
    expect(cache.getMetrics().staleServed).toBe(0);
    expect(codes).toEqual(['CACHE_SOFT_TIMEOUT_ABOVE_GRACE']);
  });

  it('CACHE_THROTTLE_ABOVE_GRACE', async () => {
    open({ ttl: '10m', grace: 50, throttle: 50 });
    await cache.set('key', 'old');
    clock.block(600_000);
    const fail = (): Promise<string> => cache.getOrSet('key', () => Promise.reject(AWAY));
    await fail();
    clock.block(49);

    expect(await fail()).toBe('old');
    expect(cache.getMetrics().loads).toBe(1);
    clock.block(1);
    await expect(fail()).rejects.toBe(AWAY);
    expect(codes).toEqual(['CACHE_THROTTLE_ABOVE_GRACE']);
  });

  it.each([100, 150])('CACHE_SOFT_TIMEOUT_ABOVE_HARD_TIMEOUT at %p ms', async (softTimeout) => {
    open({ ttl: '10m', grace: 1_000, softTimeout, hardTimeout: 100 });
    await cache.set('key', 'old');
    clock.block(600_000);
    const caller = ask();
    await clock.advance(99);
    expect(cache.getMetrics().staleServed).toBe(0);
    await clock.advance(1);

    expect(await caller).toBe('old');
    expect(await cache.getOrSet('key', () => 'anew')).toBe('anew');
    expect(codes).toEqual(['CACHE_SOFT_TIMEOUT_ABOVE_HARD_TIMEOUT']);
  });

  it('CACHE_SOFT_TIMEOUT_ABOVE_JOIN_TIMEOUT', async () => {
    open({ ttl: '10m', grace: 1_000, softTimeout: 101, joinTimeout: 100 });
    await cache.set('key', 'old');
    clock.block(600_000);
    const callers = [ask(), ask(), ask()];
    await clock.advance(100);

    expect(cache.getMetrics()).toMatchObject({ loads: 2, staleServed: 0 });
    loaded.resolve('new');
    await Promise.all(callers);
    expect(codes).toEqual(['CACHE_SOFT_TIMEOUT_ABOVE_JOIN_TIMEOUT']);
  });

  it.each([
    [100, 1],
    [101, 2],
  ])('CACHE_HARD_TIMEOUT_ABOVE_JOIN_TIMEOUT at %p ms: %p loads', async (hardTimeout, loads) => {
    open({ hardTimeout, joinTimeout: 100 });
    const callers = [ask(), ask()];
    const settled = Promise.allSettled(callers);
    await clock.advance(100);

    expect(cache.getMetrics().loads).toBe(loads);
    await clock.advance(1_000);
    await settled;
    expect(codes).toHaveLength(loads - 1);
  });

  it.each(['softTimeout', 'hardTimeout'])(
    'CACHE_WAIT_TIMEOUT_BEFORE_STALE_VALUE with %s',
    async (bound) => {
      open({ ttl: '10m', grace: 1_000, [bound]: 100, waitTimeout: 100 });
      await cache.set('key', 'old');
      clock.block(600_000);
      const caller = ask().catch((error: unknown) => error);
      await clock.advance(100);

      expect(await caller).toBeInstanceOf(LoadTimeoutError);
      expect(codes).toEqual(['CACHE_WAIT_TIMEOUT_BEFORE_STALE_VALUE']);
    },
  );

  it('CACHE_ENDLESS_JOIN_TIMEOUT', async () => {
    open({ joinTimeout: Infinity });
    const load = async (key: string, other: string): Promise<string> =>
      cache.getOrSet(key, async () => {
        await settle();
        return load(other, key);
      });
    const callers = [observe(load('a', 'b')), observe(ask())];
    callers.push(observe(ask()));
    await clock.advance(86_400_000);

    expect(callers.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
    expect(codes).toEqual(['CACHE_ENDLESS_JOIN_TIMEOUT']);
  });

  it('CACHE_ENDLESS_JOIN_TIMEOUT: a hardTimeout ends the same circle', async () => {
    open({ joinTimeout: Infinity, hardTimeout: 1_000 });
    const load = async (key: string, other: string): Promise<string> =>
      cache.getOrSet(key, async () => {
        await settle();
        return load(other, key);
      });
    const caller = observe(load('a', 'b'));
    await clock.advance(1_000);

    expect(caller.error).toBeInstanceOf(LoadTimeoutError);
    expect(codes).toEqual([]);
  });

  it.each([
    [101, 'rejected'],
    [99, 'resolved'],
  ])('CACHE_LEVEL_TIMEOUT_ABOVE_LOCK_TIMEOUT at %p ms: %s', async (levelTimeout, state) => {
    const remote = new ScriptedLevel(clock);
    open({ levelTimeout, lockTimeout: 100, remote });
    await cache.set('key', 'old');
    remote.when('write', 'hang');
    const writers = ['first', 'second'].map((value) => observe(cache.set('key', value)));
    await clock.advance(1_000);

    expect(writers.map((writer) => writer.state)).toEqual(['resolved', state]);
    expect(cache.peek('key')).toBe(state === 'resolved' ? 'second' : undefined);
    expect(codes.filter((code) => code !== 'CACHE_LEVEL_DOWN')).toHaveLength(
      state === 'resolved' ? 0 : 1,
    );
  });

  it('CACHE_GRACE_WITH_ENDLESS_TTL', async () => {
    open({ ttl: Infinity, grace: 50 });
    await cache.set('key', 'old');
    await cache.expire('key');
    clock.block(86_400_000);

    expect(await cache.getOrSet('key', () => Promise.reject(AWAY))).toBe('old');
    expect(codes).toEqual(['CACHE_GRACE_WITH_ENDLESS_TTL']);
  });

  it('CACHE_EAGER_WITH_ENDLESS_TTL and CACHE_JITTER_WITH_ENDLESS_TTL', async () => {
    open({ ttl: Infinity, eager: 0.1, jitter: 0.9 });
    await cache.set('key', 'old');
    clock.block(Number.MAX_SAFE_INTEGER);

    expect(await cache.getOrSet('key', () => 'new')).toBe('old');
    expect(cache.getMetrics()).toMatchObject({ refreshes: 0, hits: 1 });
    expect(codes).toHaveLength(2);
  });

  it.each<CacheHierarchyOptions>([
    { ttl: 7_000, l2: { ttl: 9_000 }, l1: { ttl: 1_000 } },
    { ttl: 7_000, l1: { ttl: 1_000 }, l2: false },
  ])('CACHE_LEVEL_TTL_UNUSED for %p', async (options) => {
    open(options);
    await cache.set('key', 'old');
    clock.block(6_999);
    expect(cache.peek('key')).toBe('old');
    clock.block(1);

    expect(cache.peek('key')).toBeUndefined();
    expect(codes).toEqual(['CACHE_LEVEL_TTL_UNUSED']);
  });

  it.each<[string, CacheHierarchyOptions]>([
    ['CACHE_L1_TTL_ABOVE_TTL', { ttl: 7_000, l1: { ttl: 9_000 } }],
    ['CACHE_L1_TTL_ABOVE_L2_TTL', { l1: { ttl: 9_000 }, l2: { ttl: 7_000 } }],
  ])('%s', async (code, options) => {
    open(options);
    await cache.set('key', 'old');

    expect(await cache.inspect('key')).toMatchObject([
      { level: 'L1', freshForMs: 7_000 },
      { level: 'L2', freshForMs: 7_000 },
    ]);
    expect(codes).toEqual([code]);
  });

  it('the remedy of CACHE_L2_NOT_LARGER: one level keeps entries for as long', async () => {
    open({ l2: false, ttl: '10m' });
    await cache.set('key', 'old');
    clock.block(599_999);

    expect(cache.peek('key')).toBe('old');
  });
});
