import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheReport } from '../../lib/report.js';
import { closeWithNothingLeft, patiently } from '../support/leftovers.js';
import { ALL_OPERATIONS, AWAY, entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;
let reports: CacheReport[];

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  reports = [];
  cache = new CacheHierarchy({
    clock,
    remote,
    l1: { ttl: 100 },
    l2: false,
    report: (what) => void reports.push(what),
  });
});

afterEach(() => closeWithNothingLeft(cache, clock));

describe.each(['fail', 'hang'] as const)(
  `${CacheHierarchy.name}: while every call of the remote %ss`,
  (way) => {
    beforeEach(() => remote.when(ALL_OPERATIONS, way));

    it('reads load, and are stored above', async () => {
      expect(await patiently(clock, cache.get('key'))).toBeUndefined();
      expect(
        await patiently(
          clock,
          cache.getOrSet('key', () => 'loaded', { ttl: '1h' }),
        ),
      ).toBe('loaded');
      expect(cache.getMetrics().lower.remote).toMatchObject({ down: true, hits: 0 });
    });

    it('sets are stored above', async () => {
      await patiently(clock, cache.set('key', 'value'));

      expect(cache.getMetrics()).toMatchObject({ sets: 1 });
      expect(cache.getMetrics().lower.remote!.failures).toBeGreaterThan(0);
    });

    it('updates store above', async () => {
      expect(
        await patiently(
          clock,
          cache.update('key', () => 'next'),
        ),
      ).toBe('next');
    });

    it('invalidations resolve', async () => {
      expect(await patiently(clock, cache.delete('key'))).toBe(false);
      expect(await patiently(clock, cache.expire('key'))).toBe(false);
      await patiently(clock, cache.invalidateTags('tag'));
      await patiently(clock, cache.namespace('places').clear());
      await patiently(clock, cache.clear());

      expect(cache.getMetrics().lower.remote!.unconfirmed).toBe(4);
    });

    it('is reported once, without keys and values', async () => {
      await patiently(
        clock,
        cache.getOrSet('secret key', () => 'secret value'),
      );
      await patiently(clock, cache.delete('secret key'));

      expect(reports.map(({ code }) => code)).toEqual(['CACHE_LEVEL_DOWN']);
      expect(reports[0]!.message).toContain('Level remote failed: its read');
      expect(reports[0]!.message).not.toContain('secret');
      expect(reports[0]!.cause).toBe(way === 'fail' ? AWAY : undefined);
    });

    it('leaves nothing behind when it is closed', async () => {
      const pending = [
        cache.get('a'),
        cache.getOrSet('b', () => 1),
        cache.set('c', 1),
        cache.delete('d'),
      ];
      await clock.turn();
      await cache.close();

      await Promise.all(pending);
      expect([clock.pending, remote.closed]).toEqual([0, 1]);
    });
  },
);

