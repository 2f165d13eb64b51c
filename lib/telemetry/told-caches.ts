import type { CacheRegistry } from '../binding/cache.registry.js';
import { CacheHierarchy, type HierarchyMetrics } from '../hierarchy/cache-hierarchy.js';
import type { Failed } from './telemetry-failure.js';

/** Caches that are told of, by the names that they have there. */
export type NamedCaches = Readonly<Record<string, CacheHierarchy>>;

/** Gives the caches at the moment. */
export type CachesNow = () => NamedCaches;

/** What the default cache of an application is called, which has no name. */
const DEFAULT = 'default';

/** The caches of an application as they are at the moment; those that a test has replaced are left out. */
export function cachesOf(registry: CacheRegistry): CachesNow {
  return () => {
    const named = [...registry.entries()].map(
      ([name, cache]) => [name === DEFAULT ? `${DEFAULT} (named)` : name, cache] as const,
    );
    const caches = [[DEFAULT, registry.get()] as const, ...named].filter(
      ([, cache]) => cache instanceof CacheHierarchy,
    );
    return Object.fromEntries(caches) as NamedCaches;
  };
}

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
