import { InvalidArgumentError, show } from '../errors.js';

export const DEFAULT_MAX_KEY_LENGTH = 1_024;

/** Joins the names of a namespace and the key; no key, tag or name can hold it. */
export const NAMESPACE_SEPARATOR = '\u001f';

const NAME = /^[A-Za-z0-9._-]{1,32}$/;

/** What the name of a namespace or a cache must be, for error messages. */
export const NAME_FORM = '1 to 32 characters of A-Z a-z 0-9 . _ -';

/** Whether a value may be the name of a namespace or a cache. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/** Shows a key, with its namespaces, in a message. */
export function showKey(key: string): string {
  return JSON.stringify(key.replaceAll(NAMESPACE_SEPARATOR, ' > '));
}

/** Control characters, and surrogates, which are legal in pairs. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const SUSPICIOUS = /[\u0000-\u001f\u007f-\u009f\ud800-\udfff]/;

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/** Returns what is wrong with a key, or `undefined` if nothing is. */
export function keyProblem(key: unknown, maxLength: number): string | undefined {
  if (typeof key !== 'string') return 'must be a string';
  if (key.length === 0) return 'must not be empty';
  if (key.length > maxLength) {
    return `must have at most ${maxLength} characters, this one has ${key.length}: hash its long part`;
  }
  if (!SUSPICIOUS.test(key)) return undefined;
  if (CONTROL_CHARACTER.test(key)) return 'must not contain control characters';
  if (!key.isWellFormed()) return 'must be well-formed Unicode, this one has a lone surrogate';
  return undefined;
}

/**
 * Checks a key where something is stored or loaded under it.
 *
 * @throws {InvalidArgumentError} when it is empty, too long, not well-formed or has control characters
 */
export function assertKey(key: unknown, maxLength = DEFAULT_MAX_KEY_LENGTH): asserts key is string {
  const problem = keyProblem(key, maxLength);
  if (problem !== undefined) {
    throw new InvalidArgumentError(`A cache key ${problem}; got ${show(key)}.`);
  }
}
