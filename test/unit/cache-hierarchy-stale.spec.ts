import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { CacheHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import { defer, type Deferred } from '../support/deferred.js';
import { closeWithNothingLeft } from '../support/leftovers.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const AWAY = new Error('the database is away');

let clock: VirtualClock;
let cache: CacheHierarchy;
let reports: string[];

function open(options: CacheHierarchyOptions = {}): void {
  const report = ({ code }: { readonly code: string }): void => void reports.push(code);
  cache = new CacheHierarchy({ clock, ttl: 100, l1: { ttl: 40 }, report, ...options });
}

const fail = (): never => {
  throw AWAY;
};

beforeEach(() => {
  clock = new VirtualClock();
  reports = [];
});

afterEach(() => closeWithNothingLeft(cache, clock));

describe(`${CacheHierarchy.name}: grace`, () => {
  it('keeps an expired value for when the loader fails, and for no other use', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(100);

    expect([cache.has('key'), cache.peek('key'), cache.getIfPresent('key')]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', fail)).toBe('old');
    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 3, staleServed: 1 });
  });

  it('lets the loader renew it, and shows it to the loader', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(100);

    expect(await cache.getOrSet('key', ({ stale }) => `not ${String(stale)}`)).toBe('not old');
    expect(cache.peek('key')).toBe('not old');
  });

  it('ends, and the error is passed on then', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(1_100);

    await expect(cache.getOrSet('key', fail)).rejects.toBe(AWAY);
  });

  it('is fixed when the entry is stored', async () => {
    open();
    await cache.set('kept', 'old', { grace: 1_000 });
    await cache.set('plain', 'old');
    clock.block(100);

    expect(await cache.getOrSet('kept', fail)).toBe('old');
    await expect(cache.getOrSet('plain', fail, { grace: 1_000 })).rejects.toBe(AWAY);
  });

  it('works with one level', async () => {
    open({ grace: 1_000, l2: false });
    await cache.set('key', 'old');
    clock.block(100);

    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', fail)).toBe('old');
  });

  it('answers every caller of the load that failed', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(100);
    const loaded = defer<string>();
    const callers = Array.from({ length: 10 }, () => cache.getOrSet('key', () => loaded.promise));
    loaded.reject(AWAY);

    expect(await Promise.all(callers)).toEqual(Array.from({ length: 10 }, () => 'old'));
    expect(cache.getMetrics()).toMatchObject({ staleServed: 10, loads: 1, loadFailures: 1 });
  });

  it('never brings back what was deleted, cleared or invalidated while the loader ran', async () => {
    open({ grace: 1_000 });
    for (const end of [
      () => cache.delete('key'),
      () => cache.clear(),
      () => cache.invalidateTags('tag'),
    ]) {
      await cache.set('key', 'old', { tags: 'tag' });
      clock.block(100);
      const loaded = defer<string>();
      const caller = cache.getOrSet('key', () => loaded.promise);
      await end();
      loaded.reject(AWAY);

      await expect(caller).rejects.toBe(AWAY);
    }
  });

  it('keeps within reach of a tag that was invalidated before its freshness ended', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old', { tags: 'tag' });
    await cache.invalidateTags('tag');
    clock.block(500);
    await cache.invalidateTags('another'); // forgets what nothing can be older than

    await expect(cache.getOrSet('key', fail)).rejects.toBe(AWAY);
  });

  it('is removed by a sweep when it is over, not before', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(500);
    const kept = cache.removeExpired();
    await clock.turn();
    clock.block(600);
    const gone = cache.removeExpired();
    await clock.turn();

    expect([await kept, await gone]).toEqual([1, 1]); // L1's copy, then the entry
  });

  it('is not returned for a delete, which removes it all the same', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(100);

    expect(await cache.delete('key')).toBe(false);
    await expect(cache.getOrSet('key', fail)).rejects.toBe(AWAY);
  });
});

