import { randomBytes } from 'node:crypto';
import { namespacesOf, type Bucket } from './key-layout.js';
import { NONCE_LENGTH } from './scripts.js';

/** The names of the marks that an entry depends on, in the order of its nonces. */
export function marksOf(bucket: Bucket, key: string, tags: readonly string[]): string[] {
  return [
    bucket.generation,
    ...namespacesOf(key).map((prefix) => bucket.namespace(prefix)),
    ...tags.map((tag) => bucket.tag(tag)),
  ];
}

/**
 * Whether none of the marks that an entry depends on was replaced, or lost, since it was stored.
 *
 * @param nonces of the marks when it was stored, one behind the other
 * @param marks what they are now, in the same order
 */
export function areUnchanged(
  nonces: Buffer,
  marks: readonly (Buffer | null | undefined)[],
): boolean {
  if (nonces.length !== marks.length * NONCE_LENGTH) return false;
  for (let at = 0; at < nonces.length; at++) {
    const mark = marks[Math.floor(at / NONCE_LENGTH)];
    if (mark?.[at % NONCE_LENGTH] !== nonces[at]) return false;
  }
  return true;
}

const NONCE_BYTES = (NONCE_LENGTH * 3) / 4;
/** Many are made at once: to ask for random bytes costs more than all else of a write here. */
let bytes = Buffer.alloc(0);
let used = 0;

/** A text that nobody else has made. */
export function newNonce(): string {
  if (used === bytes.length) [bytes, used] = [randomBytes(128 * NONCE_BYTES), 0];
  used += NONCE_BYTES;
  return bytes.toString('base64url', used - NONCE_BYTES, used);
}
