import type { Case, Subject, Suite } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import * as subjects from '../subjects.js';
import { allKeys, keyOf, zipfRequests } from '../workload.js';
import { awaitedHit } from './awaited-hit.js';

const REQUESTS = 500_000;

/** A read hit must not evict, and shards do not fill evenly: everyone gets twice the room. */
const ROOM = 2;

/** The memory level alone, against the cache most people use and against a bare `Map`. */
export const engine: Suite = {
  name: 'engine',
  cases: [10_000, 100_000].flatMap((entries) => [
    readHitWithNewKeys(entries),
    readHitWithRepeatedKeys(entries),
    overwrite(entries),
    readThroughHit(entries),
  ]),
};

/** Every call builds its key, as a request handler does with the id it was sent. */
function readHitWithNewKeys(entries: number): Case {
  return storeCase(
    `read hit, ${show(entries)} entries, key built per call`,
    async (open, round) => {
      const store = await fill(open, allKeys(entries));
      const requests = zipfRequests({ keys: entries, requests: REQUESTS, seed: round });
      return timePerOperation(REQUESTS, () => {
        let sum = 0;
        for (const id of requests) sum += store.get(keyOf(id))!;
        return sum;
      });
    },
  );
}

/** Every call uses the string object the entry was stored under, whose hash V8 keeps with it. */
function readHitWithRepeatedKeys(entries: number): Case {
  return storeCase(`read hit, ${show(entries)} entries, repeated keys`, async (open, round) => {
    const keys = allKeys(entries);
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
function overwrite(entries: number): Case {
  return storeCase(`overwrite, ${show(entries)} entries, repeated keys`, async (open, round) => {
    const keys = allKeys(entries);
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

/** The read-through call beside lru-cache's own and beside the least such a call can cost. */
function readThroughHit(entries: number): Case {
  return {
    against: ['async function around Map.get', 'lru-cache fetch'],
    ...awaitedHit('awaited read-through hit', entries, {
      'EnhancedAsyncTTLCache.getOrSet': subjects.readThroughEnhancedAsyncTtlCache,
      'lru-cache fetch': subjects.readThroughLruCache,
      'async function around Map.get': subjects.readThroughMap,
    }),
  };
}

function storeCase(
  name: string,
  measure: (open: subjects.OpenStore, round: number) => ReturnType<Subject>,
): Case {
  const subject =
    (open: subjects.OpenStore): Subject =>
    ({ round }) =>
      measure(open, round);
  return {
    name,
    unit: 'ns/op',
    against: ['lru-cache', 'Map'],
    subjects: {
      EnhancedAsyncTTLCache: subject(subjects.openEnhancedAsyncTtlCache),
      'lru-cache': subject(subjects.openLruCache),
      Map: subject(subjects.openMap),
    },
  };
}

async function fill(open: subjects.OpenStore, keys: readonly string[]): Promise<subjects.Store> {
  const store = await open(keys.length * ROOM);
  for (const [id, key] of keys.entries()) store.set(key, id);
  return store;
}

function requestedKeys(keys: readonly string[], round: number): readonly string[] {
  const requests = zipfRequests({ keys: keys.length, requests: REQUESTS, seed: round });
  return Array.from(requests, (id) => keys[id]!);
}

function show(entries: number): string {
  return `${entries / 1_000}k`;
}