describe(`${CacheHierarchy.name}: staleOn`, () => {
  it('decides which errors a stale value stands in for', async () => {
    open({ grace: 1_000, staleOn: (error) => error === AWAY });
    await cache.set('key', 'old');
    clock.block(100);
    const other = new Error('no such place');

    expect(await cache.getOrSet('key', fail)).toBe('old');
    await expect(cache.getOrSet('key', () => Promise.reject(other))).rejects.toBe(other);
    await expect(cache.getOrSet('key', fail, { staleOn: () => false })).rejects.toBe(AWAY);
  });

  it('passes the error on when it throws itself, and says so', async () => {
    open({ grace: 1_000, staleOn: fail });
    await cache.set('key', 'old');
    clock.block(100);
    const other = new Error('no such place');

    await expect(cache.getOrSet('key', () => Promise.reject(other))).rejects.toBe(other);
    expect(reports).toEqual(['CACHE_STALE_ON_FAILED']);
  });
});

describe(`${CacheHierarchy.name}: throttle`, () => {
  it('tries no load for a while after one has failed', async () => {
    open({ grace: 1_000, throttle: 50 });
    await cache.set('key', 'old');
    clock.block(100);
    let loads = 0;
    const loader = (): never => {
      loads += 1;
      throw AWAY;
    };
    for (let call = 0; call < 5; call++) await cache.getOrSet('key', loader);
    expect(loads).toBe(1);

    clock.block(50);
    expect(await cache.getOrSet('key', loader)).toBe('old');
    expect(loads).toBe(2);
    expect(cache.getMetrics()).toMatchObject({ staleServed: 6 });
  });

  it('does not keep a forced refresh from loading', async () => {
    open({ grace: 1_000, throttle: 50 });
    await cache.set('key', 'old');
    clock.block(100);
    await cache.getOrSet('key', fail);

    expect(await cache.getOrSet('key', () => 'new', { forceRefresh: true })).toBe('new');
    expect(await cache.getOrSet('key', fail)).toBe('new');
  });
});

describe(`${CacheHierarchy.name}: throttle while the value is fresh`, () => {
  it('is not switched on by a forced refresh that fails', async () => {
    open({ grace: 1_000, throttle: 500 });
    await cache.set('key', 'old');
    clock.block(90);
    await expect(cache.getOrSet('key', fail, { forceRefresh: true })).rejects.toBe(AWAY);
    clock.block(10);

    expect(await cache.getOrSet('key', () => 'new')).toBe('new');
  });
});

describe(`${CacheHierarchy.name}: throttle and callers who leave`, () => {
  it('is not switched on by a caller whose leaving aborts the load', async () => {
    open({ grace: 1_000, throttle: 500 });
    await cache.set('key', 'old');
    clock.block(100);
    const request = new AbortController();
    const left = cache
      .getOrSet(
        'key',
        ({ signal }) =>
          new Promise<string>((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error)),
          ),
        { signal: request.signal },
      )
      .catch(() => 'left');
    request.abort();
    await settle();

    expect(await left).toBe('left');
    expect(await cache.getOrSet('key', () => 'new')).toBe('new');
  });

  it('is not switched on by a load that was fenced and then fails', async () => {
    open({ grace: 1_000, throttle: 500 });
    await cache.set('key', 'old');
    await cache.expire('key');
    const loaded = defer<string>();
    const caller = cache.getOrSet('key', () => loaded.promise);
    await cache.expire('key');
    loaded.reject(AWAY);

    expect(await caller).toBe('old');
    expect(await cache.getOrSet('key', () => 'new')).toBe('new');
  });

  it('can be switched off for a call', async () => {
    open({ grace: 1_000, throttle: 500 });
    await cache.set('key', 'old');
    clock.block(100);
    await cache.getOrSet('key', fail);

    expect(await cache.getOrSet('key', () => 'new', { throttle: false })).toBe('new');
  });
});

