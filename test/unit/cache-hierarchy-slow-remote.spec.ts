import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { MAX_CALLS_UNDER_WAY } from '../../lib/hierarchy/timed-calls.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;
let asked: Promise<unknown>[];

/** The remote is slow, and as many calls of it are waited for as may be. */
beforeEach(async () => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  cache = new CacheHierarchy({ clock, remote, l2: false, maxStamps: 20_000 });
  remote.put('key', entryOf('there', clock, { ttl: 60_000 }));
  remote.when('invalidateTags read write delete', 'hold');
  asked = Array.from({ length: MAX_CALLS_UNDER_WAY }, (_, at) => cache.invalidateTags(`tag:${at}`));
  await clock.advance(0);
  remote.takeCalls();
});

afterEach(async () => {
  await cache.close();
  expect(clock.pending).toBe(0);
});

describe(`${CacheHierarchy.name} over a remote of which as many calls are waited for as may be`, () => {
  it('has no call made, and loads', async () => {
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(remote.calls).toEqual([]);
    expect(cache.getMetrics().missReasons).toMatchObject({ 'level down': 2 });
    expect(cache.getMetrics().lower.remote).toMatchObject({ shed: 3, failures: 0, down: false });
  });

  it('rejects a delete that has to reach it', async () => {
    const deleted = cache.delete('key', { require: 'remote' });

    await expect(deleted).rejects.toMatchObject({
      name: 'CacheLevelError',
      cause: { message: '10000 calls of the level remote are waited for' },
    });
  });

  it('tells it later what was set and invalidated, and reads again', async () => {
    await cache.set('key', 'new');
    await cache.invalidateTags('more');
    expect(remote.calls).toEqual([]);
    expect(cache.getMetrics().lower.remote).toMatchObject({ unconfirmed: 2, shed: 2 });

    remote.letGo();
    await Promise.all(asked);
    await clock.advance(1_000);
    expect(remote.takeCalls()).toEqual(['invalidateTags more', 'delete key']);
    expect(cache.getMetrics().lower.remote).toMatchObject({ unconfirmed: 0, inFlight: 0 });
    await cache.get('other');
    expect(remote.calls).toEqual(['read other']);
  });
});
