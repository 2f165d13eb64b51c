import type { HierarchyMetrics } from './cache-hierarchy.js';

/** The figures that tell how things are now; all others count what has happened. */
export const GAUGES: ReadonlySet<string> = new Set([
  'size',
  'bytes',
  'inFlight',
  'waitingLoads',
  'heldKeys',
  'unconfirmed',
  'lagMs',
  'longestCleanupSliceMs',
  'resets',
]);

/**
 * Returns what has happened between two snapshots of one cache: counters are differences, and what tells how
 * things are is that of the later one. Where the counters were reset in between, it is the later one.
 */
export function metricsSince(earlier: HierarchyMetrics, later: HierarchyMetrics): HierarchyMetrics {
  return earlier.resets === later.resets ? (since(earlier, later) as HierarchyMetrics) : later;
}

function since(earlier: unknown, later: unknown, name = ''): unknown {
  if (typeof later === 'number') {
    const isCounter = typeof earlier === 'number' && !GAUGES.has(name);
    return isCounter && later >= earlier ? later - earlier : later;
  }
  if (Array.isArray(later)) {
    const before = Array.isArray(earlier) ? (earlier as unknown[]) : [];
    return later.map((value, at) => since(before[at], value, name));
  }
  if (typeof later !== 'object' || later === null) return later;
  const before = (earlier ?? {}) as Record<string, unknown>;
  const fields = Object.entries(later).map(([field, value]) => [
    field,
    since(before[field], value, field),
  ]);
  return withRatio(Object.fromEntries(fields) as Record<string, unknown>);
}

/** A read under way at the earlier snapshot was a miss there, and can be a hit here. */
function withRatio(metrics: Record<string, unknown>): Record<string, unknown> {
  if (!('hitRatio' in metrics)) return metrics;
  const hits = metrics['hits'] as number;
  const gets = Math.max(metrics['gets'] as number, hits);
  return { ...metrics, gets, misses: gets - hits, hitRatio: gets === 0 ? 0 : hits / gets };
}
