import { InvalidArgumentError, show } from '../errors.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { registryOf } from './cache.registry.js';
import { cacheOf, isCacheHost } from './cache-slot.js';

/**
 * Returns the cache that a decorated method of an instance uses: the named one of the instance's
 * application, or its default one. `undefined` where there is none, or nothing is cached: the method
 * just runs.
 *
 * @throws {InvalidArgumentError} when the application has no cache of that name
 */
export function cacheOfMethod(host: unknown, name: string | undefined): CacheHierarchy | undefined {
  const main = isCacheHost(host) ? cacheOf(host) : undefined;
  if (main === undefined || name === undefined) return main?.active === true ? main : undefined;
  const named = registryOf(main)?.get(name);
  if (named !== undefined) return named.active ? named : undefined;
  if (!main.active) return undefined;
  throw new InvalidArgumentError(noCacheMessage(name));
}

/** Says that a decorator names a cache that is not there. */
export function noCacheMessage(name: string): string {
  return (
    `There is no cache named ${show(name)}. Import CacheHierarchyModule.forFeature([{ name: ` +
    `${show(name)} }]), or name another one.`
  );
}