describe(`${CacheHierarchy.name}: loads behind that hang`, () => {
  it('are given up after joinTimeout, by callers who do not wait that long', async () => {
    open({ eager: 0.5, joinTimeout: 60 });
    await cache.getOrSet('key', () => 'old');
    clock.block(60);
    const hung = defer<string>();
    await cache.getOrSet('key', () => hung.promise);
    clock.block(40);
    const leaving = cache.getOrSet('key', () => '', { waitTimeout: 10 }).catch(() => 'left');
    await clock.advance(10);
    expect(await leaving).toBe('left');
    await clock.advance(60);

    expect(await cache.getOrSet('key', () => 'anew')).toBe('anew');
    hung.resolve('late');
    await settle();
    expect(cache.peek('key')).toBe('anew');
  });

  it('are replaced while they answer with a stale value', async () => {
    open({ grace: 10_000, softTimeout: 10, joinTimeout: 60 });
    await cache.set('key', 'old');
    clock.block(100);
    const hung = defer<string>();
    const first = cache.getOrSet('key', () => hung.promise);
    await clock.advance(10);
    expect([await first, await cache.getOrSet('key', fail)]).toEqual(['old', 'old']);
    await clock.advance(60);

    expect(await cache.getOrSet('key', () => 'anew')).toBe('anew');
    hung.resolve('late');
    await settle();
    expect(cache.peek('key')).toBe('anew');
  });

  it('keep the patience of those who join them after others left', async () => {
    open({ grace: 50, softTimeout: 10, joinTimeout: 200 });
    await cache.set('key', 'old');
    clock.block(100);
    const hung = defer<string>();
    const first = cache.getOrSet('key', () => hung.promise);
    await clock.advance(10);
    expect(await first).toBe('old');
    await clock.advance(60); // the grace is over
    const joined = cache.getOrSet('key', () => 'its own');
    await clock.advance(200);

    expect(await joined).toBe('its own');
    hung.resolve('late');
    await settle();
  });
});

describe(`${CacheHierarchy.name}: softTimeout`, () => {
  it('returns the stale value after that long, and stores what the load brings', async () => {
    open({ grace: 1_000, softTimeout: 30 });
    await cache.set('key', 'old');
    clock.block(100);
    const loaded = defer<string>();
    const caller = cache.getOrSet('key', () => loaded.promise);
    await clock.advance(30);
    expect(await caller).toBe('old');

    const later = await cache.getOrSet('key', fail); // joins, and is answered at once
    expect(later).toBe('old');
    loaded.resolve('new');
    await settle();

    expect(cache.peek('key')).toBe('new');
    expect(cache.getMetrics()).toMatchObject({ loads: 1, staleServed: 2 });
  });

  it('waits on where there is no stale value', async () => {
    open({ softTimeout: 30 });
    const loaded = defer<string>();
    const caller = cache.getOrSet('key', () => loaded.promise);
    await clock.advance(1_000);
    loaded.resolve('new');

    expect(await caller).toBe('new');
  });

  it('does not abort the load when nobody waits for it any more', async () => {
    open({ grace: 1_000, softTimeout: 30 });
    await cache.set('key', 'old');
    clock.block(100);
    const loaded = defer<string>();
    let signal: AbortSignal | undefined;
    void cache.getOrSet('key', (context) => {
      signal = context.signal;
      return loaded.promise;
    });
    await clock.advance(30);

    expect(signal?.aborted).toBe(false);
    loaded.resolve('new');
    await settle();
  });

  it('notes a failure behind, so that the next call does not load at once', async () => {
    open({ grace: 1_000, softTimeout: 30, throttle: 500 });
    await cache.set('key', 'old');
    clock.block(100);
    const loaded = defer<string>();
    void cache.getOrSet('key', () => loaded.promise);
    await clock.advance(30);
    loaded.reject(AWAY);
    await settle();

    expect(await cache.getOrSet('key', () => 'new')).toBe('old');
  });
});

