import { READ_KEPT } from '../hierarchy/cache-view.js';
import type { LoadContext } from '../hierarchy/loader-context.js';
import type { CacheableMethod } from './cacheable-methods.js';
import { CallTargets } from './call-targets.js';
import { plannedKey } from './method-key.js';
import { problemOfResult } from './promised.js';

/** A method as it stands on a prototype, whatever it takes and returns. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Returns a method that answers from the cache of the instance it is called on, and carries the
 * original's name, length, metadata and own properties. Without a cache the original is called.
 */
export function cachedMethod(original: Method, method: CacheableMethod): Method {
  const targets = new CallTargets(method);
  const cached: Method = function (this: unknown, ...args) {
    try {
      const target = targets.of(this);
      if (target === undefined || method.condition?.(...args) === false)
        return asPromised(original.apply(this, args), method);
      if (method.key === undefined) target.claimName();
      const { cache, plan } = target;
      const key = plannedKey(method, plan, args);
      const value = plan.readsPlainly ? cache[READ_KEPT](key) : undefined;
      if (value !== undefined) return Promise.resolve(value);
      return cache.getOrSet(key, loaderOf(original, method, this, args), plan.options);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  copyFace(original, cached);
  return cached;
}

function loaderOf(
  original: Method,
  method: CacheableMethod,
  host: unknown,
  args: unknown[],
): (context: LoadContext) => Promise<unknown> {
  const { tagsOf, unless, resultTagsOf } = method;
  return (context) => {
    if (tagsOf !== undefined) context.tags(tagsOf(...args));
    const result = asPromised(original.apply(host, args), method);
    if (unless === undefined && resultTagsOf === undefined) return result;
    return result.then((value) => {
      if (unless?.(value, ...args) === true) context.skip();
      else if (resultTagsOf !== undefined && value !== undefined)
        context.tags(resultTagsOf(value, ...args));
      return value;
    });
  };
}

function asPromised(result: unknown, method: CacheableMethod): Promise<unknown> {
  const problem = problemOfResult(result, '@Cacheable', method);
  return problem === undefined ? (result as Promise<unknown>) : Promise.reject(problem);
}

/** Gives a method that stands in for another its name, length, metadata and own properties. */
export function copyFace(from: Method, to: Method): void {
  for (const name of Reflect.ownKeys(from)) {
    if (name === 'prototype' || name === 'arguments' || name === 'caller') continue;
    Object.defineProperty(to, name, Object.getOwnPropertyDescriptor(from, name)!);
  }
  for (const key of Reflect.getOwnMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to);
  }
}
