import { InvalidArgumentError } from '../errors.js';
import { CacheEvict, type CacheEvictOptions } from './cache-evict.decorator.js';
import { CachePut, type CachePutOptions } from './cache-put.decorator.js';
import { Cacheable, type CacheableOptions } from './cacheable.decorator.js';
import type { CacheMethodDecorator } from './decorated.js';

/** Several decorators of one method. */
export interface CachingOptions {
  /** Answers calls from the cache; what else is here happens only for calls that run the method. */
  readonly cacheable?: CacheableOptions;
  readonly put?: readonly CachePutOptions[];
  readonly evict?: readonly CacheEvictOptions[];
}

/**
 * Puts several decorators on one method. Its results are put in the order given, then entries are
 * invalidated in the order given; with `cacheable` all that is done only when the method runs.
 *
 * @throws {InvalidArgumentError} at decoration, when none is given
 * @throws what {@link Cacheable}, {@link CachePut} and {@link CacheEvict} throw
 */
export function Caching({
  cacheable,
  put = [],
  evict = [],
}: CachingOptions): CacheMethodDecorator<object> {
  const decorators = [
    ...put.map((options) => CachePut(options)),
    ...evict.map((options) => CacheEvict(options)),
    ...(cacheable === undefined ? [] : [Cacheable(cacheable)]),
  ] as unknown as MethodDecorator[];
  if (decorators.length === 0)
    throw new InvalidArgumentError('@Caching must have cacheable, put or evict.');
  return (prototype, name, descriptor) => {
    for (const decorate of decorators) decorate(prototype, name, descriptor);
  };
}
