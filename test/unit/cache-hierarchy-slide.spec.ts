import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** How long L1 keeps a copy. */
const COPY_MS = 40;

let clock: VirtualClock;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, slide: true, ttl: 1_000, l1: { ttl: COPY_MS }, ...options });
}

beforeEach(() => {
  clock = new VirtualClock();
});

afterEach(async () => {
  await cache.close();
  expect(clock.pending).toBe(0);
});

/** For how many milliseconds L1 keeps its copy; `undefined` if it has none. */
async function copyIsKeptMs(key: string): Promise<number | undefined> {
  const levels = await cache.inspect(key);
  return levels.find(({ level }) => level === 'L1')?.keptForMs;
}

/** Sweeps both levels; returns how many entries that removed. */
async function sweep(): Promise<number> {
  const removing = cache.removeExpired();
  await clock.turn();
  return removing;
}

describe(`${CacheHierarchy.name}: slide`, () => {
  it.each<[string, () => unknown]>([
    ['get', () => cache.get('key')],
    ['getIfPresent', () => cache.getIfPresent('key')],
    ['getMany', () => cache.getMany(['key'])],
    ['getOrSet', () => cache.getOrSet('key', () => 'new')],
    ['getOrSetMany', () => cache.getOrSetMany(['key'], () => new Map())],
  ])('lets a hit by %s restart the time of the copy in L1', async (_, read) => {
    open();
    await cache.set('key', 'value');
    clock.block(COPY_MS - 1);
    await read();

    expect(await copyIsKeptMs('key')).toBe(COPY_MS);
    clock.block(COPY_MS - 1);
    expect(cache.getIfPresent('key')).toBe('value');
    expect(cache.getMetrics().levels).toMatchObject({ L1: { misses: 0 }, L2: { gets: 0 } });
  });

  it('is off by default', async () => {
    open({ slide: undefined });
    await cache.set('key', 'value');
    clock.block(COPY_MS - 1);
    await cache.get('key');

    expect(await copyIsKeptMs('key')).toBe(1);
  });

  it('moves nothing when somebody only looks', async () => {
    open();
    await cache.set('key', 'value');
    clock.block(COPY_MS - 1);

    expect([cache.peek('key'), cache.has('key')]).toEqual(['value', true]);
    expect(await cache.inspect('key')).toMatchObject([
      { level: 'L1', freshForMs: 1, keptForMs: 1 },
      { level: 'L2', freshForMs: 961, keptForMs: 961 },
    ]);
    expect(await copyIsKeptMs('key')).toBe(1);
  });

  it('is true or false, nothing else', () => {
    open();

    expect(() => new CacheHierarchy({ slide: '60s' as unknown as boolean })).toThrow(
      'slide: must be true or false, got "60s"',
    );
  });
});

