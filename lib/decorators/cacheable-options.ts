import type { CacheableMethod } from '../binding/cacheable-methods.js';
import type { Duration } from '../durations.js';
import { DEFAULT_MAX_KEY_LENGTH, keyProblem } from '../memory/cache-key.js';
import { OptionReader } from '../options.js';

/**
 * Options of `@Cacheable`. `K` and `T` are the parameters that the functions `key` and `tags` take;
 * the compiler holds them against those of the method.
 */
export interface CacheableOptions<
  K extends unknown[] = unknown[],
  T extends unknown[] = unknown[],
> {
  /**
   * The key, verbatim, or a function that makes it from the method's arguments. `cache.delete` of
   * the same key reaches the entry. A string makes every call share one entry, whatever its arguments.
   *
   * @default a key derived from class, method and arguments
   */
  readonly key?: string | ((...args: K) => string);
  /**
   * How long the result is kept.
   *
   * @default the cache's own `ttl`
   */
  readonly ttl?: Duration;
  /**
   * Tags of the entry, or a function that makes them from the method's arguments;
   * `cache.invalidateTags` reaches it by them.
   *
   * @default no tags
   */
  readonly tags?: string | readonly string[] | ((...args: T) => string | readonly string[]);
}

/**
 * Checks the options of a decorated method.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveCacheableOptions<K extends unknown[], T extends unknown[]>(
  subject: string,
  options: CacheableOptions<K, T> | undefined,
): Pick<CacheableMethod, 'key' | 'storeOptions' | 'tagsOf'> {
  const read = new OptionReader(subject, options);
  const key = readKey(read);
  const ttl = read.optionalDuration('ttl');
  const tags = readTags(read);
  read.finish();
  return typeof tags === 'function'
    ? { key, storeOptions: Object.freeze({ ttl }), tagsOf: tags }
    : { key, storeOptions: Object.freeze({ ttl, tags }), tagsOf: undefined };
}

function readKey(read: OptionReader): CacheableMethod['key'] {
  const key = read.raw('key');
  if (key === undefined || typeof key === 'function') return key as CacheableMethod['key'];
  const problem = keyProblem(key, DEFAULT_MAX_KEY_LENGTH);
  if (problem !== undefined)
    read.reject('key', `must be a cache key or a function: a key ${problem}`);
  return key as string;
}

type Tags = string | readonly string[] | undefined;

function readTags(read: OptionReader): Tags | CacheableMethod['tagsOf'] {
  const tags = read.raw('tags');
  if (tags === undefined || typeof tags === 'string' || typeof tags === 'function') {
    return tags as Tags;
  }
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string')) {
    read.reject('tags', 'must be a string, an array of strings or a function that returns them');
  }
  return tags as Tags;
}
