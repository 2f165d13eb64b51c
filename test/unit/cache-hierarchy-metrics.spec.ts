import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MISS_REASONS } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { LATENCY_BUCKETS_MS } from '../../lib/hierarchy/latency-histogram.js';
import { MapLevel } from '../../lib/testing/map-level.js';
import { defer } from '../support/deferred.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, report: () => {}, ...options });
}

/** The reasons that were counted at all. */
function reasons(): Record<string, number> {
  const { missReasons } = cache.getMetrics();
  return Object.fromEntries(Object.entries(missReasons).filter(([, count]) => count > 0));
}

beforeEach(() => {
  clock = new VirtualClock();
});

afterEach(async () => {
  const { gets, hits, misses, missReasons, answered } = cache.getMetrics();
  expect(hits + misses).toBe(gets);
  expect(Object.values(answered).reduce((sum, reads) => sum + reads)).toBe(hits);
  expect(Object.keys(missReasons)).toEqual([...MISS_REASONS]);
  await cache.close();
});

describe(`${CacheHierarchy.name}: misses by reason`, () => {
  it('tells what the rows tell', async () => {
    open({ ttl: 100, l1: { ttl: 100 } });
    await cache.get('absent');
    await cache.set('expired', 1);
    await cache.set('tagged', 1, { tags: 'tag' });
    await cache.invalidateTags('tag');
    await cache.get('tagged');
    await clock.advance(100);
    await cache.get('expired');

    expect(reasons()).toEqual({ absent: 1, expired: 1, tag: 1 });
    expect(cache.getMetrics().levels.L1).toMatchObject({
      misses: 3,
      expiredMisses: 1,
      tagMisses: 1,
    });
    expect(cache.getMetrics().misses).toBe(3);
  });

  it('counts an entry in its grace as expired', async () => {
    open({ ttl: 100, grace: 1_000 });
    await cache.set('key', 1);
    await clock.advance(100);
    await cache.get('key');

    expect(reasons()).toEqual({ expired: 1 });
  });

  it('tells what the call has said, and holds', async () => {
    open();
    await cache.getOrSet('key', () => 1, { forceRefresh: true });
    await cache.getOrSet('key', () => 1, { skip: { read: ['L1', 'L2'] } });
    await cache.delete('key', { hold: 100 });
    await cache.get('key');

    expect(reasons()).toEqual({ skipped: 2, held: 1 });
  });

  it('tells of a level that is down', async () => {
    const remote = new ScriptedLevel(clock);
    open({ remote });
    remote.when('read', 'fail');
    await cache.get('first');
    await cache.get('second');

    expect(reasons()).toEqual({ absent: 1, 'level down': 1 });
  });

  it('tells an undersized cache from keys that nobody has asked for', async () => {
    open({ l1: { maxEntries: 100, numShards: 1 }, l2: false });
    const keys = Array.from({ length: 200 }, (_, at) => `key ${at}`);
    for (const key of keys) await cache.getOrSet(key, () => 1);
    expect(reasons()).toEqual({ absent: 200 });

    for (const key of keys) await cache.getOrSet(key, () => 1);

    const { hits } = cache.getMetrics();
    const { absent = 0, evicted = 0 } = reasons();
    expect(absent + evicted + hits).toBe(400);
    expect(evicted).toBeGreaterThan(0.7 * (200 - hits));
  });

  it('tells of what has left the last level in this process', async () => {
    open({ l1: { maxEntries: 1 }, l2: { maxEntries: 2, numShards: 1 } });
    for (const key of ['one', 'two', 'three', 'four']) await cache.set(key, 1);
    const kept = ['one', 'two', 'three', 'four'].filter((key) => cache.has(key));
    expect(kept).toHaveLength(2);

    await cache.deleteMany(kept);
    for (const key of ['one', 'two', 'three', 'four']) await cache.get(key);

    expect(reasons()).toEqual({ absent: 2, evicted: 2 });
  });

  it('does not tell of what has left a level that has another below it', async () => {
    const cleanupInterval = 20;
    open({ l1: { maxEntries: 1, cleanupInterval }, l2: { maxEntries: 10, cleanupInterval } });
    for (const key of ['one', 'two']) await cache.set(key, 1, { ttl: 10 });
    await clock.advance(100);

    for (const key of ['one', 'two']) await cache.get(key);

    expect(cache.getMetrics().levels.L1.evicted).toBe(1);
    expect(reasons()).toEqual({ absent: 2 });
  });

  it.each([
    ['is deleted', (key: string) => cache.delete(key)],
    ['goes with all others', () => cache.clear()],
    [
      'is stored again',
      async (key: string) => {
        await cache.set(key, 1, { ttl: 10 });
        await clock.advance(100);
      },
    ],
  ])('forgets that a key was evicted when it %s', async (_, forget) => {
    open({ l1: { maxEntries: 1, numShards: 1, cleanupInterval: 20 }, l2: false });
    await cache.set('one', 1);
    await cache.set('two', 1);
    const gone = cache.has('one') ? 'two' : 'one';

    await forget(gone);
    await cache.get(gone);

    expect(reasons()).toEqual({ absent: 1 });
  });

  it('tells that what was loaded last was fenced, held or not to be stored', async () => {
    open();
    const loaded = defer<number>();
    const early = cache.getOrSet('fenced', () => loaded.promise);
    await cache.delete('fenced');
    loaded.resolve(1);
    await early;
    await cache.getOrSet('tagged', () => 1, { tags: 'red' });
    await cache.invalidateTags('red', { hold: 100 });
    await cache.getOrSet('held', () => 1, { tags: 'red' });
    await cache.getOrSet('skipped', ({ skip }) => {
      skip();
      return 1;
    });
    expect(reasons()).toEqual({ absent: 4 });

    for (const key of ['fenced', 'held', 'skipped']) await cache.get(key);

    expect(reasons()).toEqual({ absent: 4, fenced: 1, held: 1, skipped: 1 });
  });

  it('goes on telling of what a read has found dead, until it is stored again', async () => {
    open({ ttl: 100, l1: { ttl: 100 } });
    await cache.set('key', 1);
    await clock.advance(100);
    await cache.get('key');
    await cache.get('key');
    await cache.set('key', 1);
    await cache.delete('key');
    await cache.get('key');

    expect(reasons()).toEqual({ absent: 1, expired: 2 });
  });

  it('counts what a lower level has answered since', async () => {
    const remote = new ScriptedLevel(clock);
    remote.put('key', entryOf('there', clock));
    open({ remote });
    await cache.get('key');

    expect(reasons()).toEqual({ absent: 1 });
    expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 0 });
  });

  it('counts nothing else once the cache is closed', async () => {
    open();
    await cache.close();
    await cache.get('key');

    expect(reasons()).toEqual({ absent: 1 });
  });
});

