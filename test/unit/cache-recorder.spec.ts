import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CACHE_CHANNELS } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { CacheRecorder, recordCache } from '../../lib/testing/cache-recorder.js';
import { expectHit, expectLoads, expectMiss } from '../../lib/testing/expectations.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { rejectionOf } from '../support/observed.js';

let clock: FakeClock;
let cache: CacheHierarchy;
let seen: CacheRecorder;

beforeEach(() => {
  clock = new FakeClock();
  cache = new CacheHierarchy({ clock });
  seen = recordCache(cache);
});

afterEach(async () => {
  seen.stop();
  await cache.close();
});

function listeners(): boolean {
  return Object.values(CACHE_CHANNELS).some((name) => channel(name).hasSubscribers);
}

describe(CacheRecorder.name, () => {
  it('counts what happens, by key and altogether', async () => {
    await cache.getOrSet('a', () => 1);
    await cache.getOrSet('a', () => 1);
    await Promise.all([cache.getOrSet('b', async () => 2), cache.getOrSet('b', async () => 2)]);

    expect([seen.hits('a'), seen.misses('a'), seen.loads('a'), seen.stores('a')]).toEqual([
      1, 1, 1, 1,
    ]);
    expect([seen.hits('b'), seen.misses('b'), seen.loads('b'), seen.joins('b')]).toEqual([
      0, 2, 1, 1,
    ]);
    expect([seen.hits(), seen.misses(), seen.loads(), seen.stores()]).toEqual([1, 3, 2, 2]);
  });

  it('counts invalidations', async () => {
    await cache.deleteMany(['a', 'b']);
    await cache.expire('a');
    await cache.invalidateTags(['red', 'blue']);
    await cache.namespace('users').clear();

    expect([seen.invalidations('a'), seen.invalidations('b'), seen.invalidations()]).toEqual([
      2, 1, 5,
    ]);
    expect(seen.namespace('users').invalidations()).toBe(1);
  });

  it('counts loads that fail, are not stored or refresh, and tells why reads missed', async () => {
    await cache.getOrSet('bad', () => Promise.reject(new Error('away'))).catch(() => {});
    await cache.getOrSet('skipped', ({ skip }) => {
      skip();
      return 1;
    });
    await cache.set('short', 1, { ttl: 10 });
    clock.block(10);
    await cache.get('short');
    const eager = { ttl: 100, eager: 0.1 };
    await cache.getOrSet('eager', () => 1, eager);
    clock.block(99);
    await cache.getOrSet('eager', () => 2, eager);
    await clock.turn();

    expect([seen.failures('bad'), seen.discards('skipped')]).toEqual([1, 1]);
    expect([seen.refreshes('eager'), seen.loads('eager')]).toEqual([1, 2]);
    expect(seen.missReasons()).toEqual(['absent', 'absent', 'expired', 'absent']);
    expect(seen.missReasons('short')).toEqual(['expired']);
  });

  it('tells equal keys of namespaces apart', async () => {
    const users = cache.namespace('users');
    await cache.get('1');
    await users.get('1');
    await users.namespace('admins').get('1');

    expect([seen.misses('1'), seen.misses()]).toEqual([1, 3]);
    const [inUsers, inAdmins] = [
      seen.namespace('users'),
      seen.namespace('users').namespace('admins'),
    ];
    expect([inUsers.misses('1'), inUsers.misses()]).toEqual([1, 2]);
    expect([inAdmins.misses('1'), seen.namespace('admins').misses()]).toEqual([1, 0]);
  });

  it('has the events themselves, in order', async () => {
    await cache.getOrSet('a', () => 1);

    expect(seen.events.map(({ kind, event }) => [kind, event.key])).toEqual([
      ['miss', 'a'],
      ['loadStarted', 'a'],
      ['stored', 'a'],
    ]);
  });

  it('leaves other caches out', async () => {
    const other = new CacheHierarchy({ clock });
    await other.get('a');
    await other.close();

    expect(seen.events).toEqual([]);
  });

  it('forgets what it has seen, and goes on', async () => {
    await cache.get('a');
    seen.reset();
    await cache.get('b');

    expect([seen.misses('a'), seen.misses('b')]).toEqual([0, 1]);
  });

  it('listens no more when it is stopped, and keeps what it has seen', async () => {
    await cache.get('a');
    seen.stop();
    seen.stop();
    await cache.get('a');

    expect([seen.misses('a'), listeners()]).toEqual([1, false]);
  });

  it('can be disposed of', async () => {
    seen.stop();
    recordCache(cache)[Symbol.dispose]();

    expect(listeners()).toBe(false);
  });
});

describe('the expectations', () => {
  const read = (): Promise<number> => cache.getOrSet('a', () => 1);

  beforeEach(() => {
    seen.stop();
  });

  it('return what was read, and leave no listener', async () => {
    expect(await expectMiss(cache, read)).toBe(1);
    expect(await expectHit(cache, read)).toBe(1);
    expect(await expectLoads(cache, 0, read)).toBe(1);
    expect(await expectHit(cache, () => cache.getIfPresent('a'))).toBe(1);
    expect(listeners()).toBe(false);
  });

  it('fail with what was seen instead', async () => {
    const users = cache.namespace('users');
    const failures = [
      await rejectionOf(expectHit(cache, read)),
      await rejectionOf(expectMiss(cache, read)),
      await rejectionOf(expectHit(cache, () => 1)),
      await rejectionOf(expectMiss(cache, () => users.get('1'), 'tag')),
      await rejectionOf(expectLoads(cache, 2, () => users.getOrSet('2', () => 2))),
      await rejectionOf(expectLoads(cache, 1, read)),
    ];

    expect(failures.map((error) => (error as Error).message)).toEqual([
      'Expected a hit, and saw: miss "a" (absent), loadStarted "a", stored "a".',
      'Expected a miss, and saw: hit "a".',
      'Expected a hit, and nothing was asked of the cache.',
      'Expected a miss (tag), and saw: miss "users > 1" (absent).',
      'Expected 2 loads, and saw: miss "users > 2" (absent), loadStarted "users > 2", stored "users > 2".',
      'Expected 1 load, and saw: hit "a".',
    ]);
    expect(failures.every((error) => (error as { code: string }).code === 'ERR_ASSERTION')).toBe(
      true,
    );
  });

  it('show the error of a load that failed', async () => {
    const run = (): Promise<unknown> =>
      cache.getOrSet('a', () => Promise.reject(new Error('away'))).catch(() => 0);
    const error = await rejectionOf(expectHit(cache, run));

    expect((error as Error).message).toContain('loadFailed "a" (Error: away)');
  });

  it('let an error of what they run through, and leave no listener', async () => {
    const error = await rejectionOf(expectHit(cache, () => Promise.reject(new Error('away'))));

    expect((error as Error).message).toBe('away');
    expect(listeners()).toBe(false);
  });
});
