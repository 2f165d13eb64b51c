import { OptionReader } from '../options.js';
import { CacheEvict, type CacheEvictOptions } from './cache-evict.decorator.js';
import { CachePut, type CachePutOptions } from './cache-put.decorator.js';
import { Cacheable, type CacheableOptions } from './cacheable.decorator.js';
import type { CacheMethodDecorators, Exactly, ExactlyEach } from './decorated.js';

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
 * @throws {InvalidOptionsError} at decoration, when none is given, or an option is wrong or unknown
 * @throws what {@link Cacheable}, {@link CachePut} and {@link CacheEvict} throw
 */
export function Caching<
  C extends CacheableOptions = object,
  const P extends readonly CachePutOptions[] = [],
  const E extends readonly CacheEvictOptions[] = [],
>(options: {
  readonly cacheable?: Exactly<C, CacheableOptions>;
  readonly put?: ExactlyEach<P, CachePutOptions>;
  readonly evict?: ExactlyEach<E, CacheEvictOptions>;
}): CacheMethodDecorators<C, [...P, ...E]> {
  return (prototype, name, descriptor) => {
    for (const decorate of decoratorsOf(options)) decorate(prototype, name, descriptor);
  };
}

/** Makes the decorators, the innermost first. */
function decoratorsOf(options: CachingOptions): MethodDecorator[] {
  const read = new OptionReader('@Caching', options);
  const cacheable = read.raw('cacheable');
  const [put, evict] = [readList(read, 'put'), readList(read, 'evict')];
  if (cacheable === undefined && put.length + evict.length === 0)
    read.reject('cacheable', 'or put or evict must be there');
  read.finish();
  return [
    ...put.map((each) => CachePut(each as CachePutOptions)),
    ...evict.map((each) => CacheEvict(each as CacheEvictOptions)),
    ...(cacheable === undefined ? [] : [Cacheable(cacheable as CacheableOptions)]),
  ] as unknown as MethodDecorator[];
}

function readList(read: OptionReader, name: 'put' | 'evict'): readonly unknown[] {
  const list = read.raw(name);
  if (list === undefined) return [];
  if (Array.isArray(list)) return list;
  read.reject(name, 'must be an array with the options of each');
  return [];
}
