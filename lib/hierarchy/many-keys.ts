import { InvalidArgumentError, show } from '../errors.js';

/** @throws {InvalidArgumentError} for one string, whose characters are hardly meant as keys */
export function uniqueKeys(keys: Iterable<string>): string[] {
  if (typeof keys !== 'string') return [...new Set(keys)];
  throw new InvalidArgumentError(`keys must be several keys, got the string ${show(keys)}.`);
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
