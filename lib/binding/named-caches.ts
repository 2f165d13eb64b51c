import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { CacheRegistry } from './cache.registry.js';

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
