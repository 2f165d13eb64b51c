import { LATENCY_BUCKETS_MS } from 'nestjs-cache-hierarchy';
import type {
  CacheDetail,
  CacheSample,
  DashboardHello,
  DashboardSample,
  ShardDetail,
  TimeHistogram,
} from '../../lib/dashboard/dashboard-state.js';

/** Of the first hello; the last sample of its history was taken then. */
export const NOW = Date.UTC(2026, 10, 30, 14, 3, 27);

const NOTHING_HAPPENED: CacheSample = {
  reads: 0,
  hits: 0,
  misses: 0,
  loads: 0,
  loadFailures: 0,
  loadMs: 0,
  joins: 0,
  stale: 0,
  fenced: 0,
  refreshes: 0,
  sets: 0,
  deletes: 0,
  tagInvalidations: 0,
  clears: 0,
  expires: 0,
  evicted: 0,
  expired: 0,
  inFlight: 0,
  entries: 0,
  bytes: 0,
  answered: { L1: 0, L2: 0, remote: 0 },
};

export function cacheSample(some: Partial<CacheSample> = {}): CacheSample {
  return { ...NOTHING_HAPPENED, ...some };
}

/** A histogram with so many times in the buckets up to these bounds. */
export function histogram(counts: Readonly<Record<number, number>>, sumMs: number): TimeHistogram {
  const buckets = LATENCY_BUCKETS_MS.map((bound) => counts[bound] ?? 0);
  buckets.push(counts[Infinity] ?? 0);
  return { count: buckets.reduce((sum, count) => sum + count, 0), sumMs, buckets };
}

/** A cache with three levels that has answered 10,000 reads, 9,000 of them without a load. */
export function cacheDetail(some: Partial<CacheDetail> = {}): CacheDetail {
  return {
    health: 'up',
    totals: {
      reads: 10_000,
      hits: 9_000,
      misses: 1_000,
      loads: 900,
      loadFailures: 7,
      joins: 100,
      stale: 12,
      fenced: 3,
      answered: { L1: 7_000, L2: 1_500, remote: 500 },
    },
    missReasons: { absent: 600, expired: 250, evicted: 120, tag: 27, fenced: 3, held: 0 },
    // 40 ms each, answers of the remote level 2 ms each.
    loadTimes: histogram({ 10: 90, 20: 310, 50: 330, 100: 140, 200: 25, 500: 5 }, 36_000),
    levels: [
      {
        name: 'L1',
        kind: 'memory',
        state: 'up',
        entries: 4_096,
        bytes: 6_291_456,
        hits: 7_000,
        misses: 3_000,
        shards: shards(16),
      },
      {
        name: 'L2',
        kind: 'memory',
        state: 'up',
        entries: 16_384,
        bytes: 25_165_824,
        hits: 1_500,
        misses: 1_500,
        shards: shards(32),
      },
      {
        name: 'remote',
        kind: 'outside',
        state: 'up',
        hits: 500,
        misses: 1_000,
        answerTimes: histogram({ 1: 300, 2: 650, 5: 500, 10: 45, 20: 5 }, 3_000),
        failures: 2,
        timeouts: 1,
        unconfirmed: 0,
      },
    ],
    hotKeys: Array.from({ length: 20 }, (_, at) => ({
      label: `sha256:${(0x5bd1e995 * (at + 3)).toString(16).padEnd(12, 'a').slice(0, 12)}`,
      share: 0.2 / (at + 1.4),
      hits: Math.round(2_800 / (at + 1.4)),
    })),
    coherence: { proven: true, lagMs: 4, missed: 0 },
    ...some,
  };
}

/** A sample of the default cache, and of another that does nothing. */
export function dashboardSample(
  at: number,
  some: Partial<CacheSample> = {},
  detail: CacheDetail = cacheDetail(),
): DashboardSample {
  const levels = detail.levels.slice(0, 1);
  const idle = cacheDetail({ health: 'degraded', hotKeys: [], levels });
  const sessions = cacheSample({ entries: 12, detail: idle });
  return { at, caches: { default: cacheSample({ ...some, detail }), sessions } };
}

