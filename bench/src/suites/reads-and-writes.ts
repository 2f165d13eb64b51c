import type { Case } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import * as subjects from '../subjects.js';
import { heldKeys, keyOf, zipfRequests } from '../workload.js';
import { awaitedHit, awaitedHitBesidePeers, FLOOR } from './awaited-hit.js';
import { fill, REQUESTS, requestedKeys, show, storeCase } from './store-case.js';

/** Every call builds its key, as a request handler does with the id it was sent. */
export function readHitWithNewKeys(entries: number): Case {
  const name = `read hit, ${show(entries)} entries, key built per call`;
  return storeCase({ name, unit: 'ns/op' }, async (open, round) => {
    const store = await fill(open, heldKeys(entries));
    const requests = zipfRequests({ keys: entries, requests: REQUESTS, seed: round });
    return timePerOperation(REQUESTS, () => {
      let sum = 0;
      for (const id of requests) sum += store.get(keyOf(id))!;
      return sum;
    });
  });
}

/** Every call uses the string object the entry was stored under, whose hash V8 keeps with it. */
export function readHitWithRepeatedKeys(entries: number): Case {
  const name = `read hit, ${show(entries)} entries, repeated keys`;
  return storeCase({ name, unit: 'ns/op' }, async (open, round) => {
    const keys = heldKeys(entries);
    const store = await fill(open, keys);
    const requested = requestedKeys(keys, round);
    return timePerOperation(REQUESTS, () => {
      let sum = 0;
      for (const key of requested) sum += store.get(key)!;
      return sum;
    });
  });
}

/** Every call replaces a value that is there; the checksum is what is there in the end. */
export function overwrite(entries: number): Case {
  const name = `overwrite, ${show(entries)} entries, repeated keys`;
  return storeCase({ name, unit: 'ns/op' }, async (open, round) => {
    const keys = heldKeys(entries);
    const store = await fill(open, keys);
    const requested = requestedKeys(keys, round);
    const { value } = await timePerOperation(REQUESTS, () => {
      let written = 0;
      for (const key of requested) store.set(key, written++);
      return written;
    });
    return { value, checksum: keys.reduce((sum, key) => sum + store.get(key)!, 0) };
  });
}

/** The same with a key that is built for the call. */
export function overwriteWithNewKeys(entries: number): Case {
  const name = `overwrite, ${show(entries)} entries, key built per call`;
  return storeCase({ name, unit: 'ns/op' }, async (open, round) => {
    const keys = heldKeys(entries);
    const store = await fill(open, keys);
    const requests = zipfRequests({ keys: entries, requests: REQUESTS, seed: round });
    const { value } = await timePerOperation(REQUESTS, () => {
      let written = 0;
      for (const id of requests) store.set(keyOf(id), written++);
      return written;
    });
    return { value, checksum: keys.reduce((sum, key) => sum + store.get(key)!, 0) };
  });
}

/** Overwrites where every caller awaits its `set`, as most code does. */
export function awaitedOverwrite(entries: number): Case {
  const measured = overwrite(entries);
  return {
    ...measured,
    name: `awaited ${measured.name}`,
    peers: {},
    subjects: {
      ...measured.subjects,
      EnhancedAsyncTTLCache: async ({ round }) => {
        const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
        const cache = new EnhancedAsyncTTLCache<number>({ maxEntries: 2 * entries, ttl: '10m' });
        const keys = heldKeys(entries);
        for (const [id, key] of keys.entries()) await cache.set(key, id);
        const requested = requestedKeys(keys, round);
        const { value } = await timePerOperation(REQUESTS, async () => {
          let written = 0;
          for (const key of requested) await cache.set(key, written++);
          return written;
        });
        return { value, checksum: keys.reduce((sum, key) => sum + cache.getIfPresent(key)!, 0) };
      },
    },
  };
}

/** The read-through call where every caller makes a loader of its own, as most code does. */
export function readThroughHitWithNewLoaders(entries: number): Case {
  return {
    against: [FLOOR],
    ...awaitedHit('awaited read-through hit with a loader made per call', entries, {
      'EnhancedAsyncTTLCache.getOrSet': subjects.readThroughWithNewLoaders,
      [FLOOR]: subjects.readThroughMapWithNewLoaders,
    }),
  };
}

/** The read-through call beside those of others and beside the least that such a call can cost. */
export function readThroughHit(entries: number): Case {
  return awaitedHitBesidePeers(
    'awaited read-through hit',
    entries,
    'EnhancedAsyncTTLCache.getOrSet',
    subjects.readThroughEnhancedAsyncTtlCache,
  );
}
