import { readHealth } from '../hierarchy/cache-health.js';
import type { CacheHierarchy, HierarchyMetrics } from '../hierarchy/cache-hierarchy.js';
import type { LatencyMetrics } from '../hierarchy/latency-histogram.js';
import type { LowerLevelMetrics } from '../hierarchy/lower-level.js';
import type { LockWaits } from '../memory/shard-lock-manager.js';
import type { TableMetrics } from '../memory/table-metrics.js';
import { countsOf, rounded } from './cache-sample.js';
import type {
  CacheDetail,
  CoherenceDetail,
  HotKey,
  LevelDetail,
  ShardDetail,
  TimeHistogram,
} from './dashboard-state.js';

/** Of so many shards a level tells at most. */
const MAX_SHARDS = 256;

/** Tells all there is to tell of a cache, but for what happens over time. */
export function detailOf(
  cache: CacheHierarchy,
  metrics: HierarchyMetrics,
  hotKeys: readonly HotKey[],
): CacheDetail {
  const { coherence } = metrics;
  return {
    health: readHealth(cache, metrics).state,
    totals: {
      reads: metrics.gets,
      hits: metrics.hits,
      misses: metrics.misses,
      loads: metrics.loads,
      loadFailures: metrics.loadFailures,
      joins: metrics.joins,
      stale: metrics.staleServed,
      fenced: metrics.fenced,
      answered: countsOf(metrics.answered),
    },
    missReasons: metrics.missReasons,
    loadTimes: histogramOf(metrics.loadTimes),
    levels: levelsOf(metrics),
    hotKeys,
    ...(coherence === undefined ? {} : { coherence: coherenceOf(coherence) }),
  };
}

function levelsOf(metrics: HierarchyMetrics): LevelDetail[] {
  const { levels, lower, locks } = metrics;
  return Object.entries(metrics.answered).map(([name, hits]) => {
    const table = (levels as Record<string, TableMetrics | undefined>)[name];
    // The locks are those of the shards of the first level.
    if (table !== undefined) return memoryLevel(name, table, name === 'L1' ? locks.shards : []);
    const outside = (lower as Record<string, LowerLevelMetrics | undefined>)[name];
    return outside === undefined ? ownLevel(name, hits, metrics) : outsideLevel(name, outside);
  });
}

function memoryLevel(name: string, table: TableMetrics, waits: readonly LockWaits[]): LevelDetail {
  const { size, bytes, hits, misses } = table;
  const shards = table.shards.slice(0, MAX_SHARDS).map((shard, at): ShardDetail => {
    const lockWaits = waits[at]?.contentions ?? 0;
    const { evicted, expired } = shard;
    return {
      entries: shard.size,
      hits: shard.hits,
      misses: shard.misses,
      evicted,
      expired,
      lockWaits,
    };
  });
  return { name, kind: 'memory', state: 'up', entries: size, bytes, hits, misses, shards };
}

function outsideLevel(name: string, level: LowerLevelMetrics): LevelDetail {
  const { down, hits, misses, answerTimes, failures, timeouts, unconfirmed } = level;
  return {
    name,
    kind: 'outside',
    state: down ? 'down' : 'up',
    hits,
    misses,
    answerTimes: histogramOf(answerTimes),
    failures,
    timeouts,
    unconfirmed,
  };
}

/** A level of the user's own in this process counts nothing itself; it is asked for what L1 misses. */
function ownLevel(name: string, hits: number, metrics: HierarchyMetrics): LevelDetail {
  const { levels, lower, levelFailures } = metrics;
  const others = Object.values(lower).reduce((sum, { failures }) => sum + failures, 0);
  const misses = Math.max(0, levels.L1.misses - hits);
  return { name, kind: 'own', state: 'up', hits, misses, failures: levelFailures - others };
}

function histogramOf({ count, sumMs, buckets }: LatencyMetrics): TimeHistogram {
  return { count, sumMs: rounded(sumMs), buckets };
}

function coherenceOf({
  proven,
  lagMs,
  missed,
}: NonNullable<HierarchyMetrics['coherence']>): CoherenceDetail {
  const hasLag = lagMs !== undefined && Number.isFinite(lagMs);
  return { proven, lagMs: hasLag ? rounded(lagMs) : null, missed };
}
