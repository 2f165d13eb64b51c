import type { Case } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import { allKeys, flatKeys, keyOf, zipfRequests } from '../workload.js';
import { show, storeCase } from './store-case.js';

const NEW_KEYS = 200_000;
/** New keys are made beforehand, for more runs than there will be. */
const RUNS = 15;
const MIXED_REQUESTS = 1_000_000;

/**
 * A full cache is given keys that it has never seen, made outside the time. Beside the time, the hit ratio
 * that the same kind of cache reaches on a load of its own: a fast eviction that forgets what is
 * asked for next would be no bargain. `Map` evicts nothing; it is there as the floor.
 */
export function newKeyAtCapacity(entries: number): Case {
  const name = `new key at capacity, ${show(entries)} entries`;
  const hits = 'hits of a mixed load, 1M keys, Zipf 0.9';
  return storeCase({ name, unit: 'ns/op', beside: { [hits]: '% hits' } }, async (open, round) => {
    const mixed = await open(entries);
    let found = 0;
    const exponent = 0.9;
    const requests = { keys: 1_000_000, requests: MIXED_REQUESTS, seed: round, exponent };
    for (const id of zipfRequests(requests)) {
      const key = keyOf(id);
      if (mixed.get(key) !== undefined) found += 1;
      else mixed.set(key, id);
    }

    const store = await open(entries);
    for (const key of allKeys(entries)) store.set(key, 0);
    let next = 0;
    const keys = flatKeys(entries, RUNS * NEW_KEYS);
    globalThis.gc!();
    const { value, checksum } = await timePerOperation(NEW_KEYS, () => {
      for (let id = 0; id < NEW_KEYS; id++) store.set(keys[next + id]!, id);
      next = (next + NEW_KEYS) % keys.length;
      return store.get(keys.at(next - 1)!)!;
    });
    return { value, checksum, beside: { [hits]: (100 * found) / MIXED_REQUESTS } };
  });
}

/** A new cache takes a million entries, growing on the way; lru-cache allocates all at the start. */
export function fillWithGrowth(entries: number): Case {
  const name = `fill ${show(entries)} entries with growth, repeated keys`;
  return storeCase({ name, unit: 'ns/op' }, async (open) => {
    const keys = allKeys(entries);
    return timePerOperation(entries, async () => {
      const store = await open(entries);
      for (let id = 0; id < entries; id++) store.set(keys[id]!, id);
      return store.get(keys[entries - 1]!)!;
    });
  });
}
