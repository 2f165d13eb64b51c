import type { Case, Sample, Subject, Suite } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import { allKeys, zipfRequests } from '../workload.js';
import { expire } from './pauses.js';
import { openLoad, type OpenLoad } from './open-load.js';

const TTL_MS = 600_000;
const ENTRIES = 10_000;
const LOAD_MS = 1;
const CHURN_TTL_MS = 50;
const WAITED = 'operations that waited for a lock';

/** The cache under measurement as the claims need it. */
interface Claimant {
  get(key: string): Promise<number | undefined>;
  set(key: string, value: number): Promise<void>;
  getOrSet(key: string, loader: () => Promise<number>): Promise<number>;
  /** Operations that had to wait for a lock. */
  waited(): number;
}

interface ClaimantOptions {
  /** Whether the baseline's loader runs while the shard is locked. */
  readonly underLock: boolean;
  readonly ttlMs: number;
}

type OpenClaimant = (options: ClaimantOptions) => Promise<Claimant>;

const OURS = 'EnhancedAsyncTTLCache';
const BASELINE = 'AsyncTTLCache, async-mutex';
const LEAN = 'AsyncTTLCache, promise chain';

/** The mission's claims against the frozen baseline, with each of its two locks. */
export const claims: Suite = {
  name: 'claims',
  cases: [
    allHits(),
    churn('under the lock', true),
    churn('outside the lock', false),
    latency({ perSecond: 20_000, missShare: 0.01, seconds: 5 }),
    latency({ perSecond: 5_000, missShare: 0.1, seconds: 5 }),
    cleanup(),
  ],
};

/** A hundred callers read what is there, each awaiting its answer before it asks again. */
function allHits(): Case {
  const callers = 100;
  const reads = 200_000;
  return claim({ name: 'all hits, 100 callers', unit: 'ns/op' }, (open) => async ({ round }) => {
    const cache = await open({ underLock: false, ttlMs: TTL_MS });
    const keys = allKeys(ENTRIES);
    for (const [id, key] of keys.entries()) await cache.set(key, id);
    const requests = zipfRequests({ keys: ENTRIES, requests: reads, seed: round });
    return timePerOperation(reads, async () => {
      let sum = 0;
      const call = async (caller: number): Promise<void> => {
        for (let at = caller; at < reads; at += callers) {
          // Not in one expression: the sum would be read before the wait.
          const value = await cache.get(keys[requests[at]!]!);
          sum += value!;
        }
      };
      await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
      return sum;
    });
  });
}

/**
 * A thousand callers read through the cache for two seconds, each waiting for its answer and then a
 * turn of the event loop before it asks again. Entries live 50 ms and the loader takes one, so there
 * is always something to load; what counts is who has to wait for that.
 */
function churn(where: string, underLock: boolean): Case {
  const callers = 1_000;
  const seconds = 2;
  const keys = 1_000;
  const name = `churn, ${callers} callers, a loader of ${LOAD_MS} ms ${where}`;
  const measure =
    (open: OpenClaimant): Subject =>
    async ({ round }) => {
      const cache = await open({ underLock, ttlMs: CHURN_TTL_MS });
      const names = allKeys(keys);
      const requests = zipfRequests({ keys, requests: 1_000_000, seed: round });
      const endAt = performance.now() + seconds * 1_000;
      let calls = 0;
      const call = async (): Promise<void> => {
        while (performance.now() < endAt) {
          const id = requests[calls++ % requests.length]!;
          await cache.getOrSet(names[id]!, () => load(id));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await Promise.all(Array.from({ length: callers }, call));
      const waited = (100 * cache.waited()) / calls;
      return { value: (seconds * 1e9) / calls, checksum: keys, beside: { [WAITED]: waited } };
    };
  return claim({ name, unit: 'ns/op', beside: { [WAITED]: '% of calls' } }, measure);
}

/** Requests come when they come, whether the cache keeps up or not: latency from the intended start. */
function latency(shape: Omit<OpenLoad, 'seed'>): Case {
  const traffic = `${shape.perSecond / 1_000}k requests/s, ${100 * shape.missShare} % misses`;
  const name = `p99 at ${traffic}, a loader of ${LOAD_MS} ms`;
  const measured = claim(
    { name, unit: 'ms', beside: { [WAITED]: '% of calls' } },
    (open) =>
      async ({ round }) => {
        const cache = await open({ underLock: true, ttlMs: TTL_MS });
        const hot = allKeys(ENTRIES);
        for (const [id, key] of hot.entries()) await cache.set(key, id);
        const ask = (key: string): Promise<number> => cache.getOrSet(key, () => load(1));
        const value = await openLoad({ ...shape, seed: round }, hot, ask);
        const calls = shape.perSecond * shape.seconds;
        return { value, checksum: 1, beside: { [WAITED]: (100 * cache.waited()) / calls } };
      },
  );
  const idle: Subject = async ({ round }): Promise<Sample> => {
    const requests = { ...shape, seed: round };
    return { value: await openLoad(requests, allKeys(ENTRIES), async () => 1), checksum: 1 };
  };
  return { ...measured, subjects: { ...measured.subjects, 'idle control': idle } };
}

/** Removing a million expired entries, the first sweep of the process. */
function cleanup(): Case {
  const entries = 1_000_000;
  const measured = expire(entries, entries);
  const baseline: Subject = async () => {
    const { AsyncTTLCache } = await import('../baseline/async-ttl-cache.js');
    const cache = new AsyncTTLCache<number>({ ttl: 1 });
    for (const [id, key] of allKeys(entries).entries()) await cache.set(key, id);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const removed = await cache.removeExpired();
    return { value: cache.getMetrics().cleanupDurationMs, checksum: removed };
  };
  const { [OURS]: ours } = measured.subjects;
  return { ...measured, subjects: { [OURS]: ours!, [BASELINE]: baseline }, against: [BASELINE] };
}

function claim(
  shape: Pick<Case, 'name' | 'unit' | 'beside'>,
  measure: (open: OpenClaimant) => Subject,
): Case {
  return {
    ...shape,
    against: [BASELINE, LEAN],
    subjects: {
      [OURS]: measure(openOurs),
      [BASELINE]: measure(openBaseline('mutex')),
      [LEAN]: measure(openBaseline('chain')),
    },
  };
}

async function openOurs({ ttlMs }: ClaimantOptions): Promise<Claimant> {
  const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
  const options = { ttl: ttlMs, numShards: 16, maxEntries: 1_000_000 };
  const cache = new EnhancedAsyncTTLCache<number>(options);
  return {
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, loader) => cache.getOrSet(key, loader),
    waited: () => cache.getMetrics().lockContentions,
  };
}

function openBaseline(kind: 'mutex' | 'chain'): OpenClaimant {
  return async ({ underLock, ttlMs }) => {
    const { AsyncTTLCache } = await import('../baseline/async-ttl-cache.js');
    const { AsyncMutexLock, PromiseChainLock } = await import('../baseline/lock.js');
    const lock = () => (kind === 'mutex' ? new AsyncMutexLock() : new PromiseChainLock());
    const cache = new AsyncTTLCache<number>({ ttl: ttlMs, lock });
    return {
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      getOrSet: (key, loader) =>
        underLock ? cache.getOrSetLocked(key, loader) : cache.getOrSet(key, loader),
      waited: () => cache.getMetrics().lockContentions,
    };
  };
}

/** A loader that takes a millisecond, as a query of a near database does. */
async function load(value: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
  return value;
}
