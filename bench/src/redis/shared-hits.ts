import type { Redis } from 'ioredis';
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
/** Instances that ask for all of them before the clock starts, for the compiler. */
const WARMING = 3;
/** Instances that do so while it runs: for seconds, since machines change their speed within one. */
const TIMED = 3;

/** Keys that another instance has stored, each asked for once by an instance, so that none is in its memory. */
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
    for (let at = 0; at < WARMING; at++) await timeHits(open, client, keys);
    const timed: Timed[] = [];
    for (let at = 0; at < TIMED; at++) timed.push(await timeHits(open, client, keys));
    await writer.close();
    const seconds = timed.reduce((sum, one) => sum + one.seconds, 0);
    const checksum = timed.reduce((sum, one) => sum + one.checksum, 0);
    return { value: (TIMED * ENTRIES) / seconds, checksum };
  });
}

interface Timed {
  readonly seconds: number;
  readonly checksum: number;
}

/** Has an instance that is opened now ask for all keys: one that was there before may have heard of values. */
async function timeHits(open: OpenShared, client: Redis, keys: readonly string[]): Promise<Timed> {
  const reader = await open(client);
  const startedAt = performance.now();
  const checksum = await idsOf(reader, keys);
  const seconds = (performance.now() - startedAt) / 1_000;
  await reader.close();
  return { seconds, checksum };
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
