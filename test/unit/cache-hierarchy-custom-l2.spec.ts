import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, PlainLevel, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let l2: PlainLevel;
let cache: CacheHierarchy;
let reports: string[];

beforeEach(() => {
  clock = new VirtualClock();
  l2 = new PlainLevel();
  reports = [];
  cache = new CacheHierarchy({
    clock,
    l1: { ttl: 100 },
    l2,
    report: ({ code }) => void reports.push(code),
  });
});

afterEach(() => closeWithNothingLeft(cache, clock));

const throwing = (): never => {
  throw new Error('the level is broken');
};

describe(`${CacheHierarchy.name}: an L2 of your own in this process`, () => {
  it('is read and written in the call', () => {
    void cache.set('key', 'value');

    expect(l2.entries.get('key')).toMatchObject({
      value: 'value',
      freshUntil: clock.now() + 600_000,
    });
    clock.block(100);
    expect(cache.getIfPresent('key')).toBe('value');
    expect(cache.l1.peek('key')).toBe('value');
    expect(cache.l2).toBeNull();
  });

  it('is inspected, and not in the figures of the levels in memory', async () => {
    await cache.set('key', 'value');

    expect(await cache.inspect('key')).toMatchObject([{ level: 'L1' }, { level: 'L2' }]);
    expect(Object.keys(cache.getMetrics().levels)).toEqual(['L1']);
    expect(cache.getMetrics().lower).toEqual({});
  });

  it('loses its keys to delete, and everything to clear', async () => {
    await cache.setMany([
      ['a', 1],
      ['b', 2],
    ]);

    expect(await cache.delete('a')).toBe(true);
    expect([...l2.entries.keys()]).toEqual(['b']);
    await cache.clear();
    expect(l2.entries.size).toBe(0);
  });

  it('gives out nothing whose tag or namespace was invalidated, without doing anything for it', async () => {
    l2.clear = () => 'applied';
    const places = cache.namespace('places');
    await cache.set('key', 'tagged', { tags: 'tag' });
    await places.set('1', 'Rome');

    await cache.invalidateTags('tag');
    await places.clear();

    expect([cache.has('key'), places.has('1'), l2.entries.size]).toEqual([false, false, 2]);
  });

  it('keeps a value in its grace', async () => {
    await cache.set('key', 'old', { ttl: 50, grace: 1_000 });
    clock.block(60);

    expect(cache.has('key')).toBe(false);
    expect(await cache.getOrSet('key', throwing)).toBe('old');
  });

  it('is a miss and a skipped write while it throws', async () => {
    const broken = ['readNow', 'write', 'delete', 'invalidateTags', 'clear'];
    Object.assign(l2, Object.fromEntries(broken.map((name) => [name, throwing])));

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(cache.peek('key')).toBe('loaded');
    await cache.set('key', 'set');
    expect(await cache.delete('key')).toBe(true);
    await cache.clear();
    await cache.invalidateTags('tag');
    const removing = cache.removeExpired();
    await clock.turn();
    await removing;
    expect(cache.has('key')).toBe(false);

    expect(reports).toEqual(['CACHE_LEVEL_DOWN']);
  });

  it('has no old value of a key that it could not delete', async () => {
    await cache.set('key', 'old');
    const remove = l2.delete;
    l2.delete = throwing;
    await cache.delete('key');
    expect([cache.peek('key'), await cache.get('key')]).toEqual([undefined, undefined]);

    l2.delete = remove;
    expect(cache.peek('key')).toBeUndefined();
    expect(l2.entries.size).toBe(0);
  });

  it('is a miss where it answers nonsense', async () => {
    for (const nonsense of [1, 'x', {}, { value: 1 }, { ...entryOf(1, clock), tags: 'tag' }]) {
      l2.readNow = () => nonsense as never;

      expect(await cache.get('key')).toBeUndefined();
      expect(cache.peek('key')).toBeUndefined();
    }
    expect(cache.l1.size).toBe(0);
  });

  it('is a miss where it has what has expired', async () => {
    l2.entries.set('key', entryOf('old', clock, { ttl: -1 }));

    expect([cache.peek('key'), await cache.get('key')]).toEqual([undefined, undefined]);
  });

  it('can have a remote below it', async () => {
    await cache.close();
    const remote = new ScriptedLevel(clock);
    cache = new CacheHierarchy({ clock, l2, remote });
    remote.put('key', entryOf('there', clock));

    expect(await cache.get('key')).toBe('there');
    expect(l2.entries.get('key')).toMatchObject({ value: 'there' });
  });

  it('is swept as often as it says, and closed', async () => {
    await cache.close();
    let [sweeps, closed] = [0, 0];
    Object.assign(l2, {
      sweepEveryMs: 1_000,
      sweep: () => ((sweeps += 1), { removed: 2, more: false }),
      close: async () => void (closed += 1),
    });
    cache = new CacheHierarchy({ clock, l2 });
    await clock.advance(1_000);
    expect(sweeps).toBe(1);

    const removing = cache.removeExpired();
    await clock.turn();
    expect(await removing).toBe(2);
    await cache.close();
    expect([closed, clock.pending]).toEqual([1, 0]);
  });
});

