import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { CacheRegistry } from './cache.registry.js';

/** Caches that are told of, by the names that they have there. */
export type NamedCaches = Readonly<Record<string, CacheHierarchy>>;

/** Gives the caches at the moment. */
export type CachesNow = () => NamedCaches;

/** What the default cache of an application is called, which has no name. */
const DEFAULT = 'default';

/** What a cache is called where caches are told of. */
function toldName(name: string | undefined): string {
  if (name === undefined) return DEFAULT;
  return name === DEFAULT ? `${DEFAULT} (named)` : name;
}

/** What tells of a cache: its own name, if it has one, and itself. */
interface OfCache {
  readonly cache?: string;
  readonly hierarchy: CacheHierarchy;
}

/** Returns what the cache of an event is called; `undefined` where it is no cache of the application. */
export function nameIn(registry: CacheRegistry, { cache, hierarchy }: OfCache): string | undefined {
  return registry.get(cache) === hierarchy ? toldName(cache) : undefined;
}

/** The caches of an application as they are at the moment; those that a test has replaced are left out. */
export function cachesOf(registry: CacheRegistry): CachesNow {
  return () => {
    const named = [...registry.entries()].map(([name, cache]) => [toldName(name), cache] as const);
    const caches = [[toldName(undefined), registry.get()] as const, ...named].filter(
      ([, cache]) => cache instanceof CacheHierarchy,
    );
    return Object.fromEntries(caches) as NamedCaches;
  };
}
