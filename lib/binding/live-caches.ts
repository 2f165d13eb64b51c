import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';

/** The default caches of the applications in this process; one that was never closed can be collected. */
const live = new Set<WeakRef<CacheHierarchy>>();
const retired = new WeakSet<CacheHierarchy>();

/** Notes that an application has this cache. */
export function announceCache(cache: CacheHierarchy): void {
  live.add(new WeakRef(cache));
}

/** Notes that the application of this cache is closed. */
export function retireCache(cache: CacheHierarchy): void {
  retired.add(cache);
  for (const reference of live) {
    const other = reference.deref();
    if (other === cache || other === undefined) live.delete(reference);
  }
}

/** Whether the application of this cache is closed. */
export function isRetired(cache: CacheHierarchy): boolean {
  return retired.has(cache);
}

/** Returns the cache of the one application in the process, or `undefined` when there is none or more. */
export function soleLiveCache(): CacheHierarchy | undefined {
  let sole: CacheHierarchy | undefined;
  for (const reference of live) {
    const cache = reference.deref();
    if (cache === undefined) live.delete(reference);
    else if (sole !== undefined) return undefined;
    else sole = cache;
  }
  return sole;
}
