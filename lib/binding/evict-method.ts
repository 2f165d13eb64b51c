import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { HoldOptions } from '../hierarchy/call-options.js';
import { readTags } from '../hierarchy/entry-tags.js';
import { assertKey } from '../memory/cache-key.js';
import { callThen } from './after-run.js';
import { cacheOfMethod } from './cache-of-method.js';
import { classOf } from './call-targets.js';
import { copyFace, type Method } from './cached-method.js';
import type { DecoratedMethod, OtherMethod } from './cacheable-methods.js';
import { explicitKey, keyOfOther } from './method-key.js';
import { cacheNameOf } from './plan-of-class.js';

type Tags = string | readonly string[];

/** What `@CacheEvict` says about a method, its options checked. */
export interface EvictMethod extends DecoratedMethod {
  readonly key: string | ((...args: unknown[]) => string) | undefined;
  /** The call whose derived key is meant. */
  readonly other: OtherMethod | undefined;
  readonly tags: Tags | ((...args: unknown[]) => Tags) | undefined;
  readonly resultTagsOf: ((result: unknown, ...args: unknown[]) => Tags) | undefined;
  readonly allEntries: boolean;
  readonly beforeInvocation: boolean;
  readonly holdOptions: HoldOptions | undefined;
}

/**
 * Returns a method that invalidates entries when it has succeeded, or before it runs. One that throws
 * has invalidated nothing, unless it did so before.
 */
export function evictingMethod(original: Method, method: EvictMethod): Method {
  const evicting: Method = async function (this: unknown, ...args) {
    const target = targetOf(this, method, args);
    if (target !== undefined && method.beforeInvocation) await evict(target, method);
    return callThen(decorated, this, args, async (result) => {
      if (target === undefined || method.beforeInvocation) return;
      await evict(target, method);
      const tags = method.resultTagsOf?.(result, ...args);
      if (tags !== undefined) await target.cache.invalidateTags(tags, method.holdOptions);
    });
  };
  const decorated = { replacement: evicting, original, method, decorator: '@CacheEvict' };
  copyFace(original, evicting);
  return evicting;
}

interface Target {
  readonly cache: CacheHierarchy;
  readonly keys: readonly string[];
  readonly tags: readonly string[] | undefined;
}

/** Found before the method runs: what is wrong with it is said before anything is changed. */
function targetOf(host: unknown, method: EvictMethod, args: unknown[]): Target | undefined {
  const calledOn = classOf(host);
  if (calledOn === undefined) return undefined;
  const cache = cacheOfMethod(host, cacheNameOf(method, calledOn));
  if (cache === undefined || method.condition?.(...args) === false) return undefined;
  const { key, other, tags } = method;
  const keys = [
    ...(key === undefined ? [] : [explicitKey(key, calledOn, args)]),
    ...(other === undefined ? [] : [keyOfOther(other, calledOn, args)]),
  ];
  for (const each of keys) assertKey(each);
  const ownTags = typeof tags === 'function' ? tags(...args) : tags;
  return { cache, keys, tags: ownTags === undefined ? undefined : readTags(ownTags) };
}

async function evict({ cache, keys, tags }: Target, method: EvictMethod): Promise<void> {
  const { allEntries, holdOptions } = method;
  if (allEntries) await cache.clear();
  if (keys.length > 0) await cache.deleteMany(keys, holdOptions);
  if (tags !== undefined) await cache.invalidateTags(tags, holdOptions);
}
