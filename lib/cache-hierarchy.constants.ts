import { InvalidArgumentError, show } from './errors.js';
import { isName, NAME_FORM } from './memory/cache-key.js';

/**
 * Returns the injection token of a named cache. It is there where `CacheHierarchyModule.forFeature` or
 * `forFeatureAsync` made that cache; the default cache has the class `CacheHierarchy` as its token.
 *
 * @throws {InvalidArgumentError} when the name is not 1 to 32 characters of `A-Z a-z 0-9 . _ -`
 */
export function getCacheToken(name: string): symbol {
  if (isName(name)) return Symbol.for(`nestjs-cache-hierarchy:cache:${name}`);
  throw new InvalidArgumentError(`A cache's name must be ${NAME_FORM}, got ${show(name)}.`);
}

/**
 * Injection token of the first level's `EnhancedAsyncTTLCache`. For inspection: what is written there
 * bypasses the hierarchy's fencing.
 */
export const CACHE_L1 = Symbol.for('nestjs-cache-hierarchy:l1');

/** Injection token of the second level's `EnhancedAsyncTTLCache`; injects `null` when `l2` is `false`. */
export const CACHE_L2 = Symbol.for('nestjs-cache-hierarchy:l2');

/** Injection token of the options as they were given to the module; override it in tests. */
export const CACHE_HIERARCHY_OPTIONS = Symbol.for('nestjs-cache-hierarchy:options');

/** Injection token of the options with the environment merged under them, checked. */
export const CACHE_MERGED_OPTIONS = Symbol.for('nestjs-cache-hierarchy:merged-options');

/** Injection token of the application's sweeper, which the levels of all its caches register with. */
export const CACHE_SWEEPER = Symbol.for('nestjs-cache-hierarchy:sweeper');

/** Injection token of what forRoot, forRootAsync, forFeature and forFeatureAsync give and nobody else. */
export const CACHE_MODULE_CONFIGURED = Symbol.for('nestjs-cache-hierarchy:configured');

/** Injection token of what makes the application's cache known to those that are named. */
export const CACHE_ANNOUNCEMENT = Symbol.for('nestjs-cache-hierarchy:announcement');

/** Returns the injection token of a named cache's own options; override it in tests. */
export function namedOptionsToken(name: string): symbol {
  return Symbol.for(`nestjs-cache-hierarchy:options:${name}`);
}

/** Returns the injection token of the entry that a named cache has in the registry. */
export function registrationToken(name: string): symbol {
  return Symbol.for(`nestjs-cache-hierarchy:registration:${name}`);
}
