import type { StoreOptions } from '../hierarchy/call-options.js';
import { quote } from './canonical-text.js';

/** What `@Cacheable` says about a method, its options checked. */
export interface CacheableMethod {
  readonly name: string | symbol;
  /** The class whose own method it is. */
  readonly declaredBy: ClassLike;
  /** The key, or a function of the arguments; without one the key is derived. */
  readonly key: string | ((...args: unknown[]) => string) | undefined;
  readonly storeOptions: StoreOptions;
  /** Makes tags from the arguments of a call that loads. */
  readonly tagsOf: ((...args: unknown[]) => string | readonly string[]) | undefined;
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
export function* methodsOf(declaredBy: ClassLike): Iterable<CacheableMethod> {
  let prototype = declaredBy.prototype as object | null;
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
    yield* methodsOfPrototype.get(prototype)?.values() ?? [];
  }
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
