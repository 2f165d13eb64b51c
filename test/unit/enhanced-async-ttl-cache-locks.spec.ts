import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LockTimeoutError } from '../../lib/errors.js';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { defer } from '../support/deferred.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const LOCK_MS = 5_000;

let clock: VirtualClock;
let cache: EnhancedAsyncTTLCache<unknown>;

beforeEach(() => {
  clock = new VirtualClock();
  cache = new EnhancedAsyncTTLCache({ clock, cleanupInterval: false });
});

afterEach(async () => {
  await cache.stop();
  expect(clock.pending).toBe(0);
});

describe(`${EnhancedAsyncTTLCache.name}: the order of sets and updates of a key`, () => {
  it('is the order of the calls', async () => {
    const changed = defer<string>();
    const seen: unknown[] = [];
    const first = cache.update('key', () => changed.promise);
    const second = cache.set('key', 'second');
    const third = cache.update('key', (current) => {
      seen.push(current);
      return 'third';
    });
    const fourth = cache.set('key', 'fourth');

    changed.resolve('first');
    await Promise.all([first, second, third, fourth]);

    expect(seen).toEqual(['second']);
    expect(cache.peek('key')).toBe('fourth');
  });

  it('lets a set take effect in its call when nobody holds the key', () => {
    void cache.set('key', 1);

    expect(cache.peek('key')).toBe(1);
  });

  it('lets a set wait while an update of its key runs', async () => {
    const changed = defer<string>();
    const update = cache.update('key', () => changed.promise);
    const set = observe(cache.set('key', 'set'));
    await settle();
    const before = [set.state, cache.peek('key')];

    changed.resolve('changed');
    await update;
    await settle();

    expect(before).toEqual(['pending', undefined]);
    expect([set.state, cache.peek('key')]).toEqual(['resolved', 'set']);
  });

  it('survives an update that fails before the sets in the queue', async () => {
    const changed = defer<string>();
    const failing = rejectionOf(cache.update('key', () => changed.promise));
    const sets = [cache.set('key', 'second'), cache.set('key', 'third')];

    changed.reject(new Error('of the change'));
    await failing;
    await Promise.all(sets);

    expect(cache.peek('key')).toBe('third');
  });

  it('lets a set in the queue store nothing that was called before a delete', async () => {
    const changed = defer<string>();
    const update = cache.update('key', () => changed.promise);
    const overtaken = cache.set('key', 'overtaken');
    await cache.delete('key');
    const later = cache.set('key', 'later');

    changed.resolve('changed');
    await Promise.all([update, overtaken]);
    await later;

    expect(cache.peek('key')).toBe('later');
    expect(cache.getMetrics()).toMatchObject({ fenced: 2, sets: 1 });
  });

  it('fences loads that were called before, when a set from the queue stores', async () => {
    const changed = defer<string>();
    const loaded = defer<string>();
    const update = cache.update('key', () => changed.promise);
    const set = cache.set('key', 'set');
    const load = cache.getOrSet('key', () => loaded.promise);
    changed.resolve('changed');
    await Promise.all([update, set]);

    loaded.resolve('loaded');
    await load;

    expect(cache.peek('key')).toBe('set');
  });
});

describe(`${EnhancedAsyncTTLCache.name}: waits for a lock`, () => {
  it.each([
    ['set', () => cache.set('key', 'late')],
    ['update', () => cache.update('key', () => 'late')],
  ])('of %s end after lockTimeout with an error, and the key is deleted', async (_, call) => {
    await cache.set('key', 'old');
    const changed = defer<string>();
    const holder = cache.update('key', () => changed.promise);
    const late = observe(call());
    await clock.advance(LOCK_MS - 1);
    const before = [late.state, cache.peek('key')];

    await clock.advance(1);

    expect(before).toEqual(['pending', 'old']);
    expect(late.state).toBe('rejected');
    expect(late.error).toBeInstanceOf(LockTimeoutError);
    expect(cache.has('key')).toBe(false);
    changed.resolve('changed');
    await holder;
  });

  it('leave the queue behind in its order when one ends', async () => {
    const changed = defer<string>();
    const holder = cache.update('key', () => changed.promise);
    const late = rejectionOf(cache.set('key', 'late'));
    await clock.advance(LOCK_MS - 1);
    const next = cache.set('key', 'next');
    await clock.advance(1);
    await late;

    changed.resolve('changed');
    await Promise.all([holder, next]);

    expect(cache.peek('key')).toBe('next');
  });

  it('do not run the change of an update that came too late', async () => {
    const changed = defer<string>();
    let ran = false;
    const holder = cache.update('key', () => changed.promise);
    const late = rejectionOf(
      cache.update('key', () => {
        ran = true;
        return 1;
      }),
    );
    await clock.advance(LOCK_MS);
    await late;

    changed.resolve('changed');
    await holder;

    expect(ran).toBe(false);
  });

  it('let nothing be stored that was called before the set that timed out', async () => {
    const changed = defer<string>();
    const holder = cache.update('key', () => changed.promise);
    const late = rejectionOf(cache.set('key', 'late'));
    await clock.advance(LOCK_MS);
    await late;

    changed.resolve('made of the old value');
    await holder;

    expect(cache.has('key')).toBe(false);
  });
});
