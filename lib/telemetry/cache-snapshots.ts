import type { CachesNow } from '../binding/named-caches.js';
import type { HierarchyMetrics } from '../hierarchy/cache-hierarchy.js';
import type { Failed } from './telemetry-failure.js';

/** A snapshot of each cache, by its name. */
export type Snapshots = readonly (readonly [cache: string, metrics: HierarchyMetrics])[];

/**
 * Takes snapshots of caches, one for all who ask in the same turn: a collection asks figure by figure, and
 * is to show one moment. What throws is left out.
 */
export function snapshotsOf(caches: CachesNow, failed: Failed): () => Snapshots {
  const attempt = <R>(run: () => R[]): R[] => {
    try {
      return run();
    } catch (error) {
      failed(error);
      return [];
    }
  };
  let taken: Snapshots | undefined;
  return () => {
    if (taken === undefined) {
      taken = attempt(() => Object.entries(caches())).flatMap(([name, cache]) =>
        attempt(() => [[name, cache.getMetrics()] as const]),
      );
      queueMicrotask(() => (taken = undefined));
    }
    return taken;
  };
}
