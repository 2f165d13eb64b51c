import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, remote, ...options });
}

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  open();
});

afterEach(() => closeWithNothingLeft(cache, clock));

describe(`${CacheHierarchy.name}: what a remote has`, () => {
  it('is copied into L1 and L2', async () => {
    remote.put('key', entryOf('there', clock));

    expect(await cache.get('key')).toBe('there');

    expect([cache.l1.peek('key'), cache.l2!.peek('key')]).toEqual(['there', 'there']);
    expect(await cache.get('key')).toBe('there');
    expect(remote.calls).toEqual(['read key']);
  });

  it('keeps what remains of its lifetime in the levels above', async () => {
    remote.put('key', entryOf('there', clock, { ttl: 1_000 }));
    await clock.advance(600);
    await cache.get('key');

    await clock.advance(399);
    expect(cache.peek('key')).toBe('there');
    await clock.advance(1);
    expect(cache.peek('key')).toBeUndefined();
  });

  it('stays in L1 for the ttl of L1 at most', async () => {
    await cache.close();
    open({ l1: { ttl: 100 }, l2: false });
    remote.put('key', entryOf('there', clock, { ttl: 1_000 }));
    await cache.get('key');
    await clock.advance(100);

    expect(cache.peek('key')).toBeUndefined();
    expect(await cache.get('key')).toBe('there');
    expect(remote.calls).toEqual(['read key', 'read key']);
  });

  it('is seen by no synchronous read before it is copied', async () => {
    remote.put('key', entryOf('there', clock));

    expect([cache.peek('key'), cache.has('key'), cache.getIfPresent('key')]).toEqual([
      undefined,
      false,
      undefined,
    ]);
    expect(remote.calls).toEqual([]);
  });

  it('is no answer once it has expired on its way', async () => {
    remote.put('key', entryOf('there', clock, { ttl: 100 }));
    remote.when('read', (apply) => {
      const found = apply();
      clock.block(100);
      return found;
    });

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
  });

  it('is null, which is a hit', async () => {
    remote.put('key', entryOf(null, clock));

    expect(await cache.get('key')).toBeNull();
    expect(await cache.getOrSet('key', () => 'loaded')).toBeNull();
  });

  it('is found in a namespace under the whole key', async () => {
    await cache.namespace('places').set('1', 'Rome');
    await cache.l1.clear();
    await cache.l2!.clear();
    remote.takeCalls();

    expect(await cache.namespace('places').get('1')).toBe('Rome');
    expect(remote.calls).toEqual(['read places\u001f1']);
  });

  it('is not asked where a key reaches into a namespace', async () => {
    expect(await cache.get('places\u001f1')).toBeUndefined();
    expect(remote.calls).toEqual([]);
  });
});

describe(`${CacheHierarchy.name}: counts with a remote`, () => {
  it('counts a hit in the remote as one hit', async () => {
    remote.put('key', entryOf('there', clock));

    await cache.get('key');
    await cache.get('absent');
    await cache.getMany(['key', 'none']);

    expect(cache.getMetrics()).toMatchObject({ gets: 4, hits: 2, misses: 2, hitRatio: 0.5 });
    expect(cache.getMetrics().lower.remote).toMatchObject({ hits: 1, misses: 2, calls: 3 });
  });

  it('counts it for every caller that joined', async () => {
    remote.put('key', entryOf('there', clock));
    remote.when('read', 'hold');
    const callers = [1, 2, 3].map(() => cache.getOrSet('key', () => 'loaded'));
    const reader = cache.get('key');
    await clock.turn();
    remote.letGo();

    expect(await Promise.all([...callers, reader])).toEqual(Array(4).fill('there'));
    expect(cache.getMetrics()).toMatchObject({ gets: 4, hits: 4, misses: 0, loads: 0, joins: 2 });
  });

  it('counts a load as a miss of every caller that joined', async () => {
    const callers = [1, 2, 3].map(() => cache.getOrSet('key', () => 'loaded'));
    await Promise.all(callers);

    expect(cache.getMetrics()).toMatchObject({ gets: 3, hits: 0, misses: 3, loads: 1 });
  });

  it('counts a read under way as a miss', async () => {
    remote.put('key', entryOf('there', clock));
    remote.when('read', 'hold');
    const reading = cache.get('key');
    await clock.turn();

    expect(cache.getMetrics()).toMatchObject({ gets: 1, hits: 0, misses: 1 });
    remote.letGo();
    await reading;
    expect(cache.getMetrics()).toMatchObject({ gets: 1, hits: 1, misses: 0 });
  });
});

describe(`${CacheHierarchy.name}: inspect with a remote`, () => {
  it('counts no hit and no miss, in no level', async () => {
    await cache.set('key', 'value');
    remote.put('there', entryOf('value', clock));
    const { lower, ...before } = cache.getMetrics();
    for (const key of ['key', 'there', 'absent']) await cache.inspect(key);
    remote.when('delete', 'hang');
    void cache.delete('key');
    await cache.inspect('key');

    const { hits, misses, unread } = lower.remote!;
    expect(cache.getMetrics()).toMatchObject({
      hits: before.hits,
      misses: before.misses,
      lower: { remote: { hits, misses, unread } },
    });
    expect(cache.getMetrics().levels).toMatchObject({
      L1: { hits: before.levels.L1.hits, misses: before.levels.L1.misses },
    });
  });

  it('tells what each level has', async () => {
    await cache.set('key', 'value', { ttl: '5m', tags: 'tag' });
    await clock.advance(10_000);

    expect(await cache.inspect('key')).toMatchObject([
      { level: 'L1', value: 'value', freshForMs: 50_000, tags: ['tag'] },
      { level: 'L2', value: 'value', freshForMs: 290_000, ageMs: 10_000 },
      { level: 'remote', value: 'value', freshForMs: 290_000, keptForMs: 290_000, ageMs: 10_000 },
    ]);
    expect(cache.getMetrics().gets).toBe(0);
  });

  it('shows a stale value of the remote, and copies nothing', async () => {
    remote.put('key', entryOf('old', clock, { ttl: -1, grace: 1_000 }));

    expect(await cache.inspect('key')).toMatchObject([
      { level: 'remote', value: 'old', stale: true, freshForMs: 0, keptForMs: 999 },
    ]);
    expect(cache.l2!.size).toBe(0);
  });
});
