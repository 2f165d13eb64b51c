import { cachedMethod, type Method } from '../binding/cached-method.js';
import { defineSlot } from '../binding/cache-slot.js';
import {
  methodsOf,
  nameOfMethod,
  registerMethod,
  type CacheableMethod,
  type ClassLike,
} from '../binding/cacheable-methods.js';
import { InvalidArgumentError } from '../errors.js';
import { resolveCacheableOptions, type CacheableOptions } from './cacheable-options.js';

/** The parameters of a method that a function of `Given` can be called with: more may follow. */
type AtLeast<Given extends unknown[]> = number extends Given['length']
  ? Given
  : [...Given, ...unknown[]];

/** What a decorated method must be, or a sentence that the compiler shows. */
type Decoratable<M extends (...args: never) => unknown, K extends unknown[], T extends unknown[]> =
  ReturnType<M> extends Promise<unknown>
    ? Parameters<M> extends AtLeast<K> & AtLeast<T>
      ? unknown
      : { readonly '@Cacheable': 'key and tags must take the parameters of the method' }
    : { readonly '@Cacheable': 'the method must return a promise' };

/** What {@link Cacheable} returns: a decorator for methods that return a promise. */
export type CacheableDecorator<K extends unknown[], T extends unknown[]> = <
  M extends (...args: never) => unknown,
>(
  prototype: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<M> & Decoratable<M, K, T>,
) => void;

/**
 * Answers calls of a method from the cache: a call whose key is there returns the stored value, any
 * other runs the method once, however many callers wait, and stores what it resolves to. `null` is
 * stored, `undefined` is not. An error goes to every caller and is not stored.
 *
 * It works on any method that returns a promise, of any instance in an application that imports
 * `CacheHierarchyModule`, and for `this.method()` as well as from outside. Without such an
 * application, and after it was closed, the method just runs.
 *
 * Without a `key` the key is derived from the class of the instance, the method's name and all
 * arguments; see {@link cacheKeyOf}. Concurrent callers share the first one's run: a method must
 * not depend on anything but its arguments, such as the user of the request.
 *
 * The compiler refuses methods that return no promise, and functions `key` and `tags` that do not
 * take the method's parameters. `applyDecorators` has no room for such a check: give it
 * `Cacheable() as MethodDecorator`.
 *
 * @throws {InvalidOptionsError} at decoration, when an option is wrong or unknown
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a method
 */
export function Cacheable(options?: CacheableOptions): CacheableDecorator<unknown[], unknown[]>;
/** The same, for functions `key` and `tags` that name the types of their parameters. */
export function Cacheable<K extends unknown[] = unknown[], T extends unknown[] = unknown[]>(
  options: CacheableOptions<K, T>,
): CacheableDecorator<K, T>;
export function Cacheable<K extends unknown[], T extends unknown[]>(
  options?: CacheableOptions<K, T>,
): CacheableDecorator<K, T> {
  return (prototype, name, descriptor) => {
    const original = methodAt(prototype, name, descriptor);
    const declaredBy = prototype.constructor as ClassLike;
    const subject = `@Cacheable on ${declaredBy.name}.${nameOfMethod(name)}`;
    const method: CacheableMethod = {
      name,
      declaredBy,
      ...resolveCacheableOptions(subject, options),
    };
    refuseSecond(method, subject);
    registerMethod(method);
    defineSlot(prototype);
    (descriptor as PropertyDescriptor).value = cachedMethod(original, method);
  };
}

/** Returns the method that is decorated; what is no method of an instance is refused. */
function methodAt(target: object, name: unknown, descriptor?: PropertyDescriptor): Method {
  if (typeof name === 'object' && name !== null && 'kind' in name) {
    refuse(
      'was called as a standard decorator. Compile with experimentalDecorators: Nest needs it',
    );
  }
  if (typeof name !== 'string' && typeof name !== 'symbol')
    refuse('is for methods, not for classes');
  const where = nameOfMethod(name);
  if (typeof target === 'function') {
    refuse(`can not cache the static method ${where}: it has no instance that has a cache`);
  }
  if (descriptor?.get !== undefined || descriptor?.set !== undefined) {
    refuse(`can not cache the accessor ${where}: make it a method that returns a promise`);
  }
  if (typeof descriptor?.value !== 'function') {
    refuse(`can not cache the property ${where}: make it a method that returns a promise`);
  }
  return descriptor.value as Method;
}

/** Two methods must not derive one key: one decorated twice, or two symbols of one description. */
function refuseSecond(method: CacheableMethod, subject: string): void {
  for (const other of methodsOf(method.declaredBy)) {
    const isSame = other.name === method.name && other.declaredBy === method.declaredBy;
    if (isSame) throw new InvalidArgumentError(`${subject} is there twice. Remove one.`);
    const isTwin =
      other.name !== method.name && nameOfMethod(other.name) === nameOfMethod(method.name);
    if (isTwin && other.key === undefined && method.key === undefined) {
      throw new InvalidArgumentError(
        `${subject} would share its derived keys with another method of that name. Give it a key.`,
      );
    }
  }
}

function refuse(why: string): never {
  throw new InvalidArgumentError(`@Cacheable ${why}.`);
}
