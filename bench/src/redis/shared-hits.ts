import type { Case, Subject } from '../harness/suite.js';
import { heldKeys } from '../workload.js';
import { byCallers, CALLERS, withServer } from './cells.js';
import {
  openBentocache,
  openCacheable,
  openOurs,
  openPlain,
  profileOf,
  type OpenShared,
  type Profile,
  type SharedCache,
} from './shared-caches.js';

const PLAIN = 'ioredis GET, JSON.parse';
const OURS = 'CacheHierarchy over redisLevel';
const ENTRIES = 80_000;
/** Those before are there for the compiler. */
const MEASURED = 20_000;

/** Keys that another process has stored, each asked for once, so that none is in memory. */
export function sharedHits(): Case {
  return {
    name: `getOrSet that hits in the shared level, ${CALLERS} callers`,
    unit: 'ops/s',
    against: [PLAIN],
    subjects: {
      [OURS]: throughputOf(openOurs),
      bentocache: throughputOf(openBentocache),
      cacheable: throughputOf(openCacheable),
      [PLAIN]: throughputOf(openPlain),
    },
  };
}

function throughputOf(open: OpenShared): Subject {
  return withServer(async ({ client }) => {
    const keys = heldKeys(ENTRIES);
    const writer = await open(client);
    await byCallers(CALLERS, keys, (key, id) => writer.set(key, profileOf(id)));
    // Opened later: the messages of cacheable bring values, and it would find them in memory.
    const reader = await open(client);
    await idsOf(reader, keys.slice(0, -MEASURED));
    const startedAt = performance.now();
    const checksum = await idsOf(reader, keys.slice(-MEASURED));
    const seconds = (performance.now() - startedAt) / 1_000;
    await Promise.all([writer.close(), reader.close()]);
    return { value: MEASURED / seconds, checksum };
  });
}

async function idsOf(cache: SharedCache, keys: readonly string[]): Promise<number> {
  let sum = 0;
  await byCallers(CALLERS, keys, async (key) => {
    const { id } = await cache.getOrSet(key, neverLoaded);
    sum += id;
  });
  return sum;
}

function neverLoaded(): Promise<Profile> {
  return Promise.reject(new Error('It must be in the level.'));
}
