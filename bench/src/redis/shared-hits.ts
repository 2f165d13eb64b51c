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
const ENTRIES = 40_000;

/** Keys that another process has stored, each asked for once, so that none is in memory. */
export function sharedHits(): Case {
  const subject = (open: OpenShared): Subject =>
    withServer(async ({ client }) => {
      const [writer, reader] = [await open(client), await open(client)];
      const keys = heldKeys(ENTRIES);
      await byCallers(CALLERS, keys, (key, id) => writer.set(key, profileOf(id)));
      // What the writer has told the reader is to be heard before the clock starts.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const half = keys.length / 2;
      await idsOf(reader, keys.slice(0, half));
      const startedAt = performance.now();
      const checksum = await idsOf(reader, keys.slice(half));
      const seconds = (performance.now() - startedAt) / 1_000;
      await Promise.all([writer.close(), reader.close()]);
      return { value: half / seconds, checksum };
    });
  return {
    name: `hits in the shared level, ${CALLERS} callers`,
    unit: 'ops/s',
    against: [PLAIN],
    subjects: {
      [OURS]: subject(openOurs),
      bentocache: subject(openBentocache),
      cacheable: subject(openCacheable),
      [PLAIN]: subject(openPlain),
    },
  };
}

async function idsOf(cache: SharedCache, keys: readonly string[]): Promise<number> {
  let sum = 0;
  await byCallers(CALLERS, keys, async (key) => {
    const { id } = (await cache.get<Profile>(key))!;
    sum += id;
  });
  return sum;
}
