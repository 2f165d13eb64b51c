import { describe, expect, it } from '@jest/globals';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import { defer } from '../support/deferred.js';
import { VirtualClock } from '../support/virtual-clock.js';
import {
  describeOriginalBehaviour,
  type OriginalCache,
  type OriginalOptions,
  type OriginalSubject,
} from './original-behaviour.js';

/** Ours has per-call options in place of a third argument, and a synchronous size and metrics. */
function adapt(cache: EnhancedAsyncTTLCache<unknown>, clock: VirtualClock): OriginalCache {
  return {
    set: (key, value, ttlMs) =>
      cache.set(key, value, ttlMs === undefined ? undefined : { ttl: ttlMs }),
    get: (key) => cache.get(key),
    delete: (key) => cache.delete(key),
    clear: () => cache.clear(),
    async removeExpired() {
      const removed = cache.removeExpired();
      await clock.turn();
      return removed;
    },
    stop: () => cache.stop(),
    size: async () => cache.size,
    getMetrics: async () => cache.getMetrics(),
  };
}

function createCache(options: OriginalOptions): OriginalSubject {
  const clock = new VirtualClock();
  const cache = new EnhancedAsyncTTLCache<unknown>({ ...options, clock });
  return { cache: adapt(cache, clock), advance: (ms) => clock.advance(ms) };
}

describeOriginalBehaviour(EnhancedAsyncTTLCache.name, createCache);

describe(`${EnhancedAsyncTTLCache.name}: a hit`, () => {
  it('takes no lock, not even of a key that is being updated', async () => {
    const clock = new VirtualClock();
    const cache = new EnhancedAsyncTTLCache<string>({ clock });
    await cache.set('key', 'old');
    const changed = defer<string>();
    const update = cache.update('key', () => changed.promise);

    const values = await Promise.all(Array.from({ length: 1_000 }, () => cache.get('key')));
    const { hits, lockContentions, lockWaitMs } = cache.getMetrics();
    changed.resolve('new');
    await update;

    expect(new Set(values)).toEqual(new Set(['old']));
    expect({ hits, lockContentions, lockWaitMs }).toEqual({
      hits: 1_000,
      lockContentions: 0,
      lockWaitMs: 0,
    });
    await cache.stop();
  });
});
