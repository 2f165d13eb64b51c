import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { ChangeFeed, ChangeListener } from '../../lib/levels/change-feed.js';
import { defer } from '../support/deferred.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A level that tells what the test says other processes have changed; keys are grouped by their first letter. */
class ToldLevel extends ScriptedLevel {
  listener: ChangeListener | undefined;
  isProven = true;
  provenAgoMs: (() => number) | undefined;
  stopped = 0;

  follow(listener: ChangeListener): ChangeFeed {
    this.listener = listener;
    return {
      groups: 26,
      maxStaleMs: 5_000,
      groupOf: (key) => key.charCodeAt(0) % 26,
      isProven: () => this.isProven,
      ...(this.provenAgoMs && { provenAgoMs: this.provenAgoMs }),
      stop: () => void (this.stopped += 1),
    };
  }
}

const A_KEYS = 'a'.charCodeAt(0) % 26;

let clock: VirtualClock;
let remote: ToldLevel;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ToldLevel(clock);
  cache = new CacheHierarchy({ clock, remote, ttl: '1h', l1: { ttl: '1h' }, report: () => {} });
});

afterEach(async () => {
  await cache.close();
  expect(remote.stopped).toBe(1);
  expect(clock.pending).toBe(0);
});

/** Another process writes a value, and tells of it unless that is lost. */
function change(key: string, value: unknown, isTold = true): void {
  remote.put(key, entryOf(value, clock, { ttl: 1e6 }));
  if (isTold) remote.listener!.changed({ kind: 'key', key });
}

describe('copies of a level that others change', () => {
  beforeEach(async () => {
    await cache.setMany([
      ['a1', 'old'],
      ['a2', 'old'],
      ['b1', 'old'],
    ]);
    await cache.set('tagged', 'old', { tags: 'tag' });
    await cache.namespace('places').set('key', 'old');
    remote.takeCalls();
  });

  it('are dropped where one hears of a change, and the others are hits', async () => {
    change('a1', 'new');

    expect([cache.has('a1'), cache.has('a2')]).toEqual([false, true]);
    expect(await cache.get('a1')).toBe('new');
    expect(await cache.getOrSet('b1', () => 'loaded')).toBe('old');
    expect(remote.calls).toEqual(['read a1']);
    expect(cache.getMetrics().coherence).toEqual({
      heard: 1,
      missed: 0,
      lapses: 0,
      proven: true,
    });
  });

  it('are misses where a tag, a namespace or everything was invalidated', () => {
    remote.listener!.changed({ kind: 'tags', tags: ['tag'] });
    expect([cache.has('tagged'), cache.has('a1')]).toEqual([false, true]);

    remote.listener!.changed({ kind: 'clear', prefix: 'places\u001f' });
    expect([cache.namespace('places').has('key'), cache.has('a1')]).toEqual([false, true]);

    remote.listener!.changed({ kind: 'clear', prefix: '' });
    expect(cache.has('a1')).toBe(false);
  });

  it('of a group are misses where changes of it were missed, and are there again when read', async () => {
    change('a1', 'new', false);
    remote.listener!.missed(A_KEYS);

    expect([cache.has('a1'), cache.has('a2'), cache.has('b1')]).toEqual([false, false, true]);
    expect([await cache.get('a1'), await cache.get('a2')]).toEqual(['new', 'old']);
    expect([cache.has('a1'), cache.has('a2')]).toEqual([true, true]);
    expect(cache.getMetrics().coherence).toMatchObject({ missed: 1 });
  });

  it('are not trusted while nothing is proven, and are again when it is', async () => {
    remote.isProven = false;
    expect([cache.has('a1'), cache.getIfPresent('b1')]).toEqual([false, undefined]);
    expect(await cache.get('a2')).toBe('old');
    expect(cache.has('a2')).toBe(true);
    expect(cache.getMetrics().coherence).toMatchObject({ lapses: 1, proven: false });

    remote.isProven = true;
    expect(await cache.get('a1')).toBe('old');
    expect(remote.takeCalls()).toEqual(['read a2']);
  });

  it('that are made while nothing is proven live for maxStale only', async () => {
    remote.isProven = false;
    await cache.getOrSet('fresh', () => 'loaded', { ttl: '1h' });
    await clock.advance(4_999);
    expect(cache.has('fresh')).toBe(true);

    await clock.advance(1);
    expect(cache.has('fresh')).toBe(false);
    expect(await cache.get('fresh')).toBe('loaded');
  });

  it('are misses after a suspension where nothing was proven before', async () => {
    remote.isProven = false;
    await cache.getOrSet('fresh', () => 'loaded');
    expect(cache.has('fresh')).toBe(true);
    clock.suspend(5_000);

    expect(cache.has('fresh')).toBe(false);
    expect(cache.getMetrics().coherence).toMatchObject({ missed: 26 });
    await cache.getOrSet('later', () => 'loaded');
    expect(cache.has('later')).toBe(true);
  });

  it('are misses after a suspension that a proof follows at once', async () => {
    remote.isProven = false;
    await cache.getOrSet('fresh', () => 'loaded');
    clock.suspend(5_000);
    remote.isProven = true;

    expect(cache.has('fresh')).toBe(false);
  });

  it('survive a wall clock that is adjusted or put back', async () => {
    remote.isProven = false;
    await cache.getOrSet('fresh', () => 'loaded');
    clock.suspend(40);
    expect(cache.has('fresh')).toBe(true);
    clock.suspend(-60_000);

    expect(cache.has('fresh')).toBe(true);
  });

  it('keep a remote that is away from being asked each time', async () => {
    remote.isProven = false;
    remote.when('read write', 'fail');
    let loads = 0;
    for (let call = 0; call < 10; call++) await cache.getOrSet('fresh', () => (loads += 1));

    expect(loads).toBe(1);
  });
});

