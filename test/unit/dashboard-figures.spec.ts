import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DashboardRecorder } from '../../lib/dashboard/dashboard-recorder.js';
import type { CacheSample } from '../../lib/dashboard/dashboard-state.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { MapLevel } from '../../lib/testing/map-level.js';
import { defer } from '../support/deferred.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;
let recorder: DashboardRecorder;

function open(options: CacheHierarchyOptions): void {
  cache = new CacheHierarchy({ clock, report: () => {}, ...options });
  recorder = new DashboardRecorder({ caches: () => ({ places: cache }), hotKeysOf: () => [] });
  recorder.sample(clock.wallNow());
}

/** The sample of what has happened since the last one. */
function sample(): Required<CacheSample> {
  recorder.sample(clock.wallNow());
  return recorder.latest()[0]!.caches['places'] as Required<CacheSample>;
}

beforeEach(() => {
  clock = new VirtualClock();
});

afterEach(() => cache.close());

describe(DashboardRecorder.name, () => {
  it('tells how many reads each level answered: with the misses they are all', async () => {
    const remote = new ScriptedLevel(clock);
    remote.put('there', entryOf('there', clock));
    open({ l1: { ttl: 10 }, ttl: 1_000, remote });
    await cache.getOrSet('loaded', () => 1);
    await cache.getOrSet('there', () => 1);
    await cache.getOrSet('there', () => 1);
    await clock.advance(10);
    await cache.get('there');

    const { answered, reads, misses, loads, detail } = sample();

    expect(answered).toEqual({ L1: 1, L2: 1, remote: 1 });
    expect([reads, misses, loads]).toEqual([4, 1, 1]);
    expect(detail.totals.answered).toEqual(answered);
    expect(sample().answered).toEqual({ L1: 0, L2: 0, remote: 0 });
  });

  it('tells of a level outside the process, and that it is down', async () => {
    const remote = new ScriptedLevel(clock);
    open({ l2: false, remote });
    await cache.get('key');
    expect(sample().detail).toMatchObject({
      health: 'up',
      levels: [
        { name: 'L1' },
        {
          name: 'remote',
          kind: 'outside',
          state: 'up',
          hits: 0,
          misses: 1,
          answerTimes: { count: 1, sumMs: 0 },
          failures: 0,
          timeouts: 0,
          unconfirmed: 0,
        },
      ],
    });

    remote.when('read', 'fail');
    await cache.get('other');

    const { detail } = sample();
    expect(detail.health).toBe('degraded');
    expect(detail.levels[1]).toMatchObject({ state: 'down', failures: 1 });
  });

  it('tells of a level of your own in the process', async () => {
    const own = new MapLevel({ inProcess: true, clock });
    open({ l1: { ttl: 10 }, l2: own });
    await cache.set('key', 1, { ttl: 1_000 });
    await clock.advance(10);
    await cache.get('key');
    await cache.get('absent');

    expect(sample().detail.levels[1]).toEqual({
      name: 'L2',
      kind: 'own',
      state: 'up',
      hits: 1,
      misses: 1,
      failures: 0,
    });
  });

  it('tells of each shard, with who waited for its locks', async () => {
    open({ l1: { numShards: 4 }, l2: { numShards: 2 }, lockTimeout: '1m' });
    const gate = defer<number>();
    const updates = [cache.update('key', () => gate.promise), cache.update('key', () => 2)];
    await clock.advance(10);
    gate.resolve(1);
    await Promise.all(updates);
    await cache.get('key');

    const [l1, l2] = sample().detail.levels;
    const shard = cache.l1.table.shardOf('key');

    expect([l1!.shards, l2!.shards].map((shards) => shards!.length)).toEqual([4, 2]);
    expect(l1!.shards![shard]).toEqual({
      entries: 1,
      hits: 1,
      misses: 0,
      evicted: 0,
      expired: 0,
      lockWaits: 1,
    });
    expect(l2!.shards!.map(({ lockWaits }) => lockWaits)).toEqual([0, 0]);
  });

  it('tells of evictions, entries and memory', async () => {
    open({ l1: { maxEntries: 1, numShards: 1 }, l2: false });
    for (const key of ['one', 'two', 'three']) await cache.set(key, 1);

    expect(sample()).toMatchObject({ sets: 3, evicted: 2, entries: 1 });
    expect(sample()).toMatchObject({ sets: 0, evicted: 0, entries: 1 });
  });

  it('tells whether copies are trusted', async () => {
    let lagMs = Infinity;
    const feed = {
      groups: 1,
      maxStaleMs: 1_000,
      groupOf: () => 0,
      isProven: () => lagMs < Infinity,
      provenAgoMs: () => lagMs,
      stop: () => {},
    };
    open({ remote: Object.assign(new MapLevel({ clock }), { follow: () => feed }) });
    expect(sample().detail).toMatchObject({
      health: 'degraded',
      coherence: { proven: false, lagMs: null, missed: 0 },
    });

    lagMs = 12;

    expect(sample().detail).toMatchObject({
      health: 'up',
      coherence: { proven: true, lagMs: 12, missed: 0 },
    });
  });

  it('tells of a closed cache', async () => {
    open({});
    await cache.close();

    expect(sample().detail.health).toBe('down');
    expect(recorder.caches()).toEqual([
      { name: 'places', active: false, levels: ['L1', 'L2'], advice: [] },
    ]);
  });

  it('takes a cache that comes later, or in place of another, from its beginning', async () => {
    open({});
    await cache.get('key');
    await cache.close();
    cache = new CacheHierarchy({ clock });
    await cache.get('key');

    expect(sample()).toMatchObject({ reads: 1, detail: { totals: { reads: 1 } } });
  });
});
