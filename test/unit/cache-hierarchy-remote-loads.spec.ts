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

describe(`${CacheHierarchy.name}: single flight with a remote`, () => {
  it('looks a key up once, and loads it once, however many ask', async () => {
    open();
    let loads = 0;
    const callers = [1, 2, 3].map(() => cache.getOrSet('key', () => (loads += 1)));

    expect(await Promise.all(callers)).toEqual([1, 1, 1]);
    expect(remote.calls).toEqual(['read key', 'write key']);
  });

  it('calls no loader for what was set while the remote found nothing', async () => {
    open();
    const nothing = defer<Map<string, unknown>>();
    remote.when('read', () => nothing.promise);
    let loads = 0;
    const answer = cache.getOrSet('key', () => (loads += 1));
    await clock.turn();
    await cache.set('key', 'set');
    nothing.resolve(new Map());

    expect([await answer, loads]).toEqual(['set', 0]);
  });

  it('calls no loader for callers who left while the remote was asked', async () => {
    open();
    remote.when('read', 'hold');
    const request = new AbortController();
    let loads = 0;
    const answer = cache.getOrSet('key', () => (loads += 1), { signal: request.signal });
    await clock.turn();
    request.abort(new Error('the client went away'));

    await expect(answer).rejects.toThrow('the client went away');
    remote.letGo();
    await clock.turn();
    expect(loads).toBe(0);
  });

  it('leaves the loader half of hardTimeout where the remote hangs', async () => {
    open();
    remote.when('read', 'hang');
    const calledAt: number[] = [];
    const start = clock.now();
    const answer = cache.getOrSet(
      'key',
      () => {
        calledAt.push(clock.now() - start);
        return 'loaded';
      },
      { hardTimeout: 100 },
    );
    await clock.advance(50);

    expect(await answer).toBe('loaded');
    expect(calledAt).toEqual([50]);
    await clock.advance(1_000); // the lookup itself is given up after levelTimeout
  });

  it('shares the lookup of a get, and not its end', async () => {
    open();
    remote.when('read', 'hold');
    const readers = [cache.get('key'), cache.get('key'), cache.get('key')];
    const caller = cache.getOrSet('key', () => 'loaded');
    await clock.turn();
    expect(remote.calls).toEqual(['read key']);
    remote.letGo();

    expect(await Promise.all([...readers, caller])).toEqual([
      undefined,
      undefined,
      undefined,
      'loaded',
    ]);
  });

  it('looks anew for those who ask after the key was deleted', async () => {
    open();
    remote.put('key', entryOf('old', clock));
    remote.when('read', 'hold');
    const early = cache.getOrSet('key', () => 'loaded early');
    await clock.turn();
    const deleting = cache.delete('key');
    const late = cache.getOrSet('key', () => 'loaded late');
    remote.letGo();
    await deleting;

    expect(await early).toBe('loaded early');
    expect(await late).toBe('loaded late');
    expect(cache.peek('key')).toBe('loaded late');
  });

  it('takes what was set meanwhile for what the lookup has found', async () => {
    open();
    remote.put('key', entryOf('old', clock));
    remote.when('read', 'hold');
    const reading = cache.get('key');
    await clock.turn();
    await cache.set('key', 'new');
    remote.letGo();

    expect(await reading).toBe('new');
    expect(cache.peek('key')).toBe('new');
    expect(cache.getMetrics().optimisticRetries).toBe(1);
  });

  it('asks the remote for nothing where a load is forced', async () => {
    open();
    remote.put('key', entryOf('there', clock));

    expect(await cache.getOrSet('key', () => 'forced', { forceRefresh: true })).toBe('forced');
    expect(remote.calls).toEqual(['write key']);
  });

  it('stores nothing of a key that was deleted while its value was loaded', async () => {
    open();
    const row = defer<string>();
    const loading = cache.getOrSet('key', () => row.promise);
    await clock.turn();
    await cache.delete('key');
    row.resolve('old');

    expect(await loading).toBe('old');
    expect([cache.has('key'), remote.entries.size]).toEqual([false, 0]);
    expect(remote.calls).toEqual(['read key', 'delete key']);
  });

  it('removes what was on its way to the remote when the key was deleted', async () => {
    open();
    remote.when('write', 'hold');
    const loading = cache.getOrSet('key', () => 'old');
    await clock.turn();
    const deleting = cache.delete('key');
    await clock.turn();
    expect(remote.calls).toEqual(['read key', 'write key']);
    remote.letGo();
    await deleting;

    expect(await loading).toBe('old');
    expect([cache.has('key'), remote.entries.size]).toEqual([false, 0]);
    expect(remote.calls).toEqual(['read key', 'write key', 'delete key']);
  });
});

