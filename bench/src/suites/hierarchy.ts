import type { Case, Subject, Suite } from '../harness/suite.js';
import * as subjects from '../subjects.js';
import { awaitedHitBesidePeers, awaitedHitInStorage, FLOOR, inStorage } from './awaited-hit.js';

const CALLERS = 1_000;
const OURS = 'CacheHierarchy.getOrSet';

/** What all levels together cost beside the least that an awaited read can cost. */
export const hierarchy: Suite = {
  name: 'hierarchy',
  cases: [
    awaitedHitBesidePeers('awaited L1 hit', 10_000, OURS, subjects.readThroughCacheHierarchy),
    levelOneHitInStorage(),
    stampede(),
  ],
};

/** A hit in L1 for an application that uses an `AsyncLocalStorage`, beside one that does not. */
function levelOneHitInStorage(): Case {
  return {
    against: [FLOOR, inStorage(FLOOR)],
    ...awaitedHitInStorage('awaited L1 hit with and without an AsyncLocalStorage in use', 10_000, {
      [OURS]: subjects.readThroughCacheHierarchy,
      [FLOOR]: subjects.readThroughMap,
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
    against: [FLOOR],
    subjects: {
      [OURS]: subject(subjects.readThroughCacheHierarchy),
      'lru-cache fetch': subject(subjects.readThroughLruCache),
      [FLOOR]: subject(subjects.readThroughMap),
    },
  };
}
