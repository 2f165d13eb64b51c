import type { CacheHierarchy, HierarchyMetrics } from './cache-hierarchy.js';
import { LEVEL_NAMES, type LevelName } from '../levels/cache-level.js';

/** How a level in memory is. */
export interface MemoryLevelHealth {
  readonly state: 'up';
  readonly entries: number;
}

/** How a level outside this process is. */
export interface OutsideLevelHealth {
  /** What the last call that ended has told. */
  readonly state: 'up' | 'down';
  /** Calls that failed or took too long, since the start. */
  readonly failures: number;
  readonly timeouts: number;
  /** Keys and invalidations that it has not confirmed, and is asked for again. */
  readonly unconfirmed: number;
}

/** The details of a health check. */
export interface CacheHealthDetails extends Record<string, unknown> {
  /** `false` where `enabled` is, or once the cache is closed: then every call loads. */
  readonly active: boolean;
  /** The levels that are out, if there are any. */
  readonly out?: readonly LevelName[];
  /** Whether copies in the process are known to be current; without a level that processes share, absent. */
  readonly proven?: boolean;
  readonly levels: Readonly<Partial<Record<LevelName, MemoryLevelHealth | OutsideLevelHealth>>>;
}

/** How a cache is, as a whole and in detail. */
export interface CacheHealth {
  readonly state: 'up' | 'degraded' | 'down';
  readonly details: CacheHealthDetails;
}

/** Reads how a cache is from its figures, those of now unless others are given. */
export function readHealth(cache: CacheHierarchy, metrics = cache.getMetrics()): CacheHealth {
  const { levels, lower, coherence } = metrics;
  const out = LEVEL_NAMES.filter((name) => lower[name]?.down === true);
  const details = {
    active: cache.active,
    ...(out.length > 0 ? { out } : {}),
    ...(coherence === undefined ? {} : { proven: coherence.proven }),
    levels: { ...memoryLevels(levels), ...lowerLevels(lower) },
  };
  if (cache.closed) return { state: 'down', details };
  const isDegraded = out.length > 0 || coherence?.proven === false;
  return { state: isDegraded ? 'degraded' : 'up', details };
}

function memoryLevels(levels: HierarchyMetrics['levels']): CacheHealthDetails['levels'] {
  return Object.fromEntries(
    Object.entries(levels).map(([name, { size }]) => [name, { state: 'up', entries: size }]),
  );
}

function lowerLevels(lower: HierarchyMetrics['lower']): CacheHealthDetails['levels'] {
  return Object.fromEntries(
    Object.entries(lower).map(([name, { down, failures, timeouts, unconfirmed }]) => [
      name,
      { state: down ? 'down' : 'up', failures, timeouts, unconfirmed },
    ]),
  );
}