describe(`${CacheHierarchy.name}: hardTimeout`, () => {
  it('gives up a load that takes too long, for all its callers', async () => {
    open({ hardTimeout: 200 });
    let signal: AbortSignal | undefined;
    const hung = defer<string>();
    const callers = Array.from({ length: 3 }, () =>
      cache.getOrSet('key', (context) => {
        signal = context.signal;
        return hung.promise;
      }),
    );
    const settled = Promise.allSettled(callers);
    await clock.advance(200);

    for (const result of await settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(LoadTimeoutError) });
    }
    expect(signal?.aborted).toBe(true);
    expect(await cache.getOrSet('key', () => 'anew')).toBe('anew');
    hung.resolve('too late');
    await settle();
    expect(cache.peek('key')).toBe('anew');
  });

  it('returns a stale value in place of the error', async () => {
    open({ grace: 1_000, hardTimeout: 200 });
    await cache.set('key', 'old');
    clock.block(100);
    const hung = defer<string>();
    const caller = cache.getOrSet('key', () => hung.promise);
    await clock.advance(200);

    expect(await caller).toBe('old');
    hung.resolve('late');
    await settle();
    expect(cache.peek('key')).toBe('late'); // nothing newer came meanwhile
  });

  it('stores nothing late that was invalidated meanwhile', async () => {
    open({ hardTimeout: 200 });
    const hung = defer<string>();
    const caller = cache.getOrSet('key', () => hung.promise).catch((error: unknown) => error);
    await clock.advance(200);
    await cache.delete('key');
    hung.resolve('late');
    await settle();

    expect(await caller).toBeInstanceOf(LoadTimeoutError);
    expect(cache.has('key')).toBe(false);
  });

  it('leaves no timer behind when the load ends in time', async () => {
    open({ softTimeout: 30, hardTimeout: 200 });
    await cache.getOrSet('key', () => 'value');

    expect(clock.pending).toBe(1); // the sweeper's
  });

  it('takes the other timer along when it gives a load up', async () => {
    open({ softTimeout: 500, hardTimeout: 200 });
    const hung = defer<string>();
    const caller = cache.getOrSet('key', () => hung.promise).catch(() => 'gave up');
    await clock.advance(200);

    expect([await caller, clock.pending]).toEqual(['gave up', 1]); // the sweeper's
    hung.resolve('late');
    await settle();
  });

  it('holds when the cache closes, and afterwards', async () => {
    open({ hardTimeout: 200 });
    const hung = defer<string>();
    const before = cache.getOrSet('key', () => hung.promise);
    await cache.close();
    const after = cache.getOrSet('key', () => hung.promise);
    const settled = Promise.allSettled([before, after]);
    await clock.advance(200);

    for (const result of await settled) {
      expect(result).toMatchObject({ reason: expect.any(LoadTimeoutError) });
    }
    hung.resolve('late');
    await settle();
  });

  it('counts as a failure for throttle, which a later failure does not prolong', async () => {
    open({ grace: 10_000, hardTimeout: 200, throttle: 500, staleOn: () => false });
    await cache.set('key', 'old');
    clock.block(100);
    const hung = defer<string>();
    const caller = cache.getOrSet('key', () => hung.promise);
    await clock.advance(200);
    let loads = 0;
    const loader = (): string => `load ${++loads}`;
    const throttled = await cache.getOrSet('key', loader);
    await clock.advance(400);
    hung.reject(AWAY);
    await settle();
    await clock.advance(100);

    expect([await caller, throttled]).toEqual(['old', 'old']);
    expect(await cache.getOrSet('key', loader)).toBe('load 1');
  });

  it('keeps one given-up load of a key, however many hang', async () => {
    open({ hardTimeout: 200 });
    const loads: Deferred<string>[] = [];
    for (let call = 0; call < 5; call++) {
      const caller = cache
        .getOrSet('key', () => {
          loads.push(defer<string>());
          return loads.at(-1)!.promise;
        })
        .catch(() => 'gave up');
      await clock.advance(200);
      expect(await caller).toBe('gave up');
    }

    expect(cache.getMetrics().inFlight).toBe(1);
    for (const [at, load] of loads.entries()) load.resolve(`late ${at}`);
    await settle();
    expect(cache.peek('key')).toBe('late 4');
  });
});

