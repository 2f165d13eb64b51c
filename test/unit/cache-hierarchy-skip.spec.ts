import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { readSkip } from '../../lib/hierarchy/skipped-levels.js';
import type { LevelName } from '../../lib/levels/cache-level.js';
import { defer } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
  cache = new CacheHierarchy({ clock, remote });
});

afterEach(() => closeWithNothingLeft(cache, clock));

/** What each level has of the key. */
function values(): unknown[] {
  return [cache.l1.peek('key'), cache.l2!.peek('key'), remote.entries.read('key')?.value];
}

describe(`${CacheHierarchy.name}: skip.read`, () => {
  it.each<[LevelName[], unknown]>([
    [[], 'in L1'],
    [['L1'], 'in L2'],
    [['L1', 'L2'], 'in the remote'],
    [['remote'], 'in L1'],
    [['L1', 'L2', 'remote'], 'loaded'],
  ])('leaves out %j', async (read, value) => {
    remote.put('key', entryOf('in the remote', clock));
    await cache.l2!.set('key', 'in L2');
    await cache.l1.set('key', 'in L1');

    expect(await cache.getOrSet('key', () => 'loaded', { skip: { read } })).toBe(value);
  });

  it('stores what was loaded in the levels that were not read', async () => {
    await cache.set('key', 'old');

    await cache.getOrSet('key', () => 'new', { skip: { read: ['L1', 'L2', 'remote'] } });

    expect(values()).toEqual(['new', 'new', 'new']);
  });
});

describe(`${CacheHierarchy.name}: skip.write`, () => {
  it.each<[LevelName[], unknown[]]>([
    [['L1'], [undefined, 'loaded', 'loaded']],
    [['L2'], ['loaded', undefined, 'loaded']],
    [['remote'], ['loaded', 'loaded', undefined]],
    [
      ['L1', 'L2', 'remote'],
      [undefined, undefined, undefined],
    ],
  ])('stores what is loaded in the levels that are not in %j', async (write, stored) => {
    expect(await cache.getOrSet('key', () => 'loaded', { skip: { write } })).toBe('loaded');

    expect(values()).toEqual(stored);
  });

  it('copies what the remote has into the levels that are not in it', async () => {
    remote.put('key', entryOf('there', clock));

    expect(await cache.getOrSet('key', () => 'loaded', { skip: { write: ['L1'] } })).toBe('there');

    expect(values()).toEqual([undefined, 'there', 'there']);
  });

  it('copies what L2 has into L1 unless that is in it', async () => {
    await cache.l2!.set('key', 'there');

    await cache.getOrSet('key', () => 'loaded', { skip: { write: ['L1'] } });
    expect(values()).toEqual([undefined, 'there', undefined]);
    await cache.getOrSet('key', () => 'loaded');
    expect(values()).toEqual(['there', 'there', undefined]);
  });

  it('leaves what they have in the levels that are in it', async () => {
    await cache.set('key', 'old');

    await cache.getOrSet('key', () => 'new', { forceRefresh: true, skip: { write: ['remote'] } });

    expect(values()).toEqual(['new', 'new', 'old']);
  });
});

describe(`${CacheHierarchy.name}: skip.write behind a hit that is due`, () => {
  it('leaves out the levels that are in it', async () => {
    const here = new CacheHierarchy({ clock, ttl: 1_000, eager: 0.5 });
    const options = { skip: { write: ['L1'] } } as const;
    await here.getOrSet('key', () => 'old', options);
    await clock.advance(600);
    const row = defer<string>();

    expect(await here.getOrSet('key', () => row.promise, options)).toBe('old');
    expect([here.l1.peek('key'), here.l2!.peek('key')]).toEqual([undefined, 'old']);
    row.resolve('new');
    await clock.turn();

    expect([here.l1.peek('key'), here.l2!.peek('key')]).toEqual([undefined, 'new']);
    await here.close();
  });
});

describe(`${CacheHierarchy.name}: loads with skip`, () => {
  it('are shared by those who skip the same levels, whatever their order', async () => {
    const row = defer<string>();
    const load = (): Promise<string> => row.promise;
    const callers = [
      cache.getOrSet('key', load, { skip: { write: ['remote', 'L1'] } }),
      cache.getOrSet('key', () => 'never called', { skip: { write: ['L1', 'remote'], read: [] } }),
    ];
    row.resolve('loaded');

    expect(await Promise.all(callers)).toEqual(['loaded', 'loaded']);
    expect(cache.getMetrics()).toMatchObject({ loads: 1, joins: 1 });
  });

  it('are not shared by those who skip others', async () => {
    const callers = [
      cache.getOrSet('key', () => 1),
      cache.getOrSet('key', () => 2, { skip: { write: ['L1'] } }),
      cache.getOrSet('key', () => 3, { skip: { read: ['L1'] } }),
    ];

    expect(await Promise.all(callers)).toEqual([1, 2, 3]);
    expect(cache.getMetrics()).toMatchObject({ loads: 3, joins: 0 });
  });

  it('leave a set that skips nothing in every level', async () => {
    const row = defer<string>();
    const loading = cache.getOrSet('key', () => row.promise, { skip: { write: ['remote'] } });
    await clock.turn();
    await cache.set('key', 'set');
    row.resolve('loaded');

    expect(await loading).toBe('loaded');
    expect(values()).toEqual(['set', 'set', 'set']);
  });
});

describe(readSkip.name, () => {
  it('is nothing where both lists are empty or missing', () => {
    expect(readSkip({})).toBe(readSkip({ read: [], write: [] }));
    expect(readSkip({})).toMatchObject({ read: new Set(), write: new Set(), variant: undefined });
  });

  it('names equal sets the same, and others not', () => {
    const nameOf = (read: LevelName[], write: LevelName[]): string | undefined =>
      readSkip({ read, write }).variant;

    expect(nameOf(['L2', 'L1', 'L2'], [])).toBe(nameOf(['L1', 'L2'], []));
    expect(new Set([nameOf(['L1'], []), nameOf([], ['L1']), nameOf(['L1'], ['L1'])]).size).toBe(3);
  });

  it.each([
    [{ read: 'L1' }, "skip.read must be a list of 'L1', 'L2', 'remote', got \"L1\"."],
    [{ write: ['L3'] }, "skip.write must be a list of 'L1', 'L2', 'remote', got an array of 1."],
  ])('refuses %j', (skip, message) => {
    expect(() => readSkip(skip as never)).toThrow(message);
  });

  it('refuses what it does not know', () => {
    expect(() => readSkip({ reads: [] } as never)).toThrow('reads');
  });
});
