import { createHash } from 'node:crypto';
import { InvalidArgumentError, show } from '../errors.js';
import { DEFAULT_MAX_KEY_LENGTH, keyProblem } from '../memory/cache-key.js';

const HASHED = 'sha256:';

/**
 * Returns the key under which the cache keeps what cache-manager would keep under any string: the key
 * itself, or the SHA-256 of one that is empty, too long, ill-formed or has control characters. Keys that
 * look like such a hash are hashed too, so no two keys share an entry.
 *
 * @throws {InvalidArgumentError} for a key that is not a string
 */
export function legalKey(key: string): string {
  if (typeof key !== 'string')
    throw new InvalidArgumentError(`A cache key must be a string; got ${show(key)}.`);
  const isLegal = keyProblem(key, DEFAULT_MAX_KEY_LENGTH) === undefined && !key.startsWith(HASHED);
  return isLegal ? key : HASHED + sha256(key);
}

/** UTF-16 keeps lone surrogates apart, which UTF-8 would all replace by the same character. */
function sha256(key: string): string {
  return createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex');
}