describe(`${CacheHierarchy.name}: eager`, () => {
  it('refreshes behind a hit once the share of the lifetime has passed', async () => {
    open({ eager: 0.8 });
    await cache.getOrSet('key', () => 'old');
    clock.block(79);
    expect(await cache.getOrSet('key', () => 'too early')).toBe('old');
    clock.block(1);

    expect(await cache.getOrSet('key', ({ stale }) => `after ${String(stale)}`)).toBe('old');
    await settle();
    expect(cache.peek('key')).toBe('after old');
    expect(cache.getMetrics()).toMatchObject({ loads: 2, refreshes: 1, hits: 2, misses: 1 });
    clock.block(99);
    expect(cache.peek('key')).toBe('after old');
  });

  it('refreshes what L1 still has when L2 has evicted it', async () => {
    open({ eager: 0.5, l1: { ttl: 100 }, l2: { maxEntries: 1 } });
    for (const key of ['a', 'b', 'c']) await cache.set(key, 'old');
    clock.block(50);
    for (const key of ['a', 'b', 'c']) await cache.getOrSet(key, () => 'new');
    await settle();

    expect(cache.getMetrics()).toMatchObject({ hits: 3, refreshes: 3, loads: 3 });
  });

  it('can be switched off for a call', async () => {
    open({ eager: 0.5 });
    await cache.getOrSet('key', () => 'old');
    clock.block(60);
    await cache.getOrSet('key', () => 'new', { eager: false });
    await settle();

    expect(cache.getMetrics()).toMatchObject({ refreshes: 0, loads: 1 });
  });

  it('tries once for each entry, and keeps the value when that fails', async () => {
    open({ eager: 0.5 });
    await cache.getOrSet('key', () => 'old');
    clock.block(60);
    let loads = 0;
    const loader = (): never => {
      loads += 1;
      throw AWAY;
    };
    for (let call = 0; call < 3; call++) {
      expect(await cache.getOrSet('key', loader)).toBe('old');
      await settle();
    }

    expect(loads).toBe(1);
    expect(cache.getMetrics()).toMatchObject({ loadFailures: 1, staleServed: 0 });
  });

  it('is waited for by who finds the entry expired meanwhile', async () => {
    open({ eager: 0.5, grace: 1_000 });
    await cache.getOrSet('key', () => 'old');
    clock.block(60);
    const loaded = defer<string>();
    await cache.getOrSet('key', () => loaded.promise);
    clock.block(40);
    const caller = cache.getOrSet('key', fail);
    loaded.resolve('new');

    expect(await caller).toBe('new');
  });

  it('stores nothing of a refresh that a delete came before', async () => {
    open({ eager: 0.5 });
    await cache.getOrSet('key', () => 'old');
    clock.block(60);
    const loaded = defer<string>();
    await cache.getOrSet('key', () => loaded.promise);
    await cache.delete('key');
    loaded.resolve('outdated');
    await settle();

    expect(cache.has('key')).toBe(false);
  });

  it('refreshes tagged entries, with their tags', async () => {
    open({ eager: 0.5 });
    await cache.getOrSet('key', () => 'old', { tags: 'tag' });
    clock.block(60);
    await cache.getOrSet('key', ({ notModified }) => notModified());
    await settle();
    clock.block(60);
    expect(cache.peek('key')).toBe('old');

    await cache.invalidateTags('tag');
    expect(cache.has('key')).toBe(false);
  });
});