describe(`${CacheHierarchy.name}: slide and the lifetime of the entry`, () => {
  it('never reaches beyond it', async () => {
    open();
    await cache.set('key', 'value', { ttl: 100 });
    for (const ms of [30, 30, 30]) {
      clock.block(ms);
      cache.getIfPresent('key');
    }

    expect(await copyIsKeptMs('key')).toBe(10);
    clock.block(10);
    expect(await cache.get('key')).toBeUndefined();
  });

  it('reaches up to it where it is a fraction of a millisecond', async () => {
    open();
    await cache.set('key', 'value', { ttl: 60.5 });
    clock.block(30);
    cache.getIfPresent('key');
    cache.getIfPresent('key');

    expect(await copyIsKeptMs('key')).toBe(30);
  });

  it('goes on for ever with an entry that never expires, while it is asked for', async () => {
    open();
    await cache.set('key', 'value', { ttl: Infinity });
    for (let hit = 0; hit < 100; hit++) {
      clock.block(COPY_MS - 1);
      cache.getIfPresent('key');
    }

    expect(await copyIsKeptMs('key')).toBe(COPY_MS);
    clock.block(COPY_MS);
    expect(await copyIsKeptMs('key')).toBeUndefined();
  });

  it('works with a ttl of L1 beyond the ticks of a table', async () => {
    const monthMs = 30 * 86_400_000;
    open({ l1: { ttl: monthMs }, ttl: Infinity });
    await cache.set('key', 'value');
    for (let month = 0; month < 24; month++) {
      clock.block(monthMs - 1);
      cache.getIfPresent('key');
    }

    expect(await copyIsKeptMs('key')).toBe(monthMs);
    expect(cache.getMetrics().levels).toMatchObject({ L1: { hits: 24 }, L2: { gets: 0 } });
  });

  it('lets a copy that was filled from L2 slide as well', async () => {
    open();
    await cache.set('key', 'value');
    clock.block(COPY_MS);
    cache.getIfPresent('key');
    clock.block(COPY_MS - 1);
    cache.getIfPresent('key');

    expect(await copyIsKeptMs('key')).toBe(COPY_MS);
  });

  it('does not reach into the grace', async () => {
    open();
    await cache.set('key', 'value', { ttl: 60, grace: 500 });
    clock.block(30);
    cache.getIfPresent('key');
    expect(await copyIsKeptMs('key')).toBe(30);

    clock.block(30);
    expect(cache.getIfPresent('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => Promise.reject(new Error('away')))).toBe('value');
  });

  it('does not bring a copy back whose time is over, where L1 keeps stale values', async () => {
    const remote = new ScriptedLevel(clock);
    open({ l2: false, remote, grace: 1_000 });
    await cache.set('key', 'value');
    clock.block(COPY_MS);

    expect([cache.getIfPresent('key'), cache.getIfPresent('key')]).toEqual([undefined, undefined]);
    remote.takeCalls();
    expect(await cache.get('key')).toBe('value');
    expect(remote.calls).toEqual(['read key']);
  });

  it('does nothing where no level is below', async () => {
    open({ l2: false, ttl: 60 });
    await cache.set('key', 'value', { grace: 100 });
    clock.block(30);
    cache.getIfPresent('key');

    expect(await cache.inspect('key')).toMatchObject([{ freshForMs: 30, keptForMs: 130 }]);
    clock.block(30);
    expect(cache.getIfPresent('key')).toBeUndefined();
  });
});

describe(`${CacheHierarchy.name}: slide and what else an entry has`, () => {
  it('keeps its tags', async () => {
    open();
    await cache.set('key', 'value', { tags: ['a', 'b'] });
    clock.block(30);
    cache.getIfPresent('key');

    expect(await cache.inspect('key')).toMatchObject([
      { keptForMs: COPY_MS, ageMs: 30, tags: ['a', 'b'] },
      { tags: ['a', 'b'] },
    ]);
    await cache.invalidateTags('b');
    expect(cache.getIfPresent('key')).toBeUndefined();
  });

  it('keeps its namespace', async () => {
    open();
    const places = cache.namespace('places');
    await places.set('1', 'Paris');
    clock.block(30);
    places.getIfPresent('1');
    clock.block(30);

    expect(places.getIfPresent('1')).toBe('Paris');
    expect(cache.getMetrics().levels).toMatchObject({ L1: { hits: 2 }, L2: { gets: 0 } });
    await places.clear();
    expect(places.getIfPresent('1')).toBeUndefined();
  });

  it('refreshes it behind a hit when that is due, and slides on if that fails', async () => {
    open({ l2: { maxEntries: 1 }, eager: 0.05 });
    const away = (): Promise<string> => Promise.reject(new Error('away'));
    await cache.set('key', 'value');
    await cache.set('another', 'which takes the place in L2');
    clock.block(30);
    await cache.getOrSet('key', away);
    clock.block(30);
    await cache.getOrSet('key', away);
    await clock.turn();
    expect(cache.getMetrics()).toMatchObject({ refreshes: 1, loadFailures: 1 });
    clock.block(30);

    expect(await cache.getOrSet('key', away)).toBe('value');
    expect(await copyIsKeptMs('key')).toBe(COPY_MS);
    expect(cache.getMetrics().levels.L2?.evicted).toBe(1);
  });

  it('takes the lifetime of a newer value', async () => {
    open();
    await cache.set('key', 'old');
    cache.getIfPresent('key');
    await cache.set('key', 'new', { ttl: 10 });
    cache.getIfPresent('key');

    expect(await copyIsKeptMs('key')).toBe(10);
  });

  it('is over when it is deleted or expired', async () => {
    open();
    await cache.setMany([
      ['deleted', 1],
      ['expired', 1],
    ]);
    await cache.getMany(['deleted', 'expired']);
    await cache.delete('deleted');
    await cache.expire('expired');

    expect(await cache.getMany(['deleted', 'expired'])).toEqual(new Map());
  });

  it('counts a hit as a hit, and nothing as stored, evicted or expired', async () => {
    open();
    await cache.set('key', 'value');
    for (let hit = 0; hit < 10; hit++) {
      clock.block(30);
      await cache.get('key');
    }

    expect(cache.getMetrics()).toMatchObject({ gets: 10, hits: 10, sets: 1 });
    expect(cache.getMetrics().levels).toMatchObject({
      L1: { size: 1, gets: 10, hits: 10, sets: 1, deletes: 0, expired: 0, evicted: 0 },
      L2: { size: 1, gets: 0 },
    });
  });
});

describe(`${CacheHierarchy.name}: slide and the sweep`, () => {
  it('leaves what has slid, and removes it when its time is over', async () => {
    open();
    for (let id = 0; id < 100; id++) await cache.set(`key-${id}`, id);
    clock.block(30);
    for (let id = 0; id < 50; id++) cache.getIfPresent(`key-${id}`);
    clock.block(10);
    expect(await sweep()).toBe(50);
    expect(cache.l1.size).toBe(50);

    clock.block(29);
    expect(await sweep()).toBe(0);
    clock.block(1);
    expect(await sweep()).toBe(50);
    expect([cache.l1.size, cache.l2?.size]).toEqual([0, 100]);
    expect(cache.getMetrics().levels.L1.expired).toBe(100);
  });

  it('takes away what has slid and was invalidated', async () => {
    open();
    await cache.set('tagged', 1, { tags: 'tag' });
    await cache.set('plain', 1);
    clock.block(30);
    await cache.getMany(['tagged', 'plain']);
    await cache.invalidateTags('tag');

    expect(await sweep()).toBe(2);
    expect([cache.l1.has('plain'), cache.l1.size]).toEqual([true, 1]);
  });
});
