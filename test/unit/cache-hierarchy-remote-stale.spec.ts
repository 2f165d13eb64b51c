import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { defer } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let remote: ScriptedLevel;
let cache: CacheHierarchy;

function open(options: CacheHierarchyOptions = {}): void {
  cache = new CacheHierarchy({ clock, remote, report: () => {}, ...options });
}

beforeEach(() => {
  clock = new VirtualClock();
  remote = new ScriptedLevel(clock);
});

afterEach(async () => {
  jest.restoreAllMocks();
  remote.letGo();
  await clock.turn();
  await closeWithNothingLeft(cache, clock);
});

const fail = (): never => {
  throw new Error('the database is away');
};

/** The remote has a value of which only the grace is left. */
function putStale(value: unknown): void {
  remote.put('key', entryOf(value, clock, { ttl: -1, grace: 10_000 }));
}

describe(`${CacheHierarchy.name}: a stale value of the remote`, () => {
  it('is returned where the loader fails', async () => {
    open();
    putStale('old');

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', fail)).toBe('old');
    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 2, staleServed: 1 });
  });

  it('is returned where the loader takes long', async () => {
    open();
    putStale('old');
    const row = defer<string>();
    const answer = cache.getOrSet('key', () => row.promise, { softTimeout: 100 });
    await clock.advance(100);

    expect(await answer).toBe('old');
    row.resolve('new');
    await clock.turn();
    expect(cache.peek('key')).toBe('new');
  });

  it('is shown to the loader, who can renew it with its tags', async () => {
    open();
    const stale = entryOf('old', clock, { ttl: -1, grace: 10_000, tags: ['tag'] });
    remote.put('key', stale);

    const renewed = await cache.getOrSet('key', ({ notModified }) => notModified());

    expect(renewed).toBe('old');
    expect(remote.entries.read('key')).toMatchObject({ value: 'old', tags: ['tag'] });
    expect(remote.entries.read('key')!.freshUntil).toBe(clock.now() + 600_000);
  });

  it('keeps loads from being tried where one has failed', async () => {
    open({ throttle: 1_000 });
    putStale('old');
    let loads = 0;
    const ask = (): Promise<unknown> => cache.getOrSet('key', () => ((loads += 1), fail()));

    expect([await ask(), await ask()]).toEqual(['old', 'old']);
    expect(loads).toBe(1);
    await clock.advance(1_000);
    expect([await ask(), loads]).toEqual(['old', 2]);
  });

  it('is no answer once the key was deleted', async () => {
    open();
    putStale('old');
    const row = defer<string>();
    const answer = cache.getOrSet('key', () => row.promise);
    await clock.turn();
    await cache.delete('key');
    row.reject(new Error('the database is away'));

    await expect(answer).rejects.toThrow('the database is away');
  });

  it('is not asked for again after the remote has a fresh one', async () => {
    open({ throttle: 1_000 });
    putStale('old');
    await cache.getOrSet('key', fail);
    remote.put('key', entryOf('from another process', clock));

    expect(await cache.getOrSet('key', fail)).toBe('from another process');
  });
});

describe(`${CacheHierarchy.name}: expire with a remote`, () => {
  it('keeps a value with grace in every level as a stale one', async () => {
    open();
    await cache.set('key', 'value', { grace: 10_000 });

    expect(await cache.expire('key')).toBe(true);

    expect(await cache.get('key')).toBeUndefined();
    expect(remote.entries.read('key')).toMatchObject({ value: 'value', freshUntil: -Infinity });
    expect(await cache.getOrSet('key', fail)).toBe('value');
  });

  it('finds it in the remote where no level above has it', async () => {
    open();
    remote.put('key', entryOf('value', clock, { grace: 10_000 }));

    expect(await cache.expire('key')).toBe(false);

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', fail)).toBe('value');
  });

  it('removes a value without grace', async () => {
    open();
    await cache.set('key', 'value');

    await cache.expire('key');

    expect(remote.entries.size).toBe(0);
  });
});

describe(`${CacheHierarchy.name}: eager refresh with a remote`, () => {
  // The moment of a refresh is drawn: it is not to be in the very last millisecond.
  beforeEach(() => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  const due = async (): Promise<void> => {
    await cache.set('key', 'old', { ttl: 1_000, eager: 0.5 });
    await clock.advance(999);
  };

  it('takes a newer value from the remote and does not load', async () => {
    open();
    await due();
    remote.put('key', entryOf('from another process', clock));

    expect(await cache.getOrSet('key', fail)).toBe('old');
    await clock.turn();

    expect(cache.peek('key')).toBe('from another process');
    expect(cache.getMetrics()).toMatchObject({ refreshes: 1, loads: 0 });
  });

  it('loads where the remote has no newer one', async () => {
    open();
    await due();

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('old');
    await clock.turn();

    expect(cache.peek('key')).toBe('loaded');
    expect(remote.entries.read('key')?.value).toBe('loaded');
    expect(cache.getMetrics()).toMatchObject({ refreshes: 1, loads: 1, hits: 1 });
  });

  it('loads where the remote has what L1 has a shorter copy of', async () => {
    open({ eager: 0.5, l1: { ttl: 100 }, l2: false });
    jest.spyOn(Math, 'random').mockReturnValue(0.999);
    await cache.set('key', 'old', { ttl: 1_000 });
    await clock.advance(800);
    expect(await cache.get('key')).toBe('old');

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('old');
    await clock.turn();

    expect(cache.peek('key')).toBe('loaded');
    expect(cache.getMetrics()).toMatchObject({ refreshes: 1, loads: 1 });
  });

  it('loads where the remote does not tell how old its value is', async () => {
    open();
    remote.put('key', { ...entryOf('old', clock), bornAt: -Infinity });
    await cache.getOrSet('key', fail, { eager: 0.5 });
    await clock.advance(999);

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('old');
    await clock.turn();

    expect(cache.peek('key')).toBe('loaded');
  });

  it('tries once for each entry, also where the loader fails', async () => {
    open({ eager: 0.5 });
    await due();

    for (let hit = 0; hit < 5; hit++) {
      expect(await cache.getOrSet('key', fail)).toBe('old');
      await clock.turn();
    }

    expect(cache.getMetrics()).toMatchObject({ refreshes: 1, loads: 1, loadFailures: 1 });
  });
});
