import type { ShardMetrics } from './cache-shard.js';

/** What a cache's entries have been through since the start, or since its counters were reset. */
export interface TableMetrics {
  /** Counted reads: `get`, `getIfPresent` and `getOrSet`. Always hits + misses. */
  readonly gets: number;
  readonly hits: number;
  readonly misses: number;
  /** Those of the misses that found an entry whose time had passed. */
  readonly expiredMisses: number;
  /** Those of the misses that found an entry whose tag or namespace had been invalidated. */
  readonly tagMisses: number;
  /** hits / gets, from 0 to 1; 0 before the first read. */
  readonly hitRatio: number;
  /** Values stored, by callers and loaders. */
  readonly sets: number;
  /** Live entries that were removed because somebody asked. */
  readonly deletes: number;
  /** Entries removed because their time had passed, or by a sweep after their tag was invalidated. */
  readonly expired: number;
  /** Entries removed to make room. */
  readonly evicted: number;
  /** Values that were not stored because they are too heavy, or could not be weighed. */
  readonly refused: number;
  /** Entries held now; expired ones count until they are removed. */
  readonly size: number;
  /** What those weigh; 0 where nothing is weighed. */
  readonly bytes: number;
  /** Time spent removing expired entries, in milliseconds. */
  readonly cleanupDurationMs: number;
  /** Slices in which that was done. */
  readonly cleanupSlices: number;
  /** The longest of them, in milliseconds: how long the cleanup kept the event loop at most. */
  readonly longestCleanupSliceMs: number;
  /** The same for each shard. */
  readonly shards: readonly ShardMetrics[];
}

/** Adds the figures of shards up. */
export function sumOf(shards: readonly ShardMetrics[]): ShardMetrics {
  const sum = (name: keyof ShardMetrics): number =>
    shards.reduce((total, shard) => total + shard[name], 0);
  return {
    size: sum('size'),
    bytes: sum('bytes'),
    hits: sum('hits'),
    misses: sum('misses'),
    expiredMisses: sum('expiredMisses'),
    tagMisses: sum('tagMisses'),
    sets: sum('sets'),
    deletes: sum('deletes'),
    expired: sum('expired'),
    evicted: sum('evicted'),
  };
}
