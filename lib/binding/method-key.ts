import { createHash } from 'node:crypto';
import { InvalidArgumentError, show } from '../errors.js';
import { assertKey, DEFAULT_MAX_KEY_LENGTH } from '../memory/cache-key.js';
import {
  identifier,
  methodNamed,
  nameOfClass,
  nameOfMethod,
  type CacheableMethod,
  type ClassLike,
  type OtherMethod,
} from './cacheable-methods.js';
import { canonicalText, textOfNumber } from './canonical-text.js';
import { configOf } from './class-config.js';
import { planOf, type ClassPlan } from './plan-of-class.js';
import { isSimple } from './quoted-text.js';

/** A longer name of class and method gives way to the hash altogether. */
const MAX_PREFIX_LENGTH = 512;

/** Returns the key under which a call's result is kept: the method's own word, else a derived key. */
export function keyOfCall(
  method: CacheableMethod,
  calledOn: ClassLike,
  args: readonly unknown[],
): string {
  return plannedKey(method, planOf(method, calledOn), args);
}

/** Does what {@link keyOfCall} does, for who has the plan of the class. */
export function plannedKey(
  { key }: CacheableMethod,
  plan: ClassPlan,
  args: readonly unknown[],
): string {
  if (key !== undefined) return prefixedKey(key, plan.keyPrefix, args, plan.derivedPrefix);
  return derivedKey(plan, args);
}

/**
 * Returns a key that a decorator gives, after the prefix of the class.
 *
 * @throws {InvalidArgumentError} when it is no string, or with a prefix no key: else the cache finds that out
 */
export function explicitKey(
  key: string | ((...args: unknown[]) => string),
  calledOn: ClassLike,
  args: readonly unknown[],
): string {
  return prefixedKey(key, configOf(calledOn).keyPrefix, args, identifier(nameOfClass(calledOn)));
}

function prefixedKey(
  key: string | ((...args: unknown[]) => string),
  keyPrefix: string | undefined,
  args: readonly unknown[],
  of: string,
): string {
  const own: unknown = typeof key === 'string' ? key : key(...args);
  if (typeof own !== 'string')
    throw new InvalidArgumentError(`The key of ${of} must return a string, got ${show(own)}.`);
  if (keyPrefix === undefined) return own;
  assertKey(own);
  return keyPrefix + own;
}

/**
 * Returns the key of a call of another `@Cacheable` method of the class.
 *
 * @throws {InvalidArgumentError} when there is no such method
 */
export function keyOfOther(
  { method, argsOf }: OtherMethod,
  calledOn: ClassLike,
  args: readonly unknown[],
): string {
  const meant = methodNamed(method, calledOn);
  if (meant === undefined) throw new InvalidArgumentError(noMethodMessage(calledOn, method));
  return keyOfCall(meant, calledOn, argsOf?.(...args) ?? args);
}

/** Says that a decorator names a method that is not there. */
export function noMethodMessage(type: ClassLike, method: string | symbol): string {
  return (
    `${identifier(nameOfClass(type))} has no @Cacheable method ${nameOfMethod(method)}: decorate it, ` +
    'or use its own key.'
  );
}

/**
 * Derives a key from the class the method is called on, its name and its arguments, such as
 * `PlacesService.find(1,"en")`. Where that is longer than a key may be, its SHA-256 stands for it.
 */
function derivedKey(plan: ClassPlan, args: readonly unknown[]): string {
  const { derivedPrefix: prefix } = plan;
  const key = callText(plan, args);
  if (key.length <= DEFAULT_MAX_KEY_LENGTH) return key;
  const hash = `#${createHash('sha256').update(key).digest('hex')}`;
  return prefix.length <= MAX_PREFIX_LENGTH ? `${prefix}(${hash})` : hash;
}

/**
 * The arguments join what stands around them into one text. Pieces that are added stay a tree of texts, which
 * takes longer to hash and to compare.
 */
function callText(plan: ClassPlan, args: readonly unknown[]): string {
  if (args.length === 1) {
    const only = args[0];
    if (typeof only === 'string' && isSimple(only)) return plan.aroundString.join(only);
    if (typeof only === 'number') return plan.aroundArguments.join(textOfNumber(only));
  }
  return plan.aroundArguments.join(argumentsText(plan, args));
}

function argumentsText({ derivedPrefix: prefix }: ClassPlan, args: readonly unknown[]): string {
  try {
    return canonicalText(args);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(
      `${prefix} has no cache key for this call: ${error.message}, which a derived key can not hold. ` +
        "Give @Cacheable a key that is made of the arguments, such as { key: (id) => 'place:' + id }.",
      { cause: error },
    );
  }
}
