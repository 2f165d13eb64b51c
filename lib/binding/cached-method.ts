import { types } from 'node:util';
import { InvalidArgumentError } from '../errors.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { LoadContext } from '../hierarchy/loader-context.js';
import { cacheOf, isCacheHost } from './cache-slot.js';
import { nameOfMethod, type CacheableMethod, type ClassLike } from './cacheable-methods.js';
import { assertNameClaimed } from './class-names.js';
import { keyOfCall } from './method-key.js';

/** A method as it stands on a prototype, whatever it takes and returns. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Returns a method that answers from the cache of the instance it is called on, and carries the
 * original's name, length, metadata and own properties. Without a cache the original is called.
 */
export function cachedMethod(original: Method, method: CacheableMethod): Method {
  const cached: Method = function (this: unknown, ...args) {
    const cache = isCacheHost(this) ? cacheOf(this) : undefined;
    if (cache === undefined || !cache.active) return asPromised(original.apply(this, args), method);
    return answer(cache, this as object, args);
  };

  const answer = (cache: CacheHierarchy, host: object, args: unknown[]): Promise<unknown> => {
    try {
      const calledOn = host.constructor as ClassLike;
      if (method.key === undefined) assertNameClaimed(cache, calledOn);
      const key = keyOfCall(method, calledOn, args);
      const load = ({ tags }: LoadContext): Promise<unknown> => {
        if (method.tagsOf !== undefined) tags(method.tagsOf(...args));
        return asPromised(original.apply(host, args), method);
      };
      return cache.getOrSet(key, load, method.storeOptions);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  copyFace(original, cached);
  return cached;
}

/** A method that returns at once has a caller who does not wait: it must not get a promise unasked. */
function asPromised(result: unknown, { name, declaredBy }: CacheableMethod): Promise<unknown> {
  if (isPromiseLike(result)) return result as Promise<unknown>;
  return Promise.reject(
    new InvalidArgumentError(
      `${declaredBy.name}.${nameOfMethod(name)} is @Cacheable and did not return a promise. Make the ` +
        'method async, and await it where it is called.',
    ),
  );
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if (types.isPromise(value)) return true;
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function copyFace(from: Method, to: Method): void {
  for (const name of Reflect.ownKeys(from)) {
    if (name === 'prototype' || name === 'arguments' || name === 'caller') continue;
    Object.defineProperty(to, name, Object.getOwnPropertyDescriptor(from, name)!);
  }
  for (const key of Reflect.getOwnMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to);
  }
}