describe(`${CacheHierarchy.name}: hits by level`, () => {
  it('tells which level in this process answered', async () => {
    open({ l1: { ttl: 10 }, l2: { ttl: 100 } });
    await cache.set('key', 1);
    await cache.get('key');
    await cache.namespace('users').set('1', 1, { tags: 'tag' });
    await cache.namespace('users').get('1');
    await clock.advance(10);
    await cache.get('key');
    await cache.getOrSet('absent', () => 1);

    expect(cache.getMetrics().answered).toEqual({ L1: 2, L2: 1 });
  });

  it('tells of one of your own, and begins anew with the counters', async () => {
    const own = new MapLevel({ inProcess: true, clock });
    open({ l1: { ttl: 10 }, l2: own });
    await cache.set('key', 1, { ttl: 1_000 });
    await cache.get('key');
    await clock.advance(10);
    await cache.get('key');
    expect(cache.getMetrics().answered).toEqual({ L1: 1, L2: 1 });

    cache.resetMetrics();
    await cache.get('key');

    expect(cache.getMetrics().answered).toEqual({ L1: 1, L2: 0 });
  });

  it('counts each caller whom one answer of a level outside has reached', async () => {
    const remote = new ScriptedLevel(clock);
    for (const key of ['one', 'two']) remote.put(key, entryOf('there', clock));
    open({ remote });
    await Promise.all([1, 2, 3].map(() => cache.getOrSet('one', () => 'loaded')));
    await cache.get('two');
    await cache.get('two');

    expect(cache.getMetrics().answered).toEqual({ L1: 1, L2: 0, remote: 4 });
  });
});

