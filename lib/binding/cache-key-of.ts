import { InvalidArgumentError } from '../errors.js';
import { methodNamed } from './cacheable-methods.js';
import { keyOfCall, noMethodMessage } from './method-key.js';

/** The arguments of a method. */
type ArgumentsOf<M> = M extends (...args: infer A) => unknown ? A : never;

/**
 * Returns the key under which a call of a `@Cacheable` method is kept, to delete it or look at it.
 *
 * A derived key is made of the class, the method and the arguments as they are passed: `find(1)` and
 * `find(1, undefined)` are two keys, so give the very arguments of the call. The class is that of
 * the instance, not the one that declares the method.
 *
 * @example
 * await cache.delete(cacheKeyOf(PlacesService, 'find', [1]));
 *
 * @throws {InvalidArgumentError} when the method is not decorated, or an argument has no place in a key
 */
export function cacheKeyOf<C extends object, N extends keyof C & (string | symbol)>(
  type: abstract new (...args: never[]) => C,
  method: N,
  args: ArgumentsOf<C[N]>,
): string {
  const meant = methodNamed(method, type);
  if (meant === undefined) throw new InvalidArgumentError(noMethodMessage(type, method));
  return keyOfCall(meant, type, args);
}
