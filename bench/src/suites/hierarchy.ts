import type { Case, Subject, Suite } from '../harness/suite.js';
import * as subjects from '../subjects.js';
import { awaitedHit } from './awaited-hit.js';

const CALLERS = 1_000;

/** What all levels together cost beside the least that an awaited read can cost. */
export const hierarchy: Suite = {
  name: 'hierarchy',
  cases: [levelOneHit(), stampede()],
};

/** A value that L1 holds, beside the least such a call can cost. */
function levelOneHit(): Case {
  return {
    against: ['async function around Map.get'],
    ...awaitedHit('awaited L1 hit', 10_000, {
      'CacheHierarchy.getOrSet': subjects.readThroughCacheHierarchy,
      'async function around Map.get': subjects.readThroughMap,
    }),
  };
}

/** A thousand callers ask for one cold key at once; the loader takes one turn of the event loop. */
function stampede(): Case {
  const subject =
    (open: subjects.OpenReadThrough): Subject =>
    async () => {
      let loads = 0;
      const read = await open(CALLERS, async () => {
        loads += 1;
        await new Promise((resolve) => setImmediate(resolve));
        return 1;
      });
      const answers = await Promise.all(Array.from({ length: CALLERS }, () => read('cold')));
      return { value: loads, checksum: answers.reduce((sum, answer) => sum + answer, 0) };
    };
  return {
    name: `stampede of ${CALLERS} callers on one cold key`,
    unit: 'loads',
    against: ['async function around Map.get'],
    subjects: {
      'CacheHierarchy.getOrSet': subject(subjects.readThroughCacheHierarchy),
      'lru-cache fetch': subject(subjects.readThroughLruCache),
      'async function around Map.get': subject(subjects.readThroughMap),
    },
  };
}
