import { registerConfig } from '../binding/class-config.js';
import type { ClassLike } from '../binding/cacheable-methods.js';
import type { Duration } from '../durations.js';
import { DEFAULT_MAX_KEY_LENGTH, keyProblem } from '../memory/cache-key.js';
import { InvalidArgumentError } from '../errors.js';
import { OptionReader } from '../options.js';
import { readCacheName, readTags } from './method-options.js';

/** Options of `@CacheConfig`: what holds for every decorated method of a class. */
export interface CacheConfigOptions {
  /**
   * The name of the cache.
   * @default the default cache
   */
  readonly cache?: string;
  /** Stands before every `key` that a decorator of the class gives; derived keys have the class's name. */
  readonly keyPrefix?: string;
  /** How long results are kept, unless a method says otherwise. */
  readonly ttl?: Duration;
  /** Tags of every entry, beside those that a method says. */
  readonly tags?: string | readonly string[];
}

/**
 * Says what holds for every decorated method of a class. A class that extends it has the same, unless it
 * says something itself.
 *
 * @throws {InvalidOptionsError} at decoration, when an option is wrong or unknown
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a class
 */
export function CacheConfig(options: CacheConfigOptions): ClassDecorator {
  return (type) => {
    if (typeof type !== 'function')
      throw new InvalidArgumentError('@CacheConfig is for classes: put it above the class.');
    const read = new OptionReader(`@CacheConfig on ${type.name}`, options);
    const tags = readTags(read);
    if (typeof tags === 'function') read.reject('tags', 'must be a string or an array of strings');
    const config = {
      cache: readCacheName(read),
      keyPrefix: readPrefix(read),
      ttl: read.optionalDuration('ttl'),
      tags: typeof tags === 'string' ? [tags] : (tags as readonly string[] | undefined),
    };
    read.finish();
    registerConfig(type as unknown as ClassLike, Object.freeze(config));
  };
}

function readPrefix(read: OptionReader): string | undefined {
  const prefix = read.raw('keyPrefix');
  if (prefix === undefined) return undefined;
  const problem = keyProblem(prefix, DEFAULT_MAX_KEY_LENGTH);
  if (problem !== undefined) read.reject('keyPrefix', `must begin a key, which ${problem}`);
  return prefix as string;
}