describe(`${CacheHierarchy.name}: notModified`, () => {
  it('gives the stale value another lifetime', async () => {
    open({ grace: 1_000 });
    await cache.set('key', { etag: 'a' });
    clock.block(100);
    const value = await cache.getOrSet('key', ({ notModified }) => notModified());

    expect(value).toEqual({ etag: 'a' });
    clock.block(99);
    expect(cache.peek('key')).toEqual({ etag: 'a' });
  });
});

describe(`${CacheHierarchy.name}: expire`, () => {
  it('ends freshness at once and keeps the value as a stale one', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');

    expect(await cache.expire('key')).toBe(true);
    expect(cache.has('key')).toBe(false);
    expect(await cache.getOrSet('key', fail)).toBe('old');
    expect(await cache.getOrSet('key', () => 'new')).toBe('new');
    expect(cache.getMetrics()).toMatchObject({ expires: 1, deletes: 0 });
  });

  it('is a delete where there is no grace', async () => {
    open();
    await cache.set('key', 'old');

    expect([await cache.expire('key'), await cache.expire('key')]).toEqual([true, false]);
    await expect(cache.getOrSet('key', fail)).rejects.toBe(AWAY);
  });

  it('tells at once that it has ended, however close the calls', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');

    expect([
      await cache.expire('key'),
      await cache.expire('key'),
      await cache.delete('key'),
    ]).toEqual([true, false, false]);
  });

  it('works for what lives for ever', async () => {
    open({ ttl: Infinity, l1: { ttl: Infinity }, grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(1e9);
    expect((await cache.inspect('key'))[1]).toMatchObject({
      freshForMs: Infinity,
      keptForMs: Infinity,
    });
    await cache.expire('key');

    expect(await cache.getOrSet('key', fail)).toBe('old');
  });

  it('is not undone by a follower whose load begins long after its call', async () => {
    for (const end of [
      () => cache.delete('key'),
      () => cache.clear(),
      () => cache.invalidateTags('tag'),
      () => cache.set('key', 'newer'),
    ]) {
      open({ grace: 100_000, joinTimeout: 50 });
      await cache.set('key', 'old', { tags: 'tag' });
      clock.block(100);
      const hung = defer<string>();
      const first = cache.getOrSet('key', () => hung.promise);
      const seen: unknown[] = [];
      const follower = cache.getOrSet('key', ({ stale }) => {
        seen.push(stale);
        return 'its own';
      });
      await end();
      await clock.advance(50);

      expect(await follower).toBe(cache.peek('key'));
      expect(seen).not.toContain('old');
      hung.resolve('late');
      await first;
      await cache.close();
      clock = new VirtualClock();
    }
    open();
  });

  it('does not make the grace longer', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    clock.block(90);
    await cache.expire('key');
    clock.block(1_009);
    expect(await cache.getOrSet('key', fail)).toBe('old');
    clock.block(1);

    await expect(cache.getOrSet('key', fail)).rejects.toBe(AWAY);
  });

  it('fences loads, sets and updates that were called before', async () => {
    open({ grace: 1_000 });
    await cache.set('key', 'old');
    await cache.expire('key');
    const loaded = defer<string>();
    const caller = cache.getOrSet('key', () => loaded.promise);
    await cache.expire('key');
    loaded.resolve('outdated');

    expect(await caller).toBe('outdated');
    expect(cache.has('key')).toBe(false);
    expect(await cache.getOrSet('key', fail)).toBe('old');
  });

  it('keeps a stale value within reach of its tags and its namespace', async () => {
    open({ grace: 1_000 });
    const places = cache.namespace('places');
    await places.set('1', 'old');
    await cache.set('key', 'old', { tags: 'tag' });
    await places.expire('1');
    await cache.expire('key');
    await places.clear();
    await cache.invalidateTags('tag');

    await expect(places.getOrSet('1', fail)).rejects.toBe(AWAY);
    await expect(cache.getOrSet('key', fail)).rejects.toBe(AWAY);
  });
});
