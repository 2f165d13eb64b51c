import { InvalidArgumentError, show } from '../errors.js';

/** @throws {InvalidArgumentError} for what is not several keys, in a list that is there */
export function uniqueKeys(keys: Iterable<string>): string[] {
  assertKeys(keys, [Symbol.iterator]);
  return [...new Set(keys)];
}

/** @throws {InvalidArgumentError} for one string, whose characters are hardly meant as keys, and for no list */
export function assertKeys(
  keys: Iterable<string> | AsyncIterable<string>,
  ways: readonly symbol[] = [Symbol.iterator, Symbol.asyncIterator],
): void {
  if (typeof keys !== 'string' && isList(keys, ways)) return;
  const got = typeof keys === 'string' ? `the string ${show(keys)}` : show(keys);
  throw new InvalidArgumentError(`keys must be several keys, in an array or the like, got ${got}.`);
}

/**
 * The value of each key; of a key that is there twice the last one.
 *
 * @throws {InvalidArgumentError} for what is not a list of pairs
 */
export function entriesOf(
  entries: Iterable<readonly [key: string, value: unknown]>,
): Map<string, unknown> {
  if (!isList(entries, [Symbol.iterator])) throw noEntriesError(entries);
  const list = [...entries];
  for (const entry of list) if (!Array.isArray(entry)) throw noEntriesError(entry);
  return new Map(list);
}

function isList(given: unknown, ways: readonly symbol[]): boolean {
  if (given === undefined || given === null) return false;
  return ways.some((way) => way in Object(given));
}

function noEntriesError(got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `entries must be pairs of a key and a value, in an array or a Map, got ${show(got)}.`,
  );
}

/** The keys that have a value, with it. */
export function foundOf<T>(
  keys: readonly string[],
  values: readonly (T | undefined)[],
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [at, key] of keys.entries()) {
    const value = values[at];
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

/** Waits for every promise to settle, then fails with the first failure, if there is one. */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
