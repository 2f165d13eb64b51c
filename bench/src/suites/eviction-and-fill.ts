import type { Case } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import type { OpenStore, Store } from '../subjects.js';
import { heldKeys, keyOf, zipfRequests } from '../workload.js';
import { show, storeCase } from './store-case.js';

const NEW_KEYS = 200_000;
/** New keys that are made beforehand last for more runs than there will be. */
const RUNS = 15;
const MIXED_REQUESTS = 1_000_000;

/**
 * A full cache is given keys that it has never seen, built for the call: a new key is a new string.
 * Beside the time, the hit ratio that the same kind of cache reaches on a load of its own: a fast
 * eviction that forgets what is asked for next would be no bargain. `Map` evicts nothing; it is
 * there as the floor.
 */
export function newKeyAtCapacity(entries: number): Case {
  const name = `new key at capacity, ${show(entries)} entries, key built per call`;
  const hits = 'hits of a mixed load, 1M keys, Zipf 0.9';
  return storeCase({ name, unit: 'ns/op', beside: { [hits]: '% hits' } }, async (open, round) => {
    const beside = { [hits]: await hitsOfMixedLoad(open, entries, round) };
    const store = await fullStore(open, entries);
    let next = entries;
    const timed = await timePerOperation(NEW_KEYS, () => {
      for (const end = next + NEW_KEYS; next < end; next++) store.set(keyOf(next), next);
      return store.get(keyOf(next - 1))! - next;
    });
    return { ...timed, beside };
  });
}

/** The same with keys that were made before: the cost of the eviction, without that of the key. */
export function heldNewKeyAtCapacity(entries: number): Case {
  const name = `new key at capacity, ${show(entries)} entries, keys made before`;
  return storeCase({ name, unit: 'ns/op' }, async (open) => {
    const store = await fullStore(open, entries);
    let next = 0;
    const keys = heldKeys(RUNS * NEW_KEYS, entries);
    globalThis.gc!();
    return timePerOperation(NEW_KEYS, () => {
      for (let id = 0; id < NEW_KEYS; id++) store.set(keys[next + id]!, id);
      next = (next + NEW_KEYS) % keys.length;
      return store.get(keys.at(next - 1)!)!;
    });
  });
}

async function fullStore(open: OpenStore, entries: number): Promise<Store> {
  const store = await open(entries);
  for (const key of heldKeys(entries)) store.set(key, 0);
  return store;
}

/** The hits, in percent, of a new cache that is read and filled by a load beyond its bound. */
async function hitsOfMixedLoad(open: OpenStore, entries: number, seed: number): Promise<number> {
  const store = await open(entries);
  let found = 0;
  const load = { keys: 1_000_000, requests: MIXED_REQUESTS, seed, exponent: 0.9 };
  for (const id of zipfRequests(load)) {
    const key = keyOf(id);
    if (store.get(key) !== undefined) found += 1;
    else store.set(key, id);
  }
  return (100 * found) / MIXED_REQUESTS;
}

/** A new cache takes a million entries, growing on the way; lru-cache allocates all at the start. */
export function fillWithGrowth(entries: number): Case {
  const name = `fill ${show(entries)} entries with growth, repeated keys`;
  return storeCase({ name, unit: 'ns/op' }, async (open) => {
    const keys = heldKeys(entries);
    return timePerOperation(entries, async () => {
      const store = await open(entries);
      for (let id = 0; id < entries; id++) store.set(keys[id]!, id);
      return store.get(keys[entries - 1]!)!;
    });
  });
}
