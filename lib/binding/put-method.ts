import { LockTimeoutError } from '../errors.js';
import { assertKey } from '../memory/cache-key.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { TTL_OF_ANY, type InternalStoreOptions } from '../hierarchy/call-options.js';
import { entryTags } from '../hierarchy/entry-tags.js';
import { callThen } from './after-run.js';
import { cacheOfMethod } from './cache-of-method.js';
import { classOf } from './call-targets.js';
import { copyFace, type Method } from './cached-method.js';
import {
  methodNamed,
  type ClassLike,
  type OtherMethod,
  type StoringMethod,
} from './cacheable-methods.js';
import { assertNameClaimed } from './class-names.js';
import { explicitKey, keyOfOther } from './method-key.js';
import { cacheNameOf, planOf } from './plan-of-class.js';

/** What `@CachePut` says about a method, its options checked. */
export interface PutMethod extends StoringMethod {
  /** The call whose derived key is meant, where there is no key. */
  readonly other: OtherMethod | undefined;
}

/**
 * Returns a method that runs each time and stores what it returns, in place of what was there.
 * `undefined` removes the key. A method that throws changes nothing.
 */
export function puttingMethod(original: Method, method: PutMethod): Method {
  const putting: Method = async function (this: unknown, ...args) {
    const target = targetOf(this, method, args);
    return callThen(decorated, this, args, async (result) => {
      if (target !== undefined) await put(target, method, result, args);
    });
  };
  const decorated = { replacement: putting, original, method, decorator: '@CachePut' };
  copyFace(original, putting);
  return putting;
}

interface Target {
  readonly cache: CacheHierarchy;
  readonly key: string;
  readonly options: InternalStoreOptions & { readonly tags: readonly string[] | undefined };
}

/** Found before the method runs: what is wrong with it is said before anything is changed. */
function targetOf(host: unknown, method: PutMethod, args: unknown[]): Target | undefined {
  const calledOn = classOf(host);
  if (calledOn === undefined) return undefined;
  const plan = planOf(method, calledOn);
  const cache = cacheOfMethod(host, cacheNameOf(method, calledOn));
  if (cache === undefined || method.condition?.(...args) === false) return undefined;
  const key = keyOf(method, calledOn, args);
  if (derivesKey(method, calledOn)) assertNameClaimed(cache, calledOn);
  assertKey(key);
  const tags = entryTags(method.tagsOf?.(...args) ?? [], plan.options.tags);
  // What the decorators say holds for all results, also for null, which has a lifetime of its own.
  const options = { ...(plan.options as InternalStoreOptions), tags, [TTL_OF_ANY]: true as const };
  return { cache, key, options };
}

/** Whether it stores under a key that has the name of the class in it. */
function derivesKey({ other }: PutMethod, calledOn: ClassLike): boolean {
  return other !== undefined && methodNamed(other.method, calledOn)?.key === undefined;
}

function keyOf({ key, other }: PutMethod, calledOn: ClassLike, args: unknown[]): string {
  return key === undefined ? keyOfOther(other!, calledOn, args) : explicitKey(key, calledOn, args);
}

async function put(
  { cache, key, options }: Target,
  { resultTagsOf, unless }: PutMethod,
  result: unknown,
  args: unknown[],
): Promise<void> {
  try {
    if (unless?.(result, ...args) === true) return;
    if (result === undefined) {
      await cache.delete(key);
      return;
    }
    const tags = entryTags(resultTagsOf?.(result, ...args) ?? [], options.tags);
    await cache.set(key, result, { ...options, tags });
  } catch (error) {
    // The method has done its work, and what was there before it is not right any more.
    await cache.delete(key);
    if (!(error instanceof LockTimeoutError)) throw error;
  }
}
