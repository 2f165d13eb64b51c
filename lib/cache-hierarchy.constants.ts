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

/** Injection token of the application's sweeper, which the levels of its cache register with. */
export const CACHE_SWEEPER = Symbol.for('nestjs-cache-hierarchy:sweeper');
