import type { Duration } from '../durations.js';
import { OptionReader } from '../options.js';

/** Options of the provider of `CACHE_MANAGER`. Levels and bounds are options of the hierarchy. */
export interface CacheManagerOptions {
  /**
   * How long an entry lives whose call says nothing; 0 for ever, as in cache-manager.
   * @default the hierarchy's `ttl`
   */
  readonly ttl?: Duration;
  /**
   * A value that `wrap` finds with less than this left to live is loaded anew behind its caller.
   * @default nothing is refreshed
   */
  readonly refreshThreshold?: Duration;
  /**
   * The namespace of the hierarchy that holds the entries: 1 to 32 characters of `A-Z a-z 0-9 . _ -`.
   * `clear` removes what is in it.
   * @default 'cache-manager'
   */
  readonly namespace?: string;
  /**
   * What `cacheId()` returns.
   * @default a random text
   */
  readonly cacheId?: string;
}

/** {@link CacheManagerOptions} with everything filled in; durations in milliseconds. */
export interface ResolvedCacheManagerOptions {
  readonly ttl: number | undefined;
  readonly refreshThreshold: number | undefined;
  readonly namespace: string;
  readonly cacheId: string;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveCacheManagerOptions(
  options: CacheManagerOptions,
): ResolvedCacheManagerOptions {
  const read = new OptionReader('CacheManagerModule', options);
  const resolved: ResolvedCacheManagerOptions = {
    ttl: read.raw('ttl') === 0 ? 0 : read.optionalDuration('ttl'),
    refreshThreshold: read.optionalDuration('refreshThreshold'),
    namespace: readText(read, 'namespace') ?? 'cache-manager',
    cacheId: readText(read, 'cacheId') ?? Math.random().toString(36).slice(2),
  };
  if ('stores' in Object(options)) refuseStores(read);
  read.finish();
  return Object.freeze(resolved);
}

function readText(read: OptionReader, name: string): string | undefined {
  const value = read.raw(name);
  if (value === undefined || typeof value === 'string') return value;
  read.reject(name, 'must be a string');
  return undefined;
}

/** Whoever leaves them in would believe that they are used. */
function refuseStores(read: OptionReader): void {
  if (read.raw('stores') === undefined) return;
  read.reject('stores', 'must be left out: levels are options of CacheHierarchyModule');
}
