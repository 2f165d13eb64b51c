import { registerOther } from '../binding/cacheable-methods.js';
import { evictingMethod, type EvictMethod } from '../binding/evict-method.js';
import type { HoldOptions } from '../hierarchy/call-options.js';
import { OptionReader } from '../options.js';
import { decorateMethod, type CacheMethodDecorator, type Exactly } from './decorated.js';
import { readKey, readMethodOptions, readTags, type StoringOptions } from './method-options.js';
import { readOtherMethod, type OtherMethodOptions } from './other-method.js';

/** Options of `@CacheEvict`: it must have `key`, `method`, `tags`, `resultTags` or `allEntries`. */
export interface CacheEvictOptions
  extends
    Pick<StoringOptions, 'cache' | 'condition' | 'key' | 'tags' | 'resultTags'>,
    OtherMethodOptions,
    HoldOptions {
  /**
   * Clears the whole cache.
   * @default false
   */
  readonly allEntries?: boolean;
  /**
   * Invalidates before the method runs, whether it succeeds or not; by default only after it has.
   * @default false
   */
  readonly beforeInvocation?: boolean;
}

/**
 * Invalidates entries when a method has succeeded: keys, whatever carries a tag, or everything. What was
 * being loaded with them is not stored. A method that throws invalidates nothing.
 *
 * @throws {InvalidOptionsError} at decoration, when an option is wrong or unknown, or nothing is said of
 * what is to be invalidated
 * @throws {InvalidArgumentError} at decoration, when it is put on anything but a method
 */
export function CacheEvict<O extends CacheEvictOptions>(
  options: Exactly<O, CacheEvictOptions>,
): CacheMethodDecorator<O> {
  return decorateMethod<O>('@CacheEvict', ({ original, name, declaredBy, subject }) => {
    const read = new OptionReader(subject, options);
    const method: EvictMethod = { name, declaredBy, ...readEvictOptions(read) };
    read.finish();
    registerOther({ ...method, ...method.other });
    return evictingMethod(original, method);
  });
}

function readEvictOptions(read: OptionReader): Omit<EvictMethod, 'name' | 'declaredBy'> {
  const said = {
    ...readMethodOptions(read),
    key: readKey(read),
    other: readOtherMethod(read),
    tags: readTags(read),
    resultTagsOf: read.callback<EvictMethod['resultTagsOf']>('resultTags', undefined),
    allEntries: read.boolean('allEntries', false),
    beforeInvocation: read.boolean('beforeInvocation', false),
    holdOptions: readHoldOption(read),
  };
  const targets = [said.key, said.other, said.tags, said.resultTagsOf];
  if (!said.allEntries && targets.every((target) => target === undefined))
    read.reject(
      'key',
      'must be there, or method, tags, resultTags or allEntries, to say what is invalidated',
    );
  if (said.holdOptions !== undefined && targets.every((target) => target === undefined))
    read.reject('hold', 'is for keys and tags: what allEntries clears is not held');
  if (said.beforeInvocation && said.resultTagsOf !== undefined)
    read.reject('resultTags', 'needs a result, which there is not with beforeInvocation');
  return said;
}

function readHoldOption(read: OptionReader): HoldOptions | undefined {
  const holdMs = read.optionalDuration('hold');
  if (holdMs === Infinity) read.reject('hold', 'must end');
  return holdMs === undefined ? undefined : Object.freeze({ hold: holdMs });
}