describe(`${CacheHierarchy.name}: an L2 of your own outside this process`, () => {
  let outside: ScriptedLevel;
  let remote: ScriptedLevel;

  beforeEach(async () => {
    await cache.close();
    [outside, remote] = [new ScriptedLevel(clock, 'L2'), new ScriptedLevel(clock)];
    cache = new CacheHierarchy({ clock, l2: outside, remote, report: () => {} });
  });

  it('is asked before the remote, and gets what that has', async () => {
    remote.put('key', entryOf('there', clock));

    expect(await cache.get('key')).toBe('there');
    await clock.turn();

    expect(outside.entries.read('key')?.value).toBe('there');
    expect(outside.calls).toEqual(['read key', 'write key']);
  });

  it('keeps nobody waiting while it takes what the remote has', async () => {
    remote.put('key', entryOf('there', clock));
    outside.when('write', 'hold');

    expect(await cache.get('key')).toBe('there');
    outside.letGo();
    await clock.turn();
  });

  it('is written after the remote', async () => {
    remote.when('write', 'hold');
    const setting = cache.set('key', 'value');
    await clock.turn();
    expect(outside.calls).toEqual([]);
    remote.letGo();
    await setting;

    expect(outside.calls).toEqual(['write key']);
  });

  it('gives a stale value where the remote has none', async () => {
    outside.put('key', entryOf('old', clock, { ttl: -1, grace: 1_000 }));

    expect(await cache.getOrSet('key', throwing)).toBe('old');
  });

  it('gives its stale value where the remote has another', async () => {
    outside.put('key', entryOf('its own', clock, { ttl: -1, grace: 1_000 }));
    remote.put('key', entryOf('of the remote', clock, { ttl: -1, grace: 1_000 }));

    expect(await cache.getOrSet('key', throwing)).toBe('its own');
  });

  it('is passed over for a fresh value of the remote while its own is stale', async () => {
    outside.put('key', entryOf('old', clock, { ttl: -1, grace: 1_000 }));
    remote.put('key', entryOf('new', clock));

    expect(await cache.get('key')).toBe('new');
    await clock.turn();
    expect(outside.entries.read('key')?.value).toBe('new');
  });

  it('is named with the remote where both have not carried out a delete', async () => {
    outside.when('delete', 'fail');
    remote.when('delete', 'fail');

    await expect(cache.delete('key', { require: 'remote' })).rejects.toThrow(
      'A delete failed in the level L2, remote and is tried again',
    );
  });

  it('does not keep the remote from being read while it is away', async () => {
    outside.when('read write', 'fail');
    remote.put('key', entryOf('there', clock));

    expect(await cache.get('key')).toBe('there');
    expect(cache.peek('key')).toBe('there');
  });
});
