import type { LoadOptions } from '../hierarchy/call-options.js';
import { quote } from './quoted-text.js';

/** A method that a decorator is on. */
export interface DecoratedMethod {
  readonly name: string | symbol;
  /** The class whose own method it is. */
  readonly declaredBy: ClassLike;
  /** The name of the cache it uses, if it says one. */
  readonly cache: string | undefined;
  /** Whether a call has to do with the cache at all. */
  readonly condition: ((...args: unknown[]) => boolean) | undefined;
}

type Tags = string | readonly string[];

/** What a decorator says about the entries that a method stores. */
export interface StoringMethod extends DecoratedMethod {
  /** The key, or a function of the arguments; without one the key is derived. */
  readonly key: string | ((...args: unknown[]) => string) | undefined;
  readonly loadOptions: LoadOptions;
  /** Makes tags from the arguments of a call. */
  readonly tagsOf: ((...args: unknown[]) => Tags) | undefined;
  /** Makes tags from the result and the arguments. */
  readonly resultTagsOf: ((result: unknown, ...args: unknown[]) => Tags) | undefined;
  /** Whether a result is not to be stored. */
  readonly unless: ((result: unknown, ...args: unknown[]) => boolean) | undefined;
}

/** What `@Cacheable` says about a method, its options checked. */
export type CacheableMethod = StoringMethod;

/** The method whose derived key a `@CachePut` or `@CacheEvict` means, and the arguments of that call. */
export interface OtherMethod {
  readonly method: string | symbol;
  readonly argsOf: ((...args: unknown[]) => readonly unknown[]) | undefined;
}

/** A class, abstract or not, as far as keys care. */
export type ClassLike = abstract new (...args: never[]) => object;

const methodsOfPrototype = new WeakMap<object, Map<string | symbol, CacheableMethod>>();

/** Notes a decorated method. */
export function registerMethod(method: CacheableMethod): void {
  const prototype = method.declaredBy.prototype as object;
  const methods = methodsOfPrototype.get(prototype) ?? new Map<string | symbol, CacheableMethod>();
  methodsOfPrototype.set(prototype, methods.set(method.name, method));
}

/** The decorated methods of a class and of those it extends, its own first. */
export function* methodsOf(type: ClassLike): Iterable<CacheableMethod> {
  for (const prototype of prototypesOf(type))
    yield* methodsOfPrototype.get(prototype)?.values() ?? [];
}

/** The decorated method that a class has under a name: its own, or the nearest one that it inherits. */
export function methodNamed(name: string | symbol, type: ClassLike): CacheableMethod | undefined {
  for (const method of methodsOf(type)) if (method.name === name) return method;
  return undefined;
}

/**
 * The decorated methods that calls by their names reach. An override, with a decorator or without, hides what
 * it overrides: that is called where the override does so by `super`, which nobody sees before it happens.
 */
export function visibleMethodsOf(type: ClassLike): CacheableMethod[] {
  return [...methodsOf(type)].filter(({ name, declaredBy }) => {
    for (const prototype of prototypesOf(type))
      if (Object.hasOwn(prototype, name)) return prototype === declaredBy.prototype;
    return false;
  });
}

/** The prototypes of a class and of those it extends; what stands in for a class may have none. */
export function* prototypesOf(type: ClassLike): Iterable<object> {
  let prototype = type.prototype as object | null | undefined;
  while (prototype !== null && prototype !== undefined) {
    yield prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null;
  }
}

const othersOfPrototype = new WeakMap<object, (DecoratedMethod & Partial<OtherMethod>)[]>();

/** Notes a method with another decorator than `@Cacheable`, to be looked at when the application starts. */
export function registerOther(method: DecoratedMethod & Partial<OtherMethod>): void {
  const prototype = method.declaredBy.prototype as object;
  othersOfPrototype.set(prototype, [...(othersOfPrototype.get(prototype) ?? []), method]);
}

/** Those methods of a class and of those it extends. */
export function* othersOf(type: ClassLike): Iterable<DecoratedMethod & Partial<OtherMethod>> {
  for (const prototype of prototypesOf(type)) yield* othersOfPrototype.get(prototype) ?? [];
}

/** Returns a class's name; one that a class decorator made without a name has that of its base. */
export function nameOfClass(type: ClassLike): string {
  for (let at = type; typeof at === 'function'; at = Object.getPrototypeOf(at) as ClassLike) {
    if (typeof at.name === 'string' && at.name !== '') return at.name;
  }
  return '';
}

/** Returns a method's name as keys and messages have it. */
export function nameOfMethod(name: string | symbol): string {
  return typeof name === 'string' ? identifier(name) : `@${quote(name.description ?? '')}`;
}

/** Returns a name as it is when it is an identifier, else in quotes: no two names come out equal. */
export function identifier(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : quote(name);
}