describe(`${CacheHierarchy.name}: after an outage of the remote`, () => {
  it('is reported again when it fails anew', async () => {
    for (const way of ['fail', 'answer', 'fail', 'fail'] as const) {
      remote.when('read', way);
      await cache.get('key');
      if (way === 'answer') await clock.advance(60_000);
    }

    expect(reports.map(({ code }) => code)).toEqual(['CACHE_LEVEL_DOWN', 'CACHE_LEVEL_DOWN']);
    expect(cache.getMetrics().lower.remote).toMatchObject({ calls: 4, failures: 3, timeouts: 0 });
  });

  it('deletes what could not be deleted, and does not read it before', async () => {
    await cache.set('key', 'old');
    remote.when('delete', 'fail');
    await cache.delete('key');
    remote.takeCalls();

    expect(await cache.get('key')).toBeUndefined();
    expect(remote.calls).toEqual([]);
    expect(cache.getMetrics().lower.remote).toMatchObject({ unread: 1, unconfirmed: 1 });

    remote.when('delete', 'answer');
    await clock.advance(1_000);
    expect(remote.takeCalls()).toEqual(['delete key']);
    expect(remote.entries.size).toBe(0);
    expect(await cache.get('key')).toBeUndefined();
    expect(remote.calls).toEqual(['read key']);
  });

  it('reads other keys all the while', async () => {
    remote.put('other', entryOf('there', clock));
    remote.when('delete', 'fail');
    await cache.delete('key');

    expect(await cache.get('other')).toBe('there');
  });

  it('takes a value that is set in place of the delete', async () => {
    remote.when('delete', 'fail');
    await cache.delete('key');
    await cache.set('key', 'new');
    await clock.advance(30_000);

    expect(await cache.get('key')).toBe('new');
    expect(remote.calls).toEqual(['delete key', 'write key', 'read key']);
  });

  it('has no old value of a set that failed', async () => {
    await cache.set('key', 'old');
    remote.when('write', 'fail');
    await cache.set('key', 'new');
    expect(cache.peek('key')).toBe('new');
    await clock.advance(100);
    expect(await cache.get('key')).toBeUndefined();

    await clock.advance(1_000);

    expect(remote.entries.size).toBe(0);
    expect(cache.getMetrics().lower.remote!.unconfirmed).toBe(0);
  });

  it('has no value of a set that happened after it was given up', async () => {
    remote.when('write', 'hold');
    await patiently(clock, cache.set('key', 'late', { ttl: 10_000 }));
    const deleting = cache.delete('key');
    remote.letGo();
    await deleting;
    await clock.turn();

    expect(remote.entries.size).toBe(0);
    expect(await cache.get('key')).toBeUndefined();
    expect(cache.getMetrics().lower.remote!.unconfirmed).toBe(0);
  });

  it('gives out nothing with a tag whose invalidation it has not confirmed', async () => {
    remote.put('tagged', entryOf('old', clock, { ttl: 60_000, tags: ['tag'] }));
    remote.put('other', entryOf('there', clock, { ttl: 60_000, tags: ['other'] }));
    remote.when('invalidateTags', 'fail');
    await cache.invalidateTags('tag');

    expect(await cache.get('tagged')).toBeUndefined();
    expect(await cache.get('other')).toBe('there');

    remote.when('invalidateTags', 'answer');
    await clock.advance(1_000);
    expect(remote.entries.read('tagged')).toBeUndefined();
    expect(cache.getMetrics().lower.remote!.unconfirmed).toBe(0);
  });

  it('is not read in a namespace whose clear it has not confirmed', async () => {
    const places = cache.namespace('places');
    await places.set('1', 'Rome');
    remote.put('other', entryOf('there', clock, { ttl: 60_000 }));
    remote.when('clear', 'fail');
    await places.clear();

    expect([await places.get('1'), await cache.get('other')]).toEqual([undefined, 'there']);
    remote.when('clear', 'answer');
    await clock.advance(1_000);
    expect(remote.entries.size).toBe(1);
  });

  it('is not read at all while its clear is not confirmed', async () => {
    remote.put('key', entryOf('old', clock, { ttl: 60_000 }));
    remote.when('clear', 'fail');
    await cache.clear();
    remote.takeCalls();

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(remote.calls).toEqual(['write key', 'clear']);
  });
});

describe(`${CacheHierarchy.name}: a remote that is left alone`, () => {
  it('has nobody wait for whether it is back, and is read when it is', async () => {
    remote.when(ALL_OPERATIONS, 'hang');
    for (let failure = 0; failure < 5; failure++)
      await patiently(clock, cache.get(`key:${failure}`));
    expect(cache.getMetrics().lower.remote!.circuit).toBe('open');
    await clock.advance(1_000);
    remote.takeCalls();

    // No time passes while these are answered.
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    await cache.delete('key');
    expect(remote.takeCalls()).toEqual(['read nestjs-cache-hierarchy:probe']);

    remote.when(ALL_OPERATIONS, 'answer');
    remote.put('there', entryOf('there', clock, { ttl: 1e6 }));
    await clock.advance(1_000);
    await cache.get('any');
    await clock.advance(0);
    expect(await cache.get('there')).toBe('there');
    expect(cache.getMetrics().lower.remote!.circuit).toBe('closed');
  });
});
