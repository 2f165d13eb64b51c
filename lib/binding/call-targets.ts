import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { cacheOfMethod } from './cache-of-method.js';
import { isCacheHost, linkedCacheOf, ownLinkOf } from './cache-slot.js';
import type { CacheableMethod, ClassLike } from './cacheable-methods.js';
import { assertNameClaimed } from './class-names.js';
import { planOf, type ClassPlan } from './plan-of-class.js';

/** The class of an instance that can have a cache. */
export function classOf(host: unknown): ClassLike | undefined {
  return isCacheHost(host) ? (host.constructor as ClassLike) : undefined;
}

/** Where the calls of a method go that are made on instances of one class, in one application. */
export class CallTarget {
  #isNameClaimed = false;

  constructor(
    readonly plan: ClassPlan,
    readonly cache: CacheHierarchy,
    /** The default cache of the application, `undefined` for an instance that nobody linked. */
    readonly linked: CacheHierarchy | undefined,
  ) {}

  /**
   * Claims the name of the class for derived keys.
   *
   * @throws {InvalidArgumentError} when another class has it
   */
  claimName(): void {
    if (this.#isNameClaimed) return;
    assertNameClaimed(this.cache, this.plan.calledOn);
    this.#isNameClaimed = true;
  }
}

/**
 * The targets of a `@Cacheable` method. The last one is kept, since nearly all calls of a method are made
 * on one instance. So the class of a method can hold on to one cache
 * that is closed, which has nothing in it.
 */
export class CallTargets {
  readonly #method: CacheableMethod;
  #last: CallTarget | undefined;

  constructor(method: CacheableMethod) {
    this.#method = method;
  }

  /**
   * Returns where a call goes, or `undefined` where nothing is cached.
   *
   * @throws {InvalidArgumentError} when the application has no cache of the name that the method says
   */
  of(host: unknown): CallTarget | undefined {
    const linked = ownLinkOf(host);
    const last = this.#last;
    // The cache of an instance that nobody linked is the only one there is, which may change.
    const isSame =
      linked !== undefined &&
      last?.linked === linked &&
      last.plan.calledOn === (host as object).constructor;
    return isSame && last.cache.active ? last : this.#find(host);
  }

  #find(host: unknown): CallTarget | undefined {
    if (!isCacheHost(host)) return undefined;
    const plan = planOf(this.#method, host.constructor as ClassLike);
    const cache = cacheOfMethod(host, plan.cache);
    this.#last = cache && new CallTarget(plan, cache, linkedCacheOf(host));
    return this.#last;
  }
}
