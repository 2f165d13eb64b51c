import { registerOther } from '../binding/cacheable-methods.js';
import { puttingMethod, type PutMethod } from '../binding/put-method.js';
import { OptionReader } from '../options.js';
import { decorateMethod, type CacheMethodDecorator, type Exactly } from './decorated.js';
import { readStoringOptions, type StoringOptions } from './method-options.js';
import { readOtherMethod, type OtherMethodOptions } from './other-method.js';

/** Options of `@CachePut`: it must have `key` or `method`. */
export type CachePutOptions = Pick<
  StoringOptions,
  | 'cache'
  | 'condition'
  | 'key'
  | 'tags'
  | 'resultTags'
  | 'unless'
  | 'ttl'
  | 'grace'
  | 'eager'
  | 'jitter'
  | 'negativeTtl'
> &
  OtherMethodOptions;

/**
 * Runs a method each time and stores what it returns, in place of what was there: for methods that
 * change what others read. `undefined` removes the key. A method that throws changes nothing. Loads of the
 * key that were under way are not stored over it.
 *
 * @throws {InvalidOptionsError} at decoration, when an option is wrong or unknown, or neither `key` nor
 * `method` is there
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a method
 */
export function CachePut<O extends CachePutOptions>(
  options: Exactly<O, CachePutOptions>,
): CacheMethodDecorator<O> {
  return decorateMethod<O>('@CachePut', ({ original, name, declaredBy, subject }) => {
    const read = new OptionReader(subject, options);
    const said = readStoringOptions(read, STORE_POLICY);
    const other = readOtherMethod(read);
    if ((said.key === undefined) === (other === undefined))
      read.reject('key', 'must be there, or method, and not both, to say what is replaced');
    read.finish();
    const method: PutMethod = { name, declaredBy, ...said, other };
    registerOther({ ...method, ...other });
    return puttingMethod(original, method);
  });
}

/** The parts of the policy that concern an entry, and not how it is loaded. */
const STORE_POLICY = ['ttl', 'grace', 'eager', 'jitter', 'negativeTtl'] as const;
