import { AsyncLocalStorage } from 'node:async_hooks';

import type { Case, Subject } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import * as subjects from '../subjects.js';
import type { OpenReadThrough } from '../subjects.js';
import { heldKeys, zipfRequests } from '../workload.js';

/** The least that an awaited read can cost. */
export const FLOOR = 'async function around Map.get';
const FETCH = 'lru-cache fetch';
const REQUESTS = 500_000;

/** Starts a run of the measured loop. */
type Start = (loop: () => Promise<number>) => Promise<number>;

type AwaitedHit = Pick<Case, 'name' | 'unit' | 'subjects'>;

/** A hit of the read-through call, with the key objects of the entries, awaited one by one. */
export function awaitedHit(
  name: string,
  entries: number,
  calls: Readonly<Record<string, OpenReadThrough>>,
): AwaitedHit {
  return {
    name: `${name}, ${entries / 1_000}k entries, repeated keys`,
    unit: 'ns/op',
    subjects: Object.fromEntries(
      Object.entries(calls).map(([subject, open]) => [subject, hits(open, entries)]),
    ),
  };
}

/** One read-through call beside those of others and beside the least that such a call can cost. */
export function awaitedHitBesidePeers(
  name: string,
  entries: number,
  own: string,
  open: OpenReadThrough,
): Case {
  const peers = {
    'async-cache-dedupe': subjects.readThroughAsyncCacheDedupe,
    'cache-manager wrap': subjects.readThroughCacheManager,
    'cacheable getOrSet': subjects.readThroughCacheable,
    'bentocache getOrSet': subjects.readThroughBentocache,
  };
  return {
    against: [FLOOR, FETCH, ...Object.keys(peers)],
    ...awaitedHit(name, entries, {
      [own]: open,
      [FETCH]: subjects.readThroughLruCache,
      [FLOOR]: subjects.readThroughMap,
    }),
    peers: awaitedHit(name, entries, peers).subjects,
  };
}

/**
 * The same hits, and once more inside `AsyncLocalStorage.run`, as of an application that keeps what
 * belongs to a request there. On Node 20 the first `run` of a process makes all its promises dearer,
 * so what an awaited hit costs there is to be seen beside what any awaited call costs there.
 */
export function awaitedHitInStorage(
  name: string,
  entries: number,
  calls: Readonly<Record<string, OpenReadThrough>>,
): AwaitedHit {
  const outside = awaitedHit(name, entries, calls);
  const inside = Object.entries(calls).map(([subject, open]) => {
    const measured: Subject = (cell) => hits(open, entries, startInStorage())(cell);
    return [inStorage(subject), measured] as const;
  });
  return { ...outside, subjects: { ...outside.subjects, ...Object.fromEntries(inside) } };
}

/** Names the subject whose loop runs inside `AsyncLocalStorage.run`. */
export function inStorage(subject: string): string {
  return `${subject} in AsyncLocalStorage.run`;
}

/** The cache is opened before, outside, as when an application boots. */
function startInStorage(): Start {
  const storage = new AsyncLocalStorage<{ readonly requestId: number }>();
  return (loop) => storage.run({ requestId: 1 }, loop);
}

function hits(open: OpenReadThrough, entries: number, start: Start = (loop) => loop()): Subject {
  return async ({ round }) => {
    const keys = heldKeys(entries);
    const read = await open(entries * 2, async (key) => key.length);
    for (const key of keys) await read(key);
    const requests = zipfRequests({ keys: entries, requests: REQUESTS, seed: round });
    const requested = Array.from(requests, (id) => keys[id]!);
    const loop = async (): Promise<number> => {
      let sum = 0;
      for (const key of requested) sum += await read(key);
      return sum;
    };
    return timePerOperation(REQUESTS, () => start(loop));
  };
}
