import type { Duration } from '../durations.js';
import { prototypesOf, type ClassLike } from './cacheable-methods.js';

/** What `@CacheConfig` says for the decorated methods of a class. */
export interface ClassConfig {
  readonly cache?: string | undefined;
  readonly keyPrefix?: string | undefined;
  readonly ttl?: Duration | undefined;
  readonly tags?: readonly string[] | undefined;
}

const NO_CONFIG: ClassConfig = Object.freeze({});
const configs = new WeakMap<object, ClassConfig>();

/** Notes what a class says of its methods. */
export function registerConfig(type: ClassLike, config: ClassConfig): void {
  configs.set(type.prototype as object, config);
}

/** Returns what a class says of its methods; one that says nothing has the word of the class it extends. */
export function configOf(type: ClassLike): ClassConfig {
  for (const prototype of prototypesOf(type)) {
    const config = configs.get(prototype);
    if (config !== undefined) return config;
  }
  return NO_CONFIG;
}
