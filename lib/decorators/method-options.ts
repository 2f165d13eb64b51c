import { types } from 'node:util';
import type { DecoratedMethod, StoringMethod } from '../binding/cacheable-methods.js';
import { InvalidArgumentError } from '../errors.js';
import { DEFAULT_MAX_KEY_LENGTH, isName, keyProblem, NAME_FORM } from '../memory/cache-key.js';
import { POLICY_OPTIONS, readPolicy, type PolicyOptions } from '../hierarchy/policy.js';
import type { LoadOptions } from '../hierarchy/call-options.js';
import type { OptionReader } from '../options.js';

// oxlint-disable-next-line typescript/no-explicit-any -- what a method takes is its own affair
type Arguments = any[];
// oxlint-disable-next-line typescript/no-explicit-any -- and so is what it returns
type Result = any;
type Tags = string | readonly string[];

/** What every decorator of a method can say. */
export interface MethodOptions {
  /**
   * The name of the cache.
   * @default that of the `method` that is meant, else that of `@CacheConfig`, else the default cache
   */
  readonly cache?: string;
  /** Whether a call has to do with the cache at all; where it returns `false` the method just runs. */
  readonly condition?: (...args: Arguments) => boolean;
}

/** What decorators of methods that store their results can say. */
export interface StoringOptions extends MethodOptions, PolicyOptions {
  /**
   * The key, after the prefix of `@CacheConfig`, or a function that makes it from the method's arguments.
   * `cache.delete` of the same key reaches the entry. A string makes every call share one entry, whatever
   * its arguments.
   */
  readonly key?: string | ((...args: Arguments) => string);
  /**
   * Tags of the entry beside those of `@CacheConfig`, or a function that makes them from the method's
   * arguments; `cache.invalidateTags` reaches it by them.
   *
   * @default no tags
   */
  readonly tags?: Tags | ((...args: Arguments) => Tags);
  /** Makes more tags, from the result and the arguments. */
  readonly resultTags?: (result: Result, ...args: Arguments) => Tags;
  /** Whether a result is not to be stored: asked with it and the arguments. */
  readonly unless?: (result: Result, ...args: Arguments) => boolean;
}

/** Reads what every decorator can say; problems are left in the reader. */
export function readMethodOptions(
  read: OptionReader,
): Pick<DecoratedMethod, 'cache' | 'condition'> {
  return {
    cache: readCacheName(read),
    condition: readPredicate<unknown[]>(read, 'condition'),
  };
}

/** Reads a function that decides. A promise decides nothing: taken for an answer it would mean one for all. */
function readPredicate<A extends unknown[]>(
  read: OptionReader,
  name: 'condition' | 'unless',
): ((...given: A) => boolean) | undefined {
  const decide = read.callback<((...given: A) => unknown) | undefined>(name, undefined);
  if (decide === undefined) return undefined;
  return (...given) => {
    const answer = decide(...given);
    if (!types.isPromise(answer)) return answer as boolean;
    answer.catch(() => {});
    throw new InvalidArgumentError(
      `${name} of ${read.subject} returned a promise: it must decide at once.`,
    );
  };
}

/** Reads the name of a cache. */
export function readCacheName(read: OptionReader): string | undefined {
  const name = read.raw('cache');
  if (name === undefined) return undefined;
  if (!isName(name)) read.reject('cache', `must be the name of a cache, ${NAME_FORM}`);
  return name as string;
}

/** Reads what is said of the entries that a method stores. */
export function readStoringOptions(
  read: OptionReader,
  policy: readonly (keyof PolicyOptions)[] = POLICY_OPTIONS,
): Omit<StoringMethod, 'name' | 'declaredBy'> {
  const key = readKey(read);
  const tags = readTags(read);
  const tagsOf = typeof tags === 'function' ? tags : undefined;
  return {
    ...readMethodOptions(read),
    key,
    loadOptions: Object.freeze({
      ...readPolicyOptions(read, policy),
      ...(tagsOf === undefined && tags !== undefined ? { tags: tags as Tags } : {}),
    }),
    tagsOf,
    resultTagsOf: read.callback<StoringMethod['resultTagsOf']>('resultTags', undefined),
    unless: readPredicate<[result: unknown, ...unknown[]]>(read, 'unless'),
  };
}

/** Checks the policy as that of a cache is; what was not said stays unsaid. */
function readPolicyOptions(
  read: OptionReader,
  names: readonly (keyof PolicyOptions)[],
): LoadOptions {
  const said = names.map((name) => [name, read.raw(name)] as const);
  const given = Object.fromEntries(said.filter(([, value]) => value !== undefined));
  readPolicy(read.of(given), 1);
  return given;
}

/** Reads a key, or a function that makes it. */
export function readKey(read: OptionReader): StoringMethod['key'] {
  const key = read.raw('key');
  if (key === undefined || typeof key === 'function') return key as StoringMethod['key'];
  const problem = keyProblem(key, DEFAULT_MAX_KEY_LENGTH);
  if (problem !== undefined)
    read.reject('key', `must be a cache key or a function: a key ${problem}`);
  return key as string;
}

/** Reads tags, or a function that makes them. */
export function readTags(read: OptionReader): Tags | StoringMethod['tagsOf'] {
  const tags = read.raw('tags');
  if (tags === undefined || typeof tags === 'string' || typeof tags === 'function') {
    return tags as Tags | undefined;
  }
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string')) {
    read.reject('tags', 'must be a string, an array of strings or a function that returns them');
  }
  return tags as Tags;
}
