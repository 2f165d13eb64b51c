import type { HierarchyMetrics } from '../hierarchy/cache-hierarchy.js';
import type { CacheSample } from './dashboard-state.js';

/**
 * Makes the sample of a time.
 *
 * @param then what has happened in that time
 * @param now how it is at its end
 */
export function sampleOf(then: HierarchyMetrics, now: HierarchyMetrics): CacheSample {
  const [changed, held] = [Object.values(then.levels), Object.values(now.levels)];
  return {
    reads: then.gets,
    hits: then.hits,
    misses: then.misses,
    loads: then.loads,
    loadFailures: then.loadFailures,
    loadMs: rounded(then.loadMs),
    joins: then.joins,
    stale: then.staleServed,
    fenced: then.fenced,
    refreshes: then.refreshes,
    sets: then.sets,
    deletes: then.deletes,
    tagInvalidations: then.tagInvalidations,
    clears: then.clears,
    expires: then.expires,
    evicted: sum(changed.map(({ evicted }) => evicted)),
    expired: sum(changed.map(({ expired }) => expired)),
    inFlight: now.inFlight,
    entries: sum(held.map(({ size }) => size)),
    bytes: sum(held.map(({ bytes }) => bytes)),
    answered: countsOf(then.answered),
  };
}

/** Counts by level, as plain data. */
export function countsOf(answered: HierarchyMetrics['answered']): Record<string, number> {
  return Object.fromEntries(Object.entries(answered).map(([name, count]) => [name, count ?? 0]));
}

/** Microseconds are enough, and shorter to send. */
export function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
