import type { LevelName } from '../levels/cache-level.js';
import type { MissReason } from './cache-events.js';
import type { LatencyMetrics } from './latency-histogram.js';

/** What the operations on a hierarchy have come to since the start, or since its counters were reset. */
export interface OperationMetrics {
  /**
   * Counted reads: `get`, `getIfPresent`, `getOrSet`, each key of many. Always hits + misses. A read under
   * way counts as a miss until a lower level has answered it.
   */
  readonly gets: number;
  readonly hits: number;
  readonly misses: number;
  /** The hits by the level that answered, from the first to the last that is asked; together they are `hits`. */
  readonly answered: Readonly<Partial<Record<LevelName, number>>>;
  /**
   * Reads that no level in this process answered, by reason; a level outside it may have answered them since.
   * Why a key is not there any more is remembered for a time: `evicted` counts about those that a cache of two
   * to four times the entries would have answered, the others are `absent`.
   */
  readonly missReasons: Readonly<Record<MissReason, number>>;
  /** hits / gets, from 0 to 1; 0 before the first read. */
  readonly hitRatio: number;
  /** Values stored by `set`, `setMany` and `update`. */
  readonly sets: number;
  /** Keys that `delete` and `deleteMany` were called for. */
  readonly deletes: number;
  /** Keys that `expire` was called for. */
  readonly expires: number;
  /** Tags that were invalidated. */
  readonly tagInvalidations: number;
  /** Calls of `clear`, of the whole cache or a namespace. */
  readonly clears: number;
  /** Loaders called; one that loads several keys counts for each. */
  readonly loads: number;
  /** Loaders that threw; one that loads several keys counts for each. */
  readonly loadFailures: number;
  /** Values that were not stored: by their loader's word, since they had expired, or too large. */
  readonly unstored: number;
  /** Values that were not stored since they could not be copied. */
  readonly uncloneable: number;
  /** Time that loaders took, all together, in milliseconds. */
  readonly loadMs: number;
  /** How long loaders took; one that loads several keys counts once. */
  readonly loadTimes: LatencyMetrics;
  /** Loaders that wait for one of the `maxConcurrentLoads` slots now. */
  readonly waitingLoads: number;
  /** Answers of lower levels that had been overtaken when they came, and were looked for once more. */
  readonly optimisticRetries: number;
  /** Callers who got a stale value, since a load failed, took long or was not tried again yet. */
  readonly staleServed: number;
  /** Loads that began behind a hit, since the entry's time was `eager`'s share over. */
  readonly refreshes: number;
  /** Deletes, clears and invalidations that came after `close`. */
  readonly lateInvalidations: number;
}
