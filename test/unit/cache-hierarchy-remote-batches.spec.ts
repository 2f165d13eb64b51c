import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { defer } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;
/** The lists of keys that the loader was called with. */
let loads: (readonly string[])[];

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  cache = new CacheHierarchy({ clock, remote });
  loads = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  await closeWithNothingLeft(cache, clock);
});

function load(missing: readonly string[]): Map<string, string> {
  loads.push(missing);
  return new Map(missing.map((key) => [key, `loaded ${key}`]));
}

const KEYS = ['a', 'b', 'c', 'd'];

describe(`${CacheHierarchy.name}: one round trip for many keys`, () => {
  it('reads what is missing above in one call', async () => {
    await cache.set('b', 'in L1');
    remote.put('c', entryOf('in the remote', clock));
    remote.takeCalls();

    const found = await cache.getMany(KEYS);

    expect([...found]).toEqual([
      ['b', 'in L1'],
      ['c', 'in the remote'],
    ]);
    expect(remote.calls).toEqual(['read a,c,d']);
  });

  it('takes a null in this process for a hit, and does not ask below for it', async () => {
    await cache.set('a', null);
    remote.takeCalls();

    expect([...(await cache.getMany(['a']))]).toEqual([['a', null]]);

    expect(remote.calls).toEqual([]);
    expect(cache.getMetrics()).toMatchObject({ gets: 1, hits: 1, misses: 0 });
  });

  it('reads nothing where everything is there, or nothing is asked for', async () => {
    await cache.set('a', 1);
    remote.takeCalls();

    await cache.getMany(['a']);
    await cache.getMany([]);

    expect(remote.calls).toEqual([]);
  });

  it('copies what is found into the levels above, so that it is read once', async () => {
    for (const key of KEYS) remote.put(key, entryOf(key, clock));

    await cache.getMany(KEYS);
    await cache.getMany(KEYS);

    expect(remote.calls).toEqual(['read a,b,c,d']);
    expect([cache.l1.size, cache.l2!.size]).toEqual([4, 4]);
  });

  it('loads what no level has in one call, and writes it in one', async () => {
    await cache.set('b', 'in L1');
    remote.put('c', entryOf('in the remote', clock));
    remote.takeCalls();

    const found = await cache.getOrSetMany(KEYS, load);

    expect([...found.values()]).toEqual(['loaded a', 'in L1', 'in the remote', 'loaded d']);
    expect(loads).toEqual([['a', 'd']]);
    expect(remote.calls).toEqual(['read a,c,d', 'write a,d']);
  });

  it('writes in one call what an asynchronous loader brings', async () => {
    await cache.getOrSetMany(KEYS, async (missing) => {
      await clock.turn();
      return load(missing);
    });

    expect(remote.calls).toEqual(['read a,b,c,d', 'write a,b,c,d']);
  });

  it('calls no loader where the remote has everything', async () => {
    for (const key of KEYS) remote.put(key, entryOf(key, clock));

    const found = await cache.getOrSetMany(KEYS, load);

    expect([...found.keys()]).toEqual(KEYS);
    expect([loads, remote.calls]).toEqual([[], ['read a,b,c,d']]);
    expect(cache.getMetrics()).toMatchObject({ gets: 4, hits: 4, misses: 0, loads: 0 });
  });

  describe('behind hits that are due', () => {
    const eager = { ttl: 1_000, eager: 0.5 };

    beforeEach(async () => {
      // Each draws the earliest moment.
      jest.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
      await cache.getOrSetMany(KEYS, load, eager);
      [loads] = [[]];
      remote.takeCalls();
      await clock.advance(600);
    });

    it('loads them in one call', async () => {
      await cache.getOrSetMany(KEYS, load, eager);
      await clock.turn();

      expect(loads).toEqual([KEYS]);
      expect(remote.calls).toEqual(['read a,b,c,d', 'write a,b,c,d']);
    });

    it('loads in one call those that no other process has renewed', async () => {
      remote.put('b', entryOf('renewed', clock));
      await cache.getOrSetMany([...KEYS, 'e'], load, eager);
      await clock.turn();

      expect(loads).toEqual([['a', 'c', 'd', 'e']]);
      expect(cache.peek('b')).toBe('renewed');
    });

    it('calls no loader where another process has renewed all', async () => {
      for (const key of KEYS) remote.put(key, entryOf('renewed', clock));
      const found = await cache.getOrSetMany(KEYS, load, eager);
      await clock.turn();

      expect([...found.values()]).toEqual(KEYS.map((key) => `loaded ${key}`));
      expect([loads, cache.peek('a')]).toEqual([[], 'renewed']);
    });

    it('answers before the remote does, and waits for that with the loader', async () => {
      remote.when('read', 'hold');
      const found = await cache.getOrSetMany(KEYS, load, eager);
      expect([found.size, loads]).toEqual([4, []]);
      remote.letGo();
      await clock.turn();

      expect(loads).toEqual([KEYS]);
    });

    it('loads them when they are given up by the remote, or by a hardTimeout', async () => {
      remote.when('read', 'hang');
      await cache.getOrSetMany(KEYS, load, { ...eager, hardTimeout: 100 });
      await clock.advance(50);

      expect(loads).toEqual([KEYS]);
      await clock.advance(1_000);
    });
  });

  it('writes nothing for the keys that the loader leaves out', async () => {
    await cache.getOrSetMany(['a', 'none'], () => new Map([['a', 1]]));

    expect(remote.calls).toEqual(['read a,none', 'write a']);
  });

  it('sets many keys in one call', async () => {
    await cache.setMany(KEYS.map((key) => [key, key]));

    expect(remote.calls).toEqual(['write a,b,c,d']);
    expect(KEYS.map((key) => cache.peek(key))).toEqual(KEYS);
  });

  it('deletes many keys in one call', async () => {
    await cache.setMany(KEYS.map((key) => [key, key]));
    remote.takeCalls();

    expect(await cache.deleteMany([...KEYS, 'absent'])).toBe(4);

    expect(remote.calls).toEqual(['delete a,b,c,d,absent']);
    expect(remote.entries.size).toBe(0);
  });

  it('asks in one call for what is asked key by key in one step', async () => {
    await Promise.all(KEYS.map((key) => cache.get(key)));
    await Promise.all(KEYS.map((key) => cache.set(key, key)));
    await Promise.all(KEYS.map((key) => cache.delete(key)));

    expect(remote.calls).toEqual(['read a,b,c,d', 'write a,b,c,d', 'delete a,b,c,d']);
  });

  it('reads a key once that single callers and a batch want', async () => {
    remote.put('a', entryOf('there', clock));

    const answers = await Promise.all([
      cache.get('a'),
      cache.getOrSet('a', () => 'loaded'),
      cache.getOrSetMany(['a', 'b'], load),
      cache.getMany(['a']),
    ]);

    expect(answers.slice(0, 2)).toEqual(['there', 'there']);
    expect(loads).toEqual([['b']]);
    expect(remote.calls).toEqual(['read a,b', 'write b']);
  });

  it('does not load a key that somebody else is loading', async () => {
    const single = defer<string>();
    const alone = cache.getOrSet('a', () => single.promise);
    const many = cache.getOrSetMany(['a', 'b'], load);
    await clock.turn();
    expect(loads).toEqual([['b']]);
    single.resolve('from the other');

    expect([...(await many).values(), await alone]).toEqual([
      'from the other',
      'loaded b',
      'from the other',
    ]);
  });

  it('takes one call of each level where two take time', async () => {
    await cache.close();
    const l2 = new ScriptedLevel(clock, 'L2');
    cache = new CacheHierarchy({ clock, l2, remote });
    l2.put('b', entryOf('in L2', clock));
    remote.put('c', entryOf('in the remote', clock));

    const found = await cache.getOrSetMany(['a', 'b', 'c'], load);
    await clock.turn();

    expect([...found.values()]).toEqual(['loaded a', 'in L2', 'in the remote']);
    expect(l2.calls).toEqual(['read a,b,c', 'write c', 'write a']);
    expect(remote.calls).toEqual(['read a,c', 'write a']);
  });
});
