import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CACHE_CHANNELS, type CacheEvent } from '../../lib/hierarchy/cache-events.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { HeldLevel } from '../support/held-level.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: CacheHierarchy;
let told: [event: string, message: unknown][];
let listening: (() => void)[];

beforeEach(() => {
  clock = new VirtualClock();
  cache = new CacheHierarchy({ clock });
  told = [];
  listening = [];
});

afterEach(async () => {
  for (const stop of listening) stop();
  await cache.close();
});

/** Notes what the channels tell from now on. */
function listen(...events: (keyof typeof CACHE_CHANNELS)[]): void {
  for (const event of events) {
    const note = (message: unknown): void => {
      const { hierarchy: _, ...facts } = message as CacheEvent;
      told.push([event, facts]);
    };
    subscribe(CACHE_CHANNELS[event], note);
    listening.push(() => unsubscribe(CACHE_CHANNELS[event], note));
  }
}

function reasons(): unknown[] {
  return told.map(([, message]) => (message as { reason: unknown }).reason);
}

describe(`${CacheHierarchy.name}: events`, () => {
  it('tells of hits, with the level that had the value', async () => {
    const small = new CacheHierarchy({ clock, l1: { ttl: 10 }, l2: { ttl: 100 } });
    await small.set('key', 1);
    await small.namespace('users').set('1', 2);
    listen('hit');

    small.getIfPresent('key');
    await small.getOrSet('key', () => 0);
    small.namespace('users').getIfPresent('1');
    clock.block(10);
    await small.get('key');
    await small.close();

    expect(told.map(([, message]) => message)).toEqual([
      { key: 'key', namespace: [], level: 'L1' },
      { key: 'key', namespace: [], level: 'L1' },
      { key: '1', namespace: ['users'], level: 'L1' },
      { key: 'key', namespace: [], level: 'L2' },
    ]);
  });

  it('tells the name of a named cache', async () => {
    const sessions = new CacheHierarchy({ clock }, { name: 'sessions' });
    listen('miss', 'loadStarted');

    await sessions.getOrSet('key', () => 1);
    await sessions.close();

    expect(told).toEqual([
      ['miss', { cache: 'sessions', key: 'key', namespace: [], reason: 'absent' }],
      ['loadStarted', { cache: 'sessions', key: 'key', namespace: [] }],
    ]);
  });

  it('tells which cache it is of', async () => {
    const caches: unknown[] = [];
    const note = (message: unknown): void => void caches.push((message as CacheEvent).hierarchy);
    subscribe(CACHE_CHANNELS.miss, note);
    listening.push(() => unsubscribe(CACHE_CHANNELS.miss, note));
    const other = new CacheHierarchy({ clock });

    await other.get('key');
    await cache.namespace('users').get('1');
    await other.close();

    expect(caches.map((each) => [cache, other].indexOf(each as CacheHierarchy))).toEqual([1, 0]);
  });

  it('tells of one that was never there as absent', async () => {
    listen('miss');
    await cache.get('key');
    cache.getIfPresent('key');

    expect(told).toEqual([
      ['miss', { key: 'key', namespace: [], reason: 'absent' }],
      ['miss', { key: 'key', namespace: [], reason: 'absent' }],
    ]);
  });

  it('tells of misses by time, by tag and by namespace', async () => {
    const users = cache.namespace('users');
    await cache.set('short', 1, { ttl: 10 });
    await cache.set('tagged', 1, { tags: 'red' });
    await users.set('1', 1);
    await cache.set('kept', 1, { ttl: 10, grace: 1_000 });
    clock.block(10);
    await cache.invalidateTags('red');
    await users.clear();
    listen('miss');

    for (const key of ['short', 'tagged', 'kept']) await cache.get(key);
    await users.get('1');

    expect(reasons()).toEqual(['expired', 'tag', 'expired', 'tag']);
  });

  it('tells that an entry made room, also of what did so while nobody listened', async () => {
    const small = new CacheHierarchy({ clock, l1: { maxEntries: 1 }, l2: false });
    await small.set('a', 1);
    await small.set('b', 1);
    listen('miss');
    await small.set('c', 1);
    const gone = ['a', 'b', 'c'].filter((key) => !small.has(key));

    for (const key of gone) await small.get(key);
    await small.close();

    expect(gone).toHaveLength(2);
    expect(reasons()).toEqual(['evicted', 'evicted']);
  });

  it('tells that what was loaded last was fenced, held or not to be stored', async () => {
    listen('loadDiscarded');
    const loaded = defer<number>();
    const early = cache.getOrSet('fenced', () => loaded.promise);
    await cache.delete('fenced');
    loaded.resolve(1);
    await early;
    await cache.delete('held', { hold: '5s' });
    await cache.getOrSet('held', () => 1);
    await cache.getOrSet('skipped', ({ skip }) => {
      skip();
      return 1;
    });
    const discarded = told;
    told = [];
    listen('miss');

    for (const key of ['fenced', 'held', 'skipped']) await cache.get(key);

    expect(discarded.map(([, message]) => message)).toEqual([
      { key: 'fenced', namespace: [], reason: 'fenced' },
      { key: 'held', namespace: [], reason: 'held' },
      { key: 'skipped', namespace: [], reason: 'skipped' },
    ]);
    expect(reasons()).toEqual(['fenced', 'held', 'skipped']);
  });

  it('tells that what was loaded last had a tag that is held', async () => {
    await cache.getOrSet('key', () => 1, { tags: 'red' });
    listen('miss');

    await cache.invalidateTags('red', { hold: '5s' });
    await cache.getOrSet('key', () => 2, { tags: 'red' });
    await cache.getOrSet('key', () => 3, { tags: 'red' });
    await cache.get('key');

    expect(reasons()).toEqual(['tag', 'held', 'held']);
  });

  it('tells that a call did not read, and that a level was down', async () => {
    const remote = new HeldLevel('remote', clock, () => Promise.reject(new Error('away')));
    const fleet = new CacheHierarchy({ clock, l2: false, remote, report: () => {} });
    await cache.set('key', 1);
    listen('miss');

    await cache.getOrSet('key', () => 2, { skip: { read: ['L1', 'L2'] } });
    await cache.getOrSet('key', () => 2, { forceRefresh: true });
    await fleet.getOrSet('other', () => 2);
    await fleet.close();

    expect(reasons()).toEqual(['skipped', 'skipped', 'level down']);
  });

  it('tells of loads and of what they store', async () => {
    listen('loadStarted', 'loadJoined', 'loadFailed', 'stored');
    const failure = new Error('away');
    const loaded = defer<number>();
    const first = cache.getOrSet('key', () => loaded.promise, { ttl: 100, tags: 'red' });
    const second = cache.getOrSet('key', () => 2);
    loaded.resolve(1);
    await Promise.all([first, second]);
    await cache.getOrSet('bad', () => Promise.reject(failure)).catch(() => {});
    await cache.set('set', 1, { ttl: 50 });

    expect(told).toEqual([
      ['loadStarted', { key: 'key', namespace: [] }],
      ['loadJoined', { key: 'key', namespace: [] }],
      ['stored', { key: 'key', namespace: [], source: 'load', freshForMs: 100, tags: ['red'] }],
      ['loadStarted', { key: 'bad', namespace: [] }],
      ['loadFailed', { key: 'bad', namespace: [], error: failure }],
      ['stored', { key: 'set', namespace: [], source: 'write', freshForMs: 50, tags: [] }],
    ]);
  });

  it('tells that a load behind a hit was stored', async () => {
    const options = { ttl: 100, eager: 0.5 } as const;
    await cache.getOrSet('key', () => 1, options);
    clock.block(60);
    listen('refreshed', 'hit');

    await cache.getOrSet('key', () => 2, options);
    await settle();

    expect(told.map(([event]) => event)).toEqual(['hit', 'refreshed']);
  });

  it('tells what callers invalidate, when it is done in this process', async () => {
    const users = cache.namespace('users').namespace('old');
    await cache.set('key', 1);
    const left: unknown[] = [];
    const look = (): void => void left.push(cache.peek('key'));
    listen('invalidated');
    subscribe(CACHE_CHANNELS.invalidated, look);
    listening.push(() => unsubscribe(CACHE_CHANNELS.invalidated, look));

    const calls = [
      cache.delete('key'),
      users.expire('1'),
      users.deleteMany(['2', '3']),
      cache.invalidateTags(['red', 'blue']),
      users.clear(),
      cache.clear(),
    ];

    const one = { key: undefined, namespace: [], tags: [] };
    const old = { ...one, namespace: ['users', 'old'] };
    expect(told.map(([, message]) => message)).toEqual([
      { ...one, kind: 'delete', key: 'key' },
      { ...old, kind: 'expire', key: '1' },
      { ...old, kind: 'delete', key: '2' },
      { ...old, kind: 'delete', key: '3' },
      { ...one, kind: 'tags', tags: ['red', 'blue'] },
      { ...old, kind: 'clear' },
      { ...one, kind: 'clear' },
    ]);
    expect(left).toEqual(Array.from({ length: 7 }));
    await Promise.all(calls);
  });

  it('tells of no invalidation that came too late', async () => {
    const closed = new CacheHierarchy({ clock, report: () => {} });
    await closed.close();
    listen('invalidated');

    await Promise.all([closed.delete('key'), closed.invalidateTags('tag'), closed.clear()]);

    expect(told).toEqual([]);
  });

  it('tells what was found in this process where a level below is asked, too', async () => {
    const remote = new HeldLevel('remote', clock, async (_, apply) => apply());
    const fleet = new CacheHierarchy({ clock, l1: { ttl: 10 }, l2: false, remote });
    await fleet.set('tagged', 1, { tags: 'red' });
    await fleet.set('expired', 1, { ttl: 10 });
    await fleet.invalidateTags('red');
    listen('miss');

    await fleet.get('tagged');
    clock.block(10);
    for (const key of ['expired', 'absent']) await fleet.get(key);
    await fleet.close();

    expect(reasons()).toEqual(['tag', 'expired', 'absent']);
  });

  it('tells of hits in a level below, and of one miss for callers who wait for the same lookup', async () => {
    const remote = new HeldLevel('remote', clock, async (_, apply) => apply());
    const fleet = new CacheHierarchy({ clock, l2: false, remote });
    const bornAt = clock.now();
    remote.entries.write('key', { value: 1, bornAt, freshUntil: Infinity, staleUntil: Infinity });
    listen('hit', 'miss');

    await fleet.get('key');
    await fleet.getOrSet('other', () => 2);
    fleet.getIfPresent('third');
    await fleet.close();

    expect(told).toEqual([
      ['hit', { key: 'key', namespace: [], level: 'remote' }],
      ['miss', { key: 'other', namespace: [], reason: 'absent' }],
      ['miss', { key: 'third', namespace: [], reason: 'absent' }],
    ]);
  });
});