describe(`${CacheHierarchy.name}: how long things take`, () => {
  it('counts loads in buckets, and those who waited for one', async () => {
    open();
    const gate = defer<number>();
    const answers = [1, 2, 3].map(() => cache.getOrSet('key', () => gate.promise));
    await clock.advance(30);
    gate.resolve(1);
    await Promise.all(answers);
    await expect(cache.getOrSet('bad', () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    );

    const { loadTimes, loadMs, joins } = cache.getMetrics();

    expect({ joins, loadMs }).toEqual({ joins: 2, loadMs: 30 });
    expect(loadTimes).toMatchObject({ count: 2, sumMs: 30 });
    expect(loadTimes.buckets[LATENCY_BUCKETS_MS.indexOf(50)]).toBe(1);
    expect(loadTimes.buckets[0]).toBe(1);
  });

  it('puts what takes longer than the last bound behind it', async () => {
    open({ joinTimeout: '10m' });
    const gate = defer<number>();
    const answer = cache.getOrSet('key', () => gate.promise);
    await clock.advance(50_001);
    gate.resolve(1);
    await answer;

    expect(cache.getMetrics().loadTimes.buckets.at(-1)).toBe(1);
  });

  it('times the answers of levels outside the process, and tells when their circuit opens', async () => {
    const remote = new ScriptedLevel(clock);
    open({ remote });
    await cache.get('key');
    expect(cache.getMetrics().lower.remote).toMatchObject({
      circuit: 'closed',
      answerTimes: { count: 1 },
    });

    remote.when('read', 'fail');
    for (const key of ['1', '2', '3', '4']) await cache.get(key);
    expect(cache.getMetrics().lower.remote).toMatchObject({ down: true, circuit: 'closed' });
    await cache.get('5');

    expect(cache.getMetrics().lower.remote).toMatchObject({
      circuit: 'open',
      answerTimes: { count: 1 },
    });
  });
});

describe(`${CacheHierarchy.name}: locks and cleanup`, () => {
  it('tells in which shard callers had to wait', async () => {
    open({ l1: { numShards: 4 }, lockTimeout: '1m' });
    const gate = defer<number>();
    const updates = [cache.update('key', () => gate.promise), cache.update('key', () => 2)];
    await clock.advance(10);
    gate.resolve(1);
    await Promise.all(updates);

    const { locks } = cache.getMetrics();
    const shard = cache.l1.table.shardOf('key');

    expect(locks.shards).toHaveLength(shard + 1);
    expect(locks.shards[shard]).toEqual({ contentions: 1, waitMs: 10 });
    expect(locks).toMatchObject({ contentions: 1, waitMs: 10 });
  });

  it('counts the slices of the cleanup', async () => {
    open();
    const removed = cache.removeExpired();
    await clock.advance(10);
    await removed;

    expect(cache.getMetrics().levels.L1).toMatchObject({
      cleanupSlices: 1,
      longestCleanupSliceMs: 0,
    });
  });
});

describe(`${CacheHierarchy.name}.resetMetrics`, () => {
  it('sets what counts to zero and leaves what is', async () => {
    const remote = new ScriptedLevel(clock);
    open({ remote });
    const untouched = cache.getMetrics();
    await cache.getOrSet('key', () => 1);
    await cache.get('key');
    await cache.update('key', () => 2);

    cache.resetMetrics();

    const { levels, ...metrics } = cache.getMetrics();
    const { levels: _, ...zero } = untouched;
    const locks = { ...zero.locks, shards: metrics.locks.shards };
    expect(metrics).toEqual({ ...zero, resets: 1, locks });
    expect(levels.L1).toMatchObject({ size: 1, gets: 0, hits: 0, sets: 0, misses: 0 });
    expect(levels.L1.shards.reduce((sum, { hits, sets }) => sum + hits + sets, 0)).toBe(0);
  });

  it('counts on from there', async () => {
    open();
    await cache.get('key');
    cache.resetMetrics();
    await cache.getOrSet('key', () => 1);
    await cache.get('key');

    expect(cache.getMetrics()).toMatchObject({ gets: 2, hits: 1, misses: 1, loads: 1 });
    expect(cache.getMetrics().hitRatio).toBe(0.5);
  });

  it('takes a read that was under way as one of those after it', async () => {
    const remote = new ScriptedLevel(clock);
    remote.when('read', 'hold');
    remote.put('key', entryOf('there', clock));
    open({ remote });
    const answer = cache.get('key');
    cache.resetMetrics();
    remote.letGo();
    await answer;

    expect(cache.getMetrics()).toMatchObject({ gets: 1, hits: 1, misses: 0, hitRatio: 1 });
  });

  it('forgets what shards that are gone have counted', async () => {
    open({ l1: { numShards: 4, maxEntries: 4_000 } });
    for (let id = 0; id < 100; id++) await cache.get(`key${id}`);
    await cache.l1.reshard(2);
    cache.l1.table.resetMetrics();

    expect(cache.l1.getMetrics()).toMatchObject({ gets: 0, misses: 0 });
  });
});
