import type { Case, Subject } from '../harness/suite.js';
import * as subjects from '../subjects.js';
import { zipfRequests } from '../workload.js';

/** Enough to average over a workload, few enough for a run of a second. */
export const REQUESTS = 500_000;

/** A read hit must not evict: everyone gets twice the room. */
const ROOM = 2;

/** A case that every synchronous cache takes part in. */
export function storeCase(
  shape: Omit<Case, 'against' | 'subjects' | 'peers'>,
  measure: (open: subjects.OpenStore, round: number) => ReturnType<Subject>,
): Case {
  const subject =
    (open: subjects.OpenStore): Subject =>
    ({ round }) =>
      measure(open, round);
  return {
    ...shape,
    against: ['lru-cache', 'Map'],
    subjects: {
      EnhancedAsyncTTLCache: subject(subjects.openEnhancedAsyncTtlCache),
      'lru-cache': subject(subjects.openLruCache),
      Map: subject(subjects.openMap),
    },
    peers: {
      '@isaacs/ttlcache': subject(subjects.openTtlCache),
      'quick-lru': subject(subjects.openQuickLru),
      'toad-cache': subject(subjects.openToadCache),
      mnemonist: subject(subjects.openMnemonist),
      'node-cache': subject(subjects.openNodeCache),
      '@cacheable/memory': subject(subjects.openCacheableMemory),
    },
  };
}

/** Opens a cache with room to spare and stores under each key its number. */
export async function fill(
  open: subjects.OpenStore,
  keys: readonly string[],
): Promise<subjects.Store> {
  const store = await open(keys.length * ROOM);
  for (const [id, key] of keys.entries()) store.set(key, id);
  return store;
}

/** The keys that a round's requests ask for, as the string objects they were stored under. */
export function requestedKeys(keys: readonly string[], round: number): readonly string[] {
  const requests = zipfRequests({ keys: keys.length, requests: REQUESTS, seed: round });
  return Array.from(requests, (id) => keys[id]!);
}

/** Shows a number of entries in a heading. */
export function show(entries: number): string {
  return entries < 1_000_000 ? `${entries / 1_000}k` : `${entries / 1_000_000}M`;
}