function thinSample(at: number, some: Partial<CacheSample>): DashboardSample {
  return { at, caches: { default: cacheSample(some), sessions: cacheSample({ entries: 12 }) } };
}

export function dashboardHello(some: Partial<DashboardHello> = {}): DashboardHello {
  const now = some.now ?? NOW;
  return {
    bootId: 'first-boot',
    startedAt: now - 7_200_000,
    now,
    version: '0.1.0',
    intervalMs: 1_000,
    mutations: false,
    revealsKeys: false,
    latencyBucketsMs: LATENCY_BUCKETS_MS,
    caches: [
      {
        name: 'default',
        active: true,
        levels: ['L1', 'L2', 'remote'],
        advice: [
          {
            code: 'grace-without-soft-timeout',
            message:
              'grace is 1 h and there is no softTimeout: a slow load makes callers wait though a stale value is there. Set softTimeout.',
          },
        ],
      },
      { name: 'sessions', active: true, levels: ['L1'], advice: [] },
    ],
    history: history(now),
    activity: [
      { at: now - 3_900_000, cache: 'default', kind: 'clear', what: 'catalogue > eu', count: 1 },
      {
        at: now - 400_000,
        cache: 'default',
        kind: 'tags',
        what: 'product:42, category:7',
        count: 1,
      },
      {
        at: now - 95_000,
        cache: 'default',
        kind: 'delete',
        what: 'sha256:0f3b1c9d2e4a',
        count: 12,
      },
      { at: now - 20_000, cache: 'default', kind: 'expire', what: 'sha256:77aa01bc93de', count: 1 },
      { at: now - 2_000, cache: 'sessions', kind: 'delete', what: 'sha256:123456789abc', count: 1 },
    ],
    ...some,
  };
}

/** Fifteen minutes of traffic with a bad minute in it; in the last ten seconds 200 reads, 190 hits and 9 loads each. */
function history(now: number): readonly DashboardSample[] {
  const latest = sampleOf(200, 190, 9, 0);
  const samples = Array.from({ length: 899 }, (_, second) =>
    thinSample(now - (899 - second) * 1_000, second < 890 ? traffic(second) : latest),
  );
  return [...samples, dashboardSample(now, latest)];
}

function traffic(second: number): Partial<CacheSample> {
  const isBad = second > 520 && second < 590;
  const wave = 180 + 60 * Math.sin(second / 90) + 12 * Math.sin(second * 1.7);
  const reads = Math.round(wave + 6 * Math.sin(second * 5.3));
  const ratio = isBad ? 0.72 : 0.94 + 0.02 * Math.sin(second / 23);
  const hits = Math.round(reads * ratio);
  return sampleOf(reads, hits, Math.round((reads - hits) * 0.9), isBad ? 4 : 0);
}

function sampleOf(
  reads: number,
  hits: number,
  loads: number,
  loadFailures: number,
): Partial<CacheSample> {
  const L1 = Math.round(hits * 0.8);
  const L2 = Math.round(hits * 0.15);
  return {
    reads,
    hits,
    misses: reads - hits,
    loads,
    loadFailures,
    loadMs: loads * 40,
    inFlight: 2,
    entries: 20_480,
    bytes: 31_457_280,
    answered: { L1, L2, remote: hits - L1 - L2 },
  };
}

function shards(count: number): readonly ShardDetail[] {
  return Array.from({ length: count }, (_, at) => ({
    entries: 256 + Math.round(90 * Math.sin(at * 2.3)),
    hits: 430 + Math.round(400 * Math.sin(at * 1.1 + 1) ** 4 * (at === 5 ? 4 : 1)),
    misses: 90 + Math.round(40 * Math.sin(at * 3.7)),
    evicted: Math.max(0, Math.round(30 * Math.sin(at * 0.9))),
    expired: Math.round(12 + 10 * Math.sin(at * 4.1)),
    lockWaits: at % 7 === 3 ? 4 : 0,
  }));
}
