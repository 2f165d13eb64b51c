import { readsPlainly } from '../hierarchy/cache-view.js';
import type { LoadOptions } from '../hierarchy/call-options.js';
import {
  identifier,
  methodNamed,
  methodsOf,
  nameOfClass,
  nameOfMethod,
  type ClassLike,
  type DecoratedMethod,
  type OtherMethod,
  type StoringMethod,
} from './cacheable-methods.js';
import { configOf } from './class-config.js';

/** What a decorated method does when it is called on instances of one class. */
export interface ClassPlan {
  readonly calledOn: ClassLike;
  /** The name of the cache, if it is not the default one. */
  readonly cache: string | undefined;
  /** The options of its calls, with those of the class. */
  readonly options: LoadOptions & { readonly tags?: readonly string[] | undefined };
  /** Whether a value that the first level has is the answer, whatever else these options say. */
  readonly readsPlainly: boolean;
  /** What stands before the keys that the method says, if anything does. */
  readonly keyPrefix: string | undefined;
  /** What derived keys begin with: class and method. */
  readonly derivedPrefix: string;
  /** What stands around a string that is the only argument, its quotes included. */
  readonly aroundString: readonly [before: string, behind: string];
  /** What stands around all others. */
  readonly aroundArguments: readonly [before: string, behind: string];
}

const plans = new WeakMap<StoringMethod, WeakMap<ClassLike, ClassPlan>>();

/** Merges what a method and the class of an instance say, once for each class. */
export function planOf(method: StoringMethod, calledOn: ClassLike): ClassPlan {
  const known = plans.get(method)?.get(calledOn);
  if (known !== undefined) return known;
  const ofMethod = plans.get(method) ?? new WeakMap<ClassLike, ClassPlan>();
  plans.set(method, ofMethod);
  const plan = merge(method, calledOn);
  ofMethod.set(calledOn, plan);
  return plan;
}

/**
 * Returns the name of the cache that a decorator acts on: the one it says, else that of the method whose key
 * it means, else that of the class.
 */
export function cacheNameOf(
  { cache, other }: DecoratedMethod & { readonly other: OtherMethod | undefined },
  calledOn: ClassLike,
): string | undefined {
  const meant = other === undefined ? undefined : methodNamed(other.method, calledOn);
  return cache ?? meant?.cache ?? configOf(calledOn).cache;
}

function merge(method: StoringMethod, calledOn: ClassLike): ClassPlan {
  const { cache, loadOptions } = method;
  const config = configOf(calledOn);
  const own = typeof loadOptions.tags === 'string' ? [loadOptions.tags] : (loadOptions.tags ?? []);
  const tags = [...(config.tags ?? []), ...own];
  const options: ClassPlan['options'] = {
    ...loadOptions,
    ttl: loadOptions.ttl ?? config.ttl,
    tags: tags.length === 0 ? undefined : tags,
  };
  const derivedPrefix = derivedPrefixOf(method, calledOn);
  const opening = `${derivedPrefix}(`;
  return {
    calledOn,
    cache: cache ?? config.cache,
    options: Object.freeze(withoutUndefined(options)),
    readsPlainly: readsPlainly(options),
    keyPrefix: config.keyPrefix,
    derivedPrefix,
    aroundString: [`${opening}"`, '")'],
    aroundArguments: [opening, ')'],
  };
}

/** A decorated method that a decorated override calls is told from it by a `super` for each step up. */
function derivedPrefixOf(method: StoringMethod, calledOn: ClassLike): string {
  let prefix = identifier(nameOfClass(calledOn));
  for (const { name, declaredBy } of methodsOf(calledOn)) {
    if (name !== method.name) continue;
    if (declaredBy === method.declaredBy) break;
    prefix += '.super';
  }
  return `${prefix}.${nameOfMethod(method.name)}`;
}

function withoutUndefined<O extends object>(options: O): O {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as O;
}
