import type { Case, Sample, Subject, Suite } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import { heldKeys, zipfRequests } from '../workload.js';
import type { Lock } from '../baseline/lock.js';
import { expire, timed } from './pauses.js';
import { openLoad, type OpenLoad } from './open-load.js';

const TTL_MS = 600_000;
const ENTRIES = 10_000;
const LOAD_MS = 1;
const WAITED = 'operations that waited for a lock';
const P99_OF_HITS = 'p99 of the requests whose key was there';

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
const ONE_LOCK = 'AsyncTTLCache, async-mutex, one shard';

/**
 * The mission's claims against the frozen baseline, with each of its two locks. Where callers wait
 * for loads it stands there once more with a single shard, as a cache with one lock has it: sixteen
 * shards already keep most callers out of each other's way.
 */
export const claims: Suite = {
  name: 'claims',
  cases: [
    allHits(),
    churn({ keys: 20, ttlMs: 1, underLock: true }),
    churn({ keys: 1_000, ttlMs: 50, underLock: true }),
    churn({ keys: 20, ttlMs: 1, underLock: false }),
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
    const keys = heldKeys(ENTRIES);
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

interface Churn {
  readonly keys: number;
  readonly ttlMs: number;
  readonly underLock: boolean;
}

/**
 * A thousand callers read through the cache for two seconds, each waiting for its answer and then a
 * turn of the event loop before it asks again. Entries expire as fast as they are loaded, or nearly;
 * what counts is who has to wait for that.
 */
function churn({ keys, ttlMs, underLock }: Churn): Case {
  const callers = 1_000;
  const seconds = 2;
  const traffic = `${callers} callers, ${keys} keys that live ${ttlMs} ms`;
  const loader = `a loader of ${LOAD_MS} ms ${underLock ? 'under' : 'outside'} the lock`;
  const name = `churn, ${traffic}, ${loader}`;
  const measure =
    (open: OpenClaimant): Subject =>
    async ({ round }) => {
      const cache = await open({ underLock, ttlMs });
      const names = heldKeys(keys);
      const requests = zipfRequests({ keys, requests: 1_000_000, seed: round });
      const startedAt = performance.now();
      const endAt = startedAt + seconds * 1_000;
      let calls = 0;
      const call = async (): Promise<void> => {
        while (performance.now() < endAt) {
          const id = requests[calls++ % requests.length]!;
          await cache.getOrSet(names[id]!, () => load(id));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await Promise.all(Array.from({ length: callers }, call));
      const tookMs = performance.now() - startedAt;
      const waited = (100 * cache.waited()) / calls;
      return { value: (tookMs * 1e6) / calls, checksum: keys, beside: { [WAITED]: waited } };
    };
  const measured = claim({ name, unit: 'ns/op', beside: { [WAITED]: '% of calls' } }, measure);
  return underLock ? withOneLock(measured, measure) : measured;
}

/** Requests come when they come, whether the cache keeps up or not: latency from the intended start. */
function latency(shape: Omit<OpenLoad, 'seed'>): Case {
  const misses = `${100 * shape.missShare} % of them for new keys`;
  const traffic = `${shape.perSecond / 1_000}k requests/s, ${misses}`;
  const name = `p99 at ${traffic}, a loader of ${LOAD_MS} ms`;
  const measure =
    (open: OpenClaimant): Subject =>
    async ({ round }) => {
      const cache = await open({ underLock: true, ttlMs: TTL_MS });
      const keys = heldKeys(ENTRIES);
      for (const [id, key] of keys.entries()) await cache.set(key, id);
      const { all, hits } = await openLoad({ ...shape, seed: round }, keys, (key) =>
        cache.getOrSet(key, () => load(1)),
      );
      const waited = (100 * cache.waited()) / (shape.perSecond * shape.seconds);
      return { value: all, checksum: 1, beside: { [P99_OF_HITS]: hits, [WAITED]: waited } };
    };
  const beside = { [P99_OF_HITS]: 'ms', [WAITED]: '% of calls' } as const;
  const measured = withOneLock(claim({ name, unit: 'ms', beside }, measure), measure);
  const idle: Subject = async ({ round }): Promise<Sample> => {
    const requests = { ...shape, seed: round };
    const { all, hits } = await openLoad(requests, heldKeys(ENTRIES), async () => 1);
    return { value: all, checksum: 1, beside: { [P99_OF_HITS]: hits, [WAITED]: 0 } };
  };
  return { ...measured, subjects: { ...measured.subjects, 'idle control': idle } };
}

/** Removing a million expired entries, the first sweep of the process. */
function cleanup(): Case {
  const entries = 1_000_000;
  const measured = expire(entries, entries);
  const baseline =
    (kind: 'mutex' | 'chain'): Subject =>
    async () => {
      const { AsyncTTLCache } = await import('../baseline/async-ttl-cache.js');
      const cache = new AsyncTTLCache<number>({ ttl: 1, lock: await lockOf(kind) });
      for (const [id, key] of heldKeys(entries).entries()) await cache.set(key, id);
      return timed(
        () => cache.removeExpired(),
        () => cache.getMetrics().cleanupDurationMs,
      );
    };
  const { [OURS]: ours } = measured.subjects;
  const subjects = { [OURS]: ours!, [BASELINE]: baseline('mutex'), [LEAN]: baseline('chain') };
  return { ...measured, subjects, against: [BASELINE, LEAN] };
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

/** A case with the baseline once more that has a single lock. */
function withOneLock(measured: Case, measure: (open: OpenClaimant) => Subject): Case {
  return {
    ...measured,
    against: [...measured.against, ONE_LOCK],
    subjects: { ...measured.subjects, [ONE_LOCK]: measure(openBaseline('mutex', 1)) },
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

function openBaseline(kind: 'mutex' | 'chain', numShards = 16): OpenClaimant {
  return async ({ underLock, ttlMs }) => {
    const { AsyncTTLCache } = await import('../baseline/async-ttl-cache.js');
    const lock = await lockOf(kind);
    const cache = new AsyncTTLCache<number>({ ttl: ttlMs, lock, numShards });
    return {
      get: (key) => cache.get(key),
      set: (key, value) => cache.set(key, value),
      getOrSet: (key, loader) =>
        underLock ? cache.getOrSetLocked(key, loader) : cache.getOrSet(key, loader),
      waited: () => cache.getMetrics().lockContentions,
    };
  };
}

async function lockOf(kind: 'mutex' | 'chain'): Promise<() => Lock> {
  const { AsyncMutexLock, PromiseChainLock } = await import('../baseline/lock.js');
  return () => (kind === 'mutex' ? new AsyncMutexLock() : new PromiseChainLock());
}

/** A loader that takes a millisecond, as a query of a near database does, and never less. */
async function load(value: number): Promise<number> {
  const endAt = performance.now() + LOAD_MS;
  await new Promise((resolve) => setTimeout(resolve, LOAD_MS));
  while (performance.now() < endAt) await new Promise((resolve) => setImmediate(resolve));
  return value;
}