describe(`${CacheHierarchy.name}: what the remote says of a write`, () => {
  it('stores a value nowhere that it has seen invalidated', async () => {
    open();
    remote.when('write', () => new Map([['key', 'fenced']]));

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect([cache.l1.size, cache.l2!.size]).toEqual([0, 0]);
    expect(cache.getMetrics()).toMatchObject({ fenced: 1 });
  });

  it('stores a value above that it does not take', async () => {
    open();
    remote.when('write', () => new Map([['key', 'refused']]));

    expect(await cache.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect([cache.l1.size, cache.l2!.size, remote.entries.size]).toEqual([1, 1, 0]);
  });

  it.each(['refused', 'fenced'])(
    'deletes a key whose set it has %s, and keeps it above',
    async (outcome) => {
      open();
      await cache.set('key', 'old');
      remote.when('write', () => new Map([['key', outcome]]));

      await cache.set('key', 'new');
      await clock.advance(1_000);

      expect(cache.peek('key')).toBe('new');
      expect(remote.entries.size).toBe(0);
      expect(remote.calls).toEqual(['write key', 'write key', 'delete key']);
    },
  );
});

describe(`${CacheHierarchy.name}: a loaded value whose write hangs`, () => {
  it.each([
    ['waitTimeout', { waitTimeout: 100 }],
    ['hardTimeout', { hardTimeout: 100 }],
    ['softTimeout', { softTimeout: 100 }],
  ])('is returned at %s', async (_, options) => {
    open();
    remote.when('write', 'hold');
    const answer = cache.getOrSet('key', () => 'loaded', options);
    await clock.advance(100);

    expect(await answer).toBe('loaded');
    expect(cache.has('key')).toBe(false);
  });

  it('is stored above once the remote has it', async () => {
    open();
    remote.when('write', 'hold');
    await Promise.all([
      cache.getOrSet('key', () => 'loaded', { waitTimeout: 100 }),
      clock.advance(100),
    ]);
    remote.letGo();
    await clock.turn();

    expect([cache.peek('key'), remote.entries.read('key')?.value]).toEqual(['loaded', 'loaded']);
  });

  it('is stored above when the remote is given up', async () => {
    open();
    remote.when('write', 'hang');
    const answer = cache.getOrSet('key', () => 'loaded');
    await clock.advance(1_000);

    expect(await answer).toBe('loaded');
    expect(cache.peek('key')).toBe('loaded');
  });

  it('is what those get who ask after softTimeout, and not a stale value', async () => {
    open({ grace: 10_000, softTimeout: 100 });
    remote.put('key', entryOf('old', clock, { ttl: -1, grace: 10_000 }));
    remote.when('write', 'hold');
    const early = cache.getOrSet('key', () => 'loaded');
    await clock.advance(100);
    expect(await early).toBe('loaded');

    const late = cache.getOrSet('key', () => 'loaded again');
    await clock.advance(100);

    expect(await late).toBe('loaded');
  });

  it('is given to nobody who asks after the key was deleted', async () => {
    open();
    remote.when('write', 'hold');
    const early = cache.getOrSet('key', () => 'early', { waitTimeout: 100 });
    await clock.turn();
    void cache.delete('key');
    const late = cache.getOrSet('key', () => 'late');
    await clock.advance(100);
    remote.letGo();

    expect(await late).toBe('late');
    expect(await early).toBe('early');
  });
});
