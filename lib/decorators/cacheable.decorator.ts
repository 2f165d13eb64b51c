import { cachedMethod } from '../binding/cached-method.js';
import {
  methodsOf,
  nameOfMethod,
  registerMethod,
  type CacheableMethod,
} from '../binding/cacheable-methods.js';
import { observableMethod } from '../binding/observable-method.js';
import { InvalidArgumentError } from '../errors.js';
import { OptionReader } from '../options.js';
import { decorateMethod, type CacheableDecorator, type Exactly } from './decorated.js';
import { readStoringOptions, type StoringOptions } from './method-options.js';

/** Options of `@Cacheable`; without a `key` it is derived from class, method and arguments. */
export type CacheableOptions = StoringOptions;

/**
 * Answers calls of a method from the cache: a call whose key is there returns the stored value, any
 * other runs the method once, however many callers wait, and stores what it resolves to. `null` is
 * stored, `undefined` is not. An error goes to every caller and is not stored.
 *
 * It works on any method that returns a promise, or is declared to return an Observable, of any instance in an application that imports
 * `CacheHierarchyModule`, and for `this.method()` as well as from outside. Without such an
 * application, and after it was closed, the method just runs.
 *
 * Without a `key` the key is derived from the class of the instance, the method's name and all
 * arguments; see {@link cacheKeyOf}. Concurrent callers share the first one's run: a method must
 * not depend on anything but its arguments, such as the user of the request.
 *
 * The compiler refuses methods that return no promise, and functions in the options that do not take the
 * method's parameters. `applyDecorators` has no room for such a check: give it
 * `Cacheable() as MethodDecorator`.
 *
 * @throws {InvalidOptionsError} at decoration, when an option is wrong or unknown
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a method
 */
export function Cacheable<O extends CacheableOptions>(
  options?: Exactly<O, CacheableOptions>,
): CacheableDecorator<O> {
  return decorateMethod<O>('@Cacheable', ({ original, name, declaredBy, isStream, subject }) => {
    const read = new OptionReader(subject, options);
    const method: CacheableMethod = { name, declaredBy, ...readStoringOptions(read) };
    read.finish();
    refuseSecond(method, subject);
    registerMethod(method);
    return isStream ? observableMethod(original, method) : cachedMethod(original, method);
  }) as unknown as CacheableDecorator<O>;
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