describe('what is under way when others change something', () => {
  it.each([
    ['a change', () => remote.listener!.changed({ kind: 'key', key: 'a1' })],
    ['a tag', () => remote.listener!.changed({ kind: 'tags', tags: ['tag'] })],
    ['everything', () => remote.listener!.changed({ kind: 'clear', prefix: '' })],
    ['changes that were missed', () => remote.listener!.missed(A_KEYS)],
  ])('is not copied: %s', async (_, happen) => {
    remote.put('a1', entryOf('old', clock, { tags: ['tag'] }));
    remote.when('read', 'hold');
    const reading = cache.get('a1');
    await clock.turn();
    happen();
    remote.put('a1', entryOf('new', clock, { tags: ['tag'] }));
    remote.letGo();

    expect(await reading).toBe('new');
    expect(cache.peek('a1')).toBe('new');
  });

  it('and is loaded through a suspension is returned and not stored', async () => {
    const row = defer<string>();
    const loading = cache.getOrSet('fresh', () => row.promise);
    await clock.turn();
    clock.suspend(5_000);
    row.resolve('old');

    expect(await loading).toBe('old');
    expect(cache.has('fresh')).toBe(false);
  });

  it('and is loaded is returned and not stored', async () => {
    const loading = cache.getOrSet('a1', async () => {
      remote.listener!.changed({ kind: 'key', key: 'a1' });
      return 'old';
    });

    expect(await loading).toBe('old');
    expect(cache.has('a1')).toBe(false);
  });
});

describe('the metrics of what others change', () => {
  it('tell how old the last proof is, where the level does', async () => {
    expect(cache.getMetrics().coherence!.lagMs).toBeUndefined();
    const telling = new ToldLevel(clock);
    telling.provenAgoMs = () => 700;
    await using other = new CacheHierarchy({ clock, remote: telling });
    await other.get('key');

    expect(other.getMetrics().coherence).toMatchObject({ proven: true, lagMs: 700 });
    other.resetMetrics();
    expect(other.getMetrics().coherence).toMatchObject({ proven: true, lagMs: 700 });
  });
});
