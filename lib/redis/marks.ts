import { randomBytes } from 'node:crypto';
import { namespacesOf, type Bucket } from './key-layout.js';
import { NONCE_LENGTH } from './scripts.js';

/** For how long Redis keeps an entry at most, in milliseconds. */
export const MAX_TTL_MS = 7 * 24 * 3_600_000;
/** Marks outlive every entry that was stored with them. */
export const MARK_TTL_MS = MAX_TTL_MS + 24 * 3_600_000;

/** The names of the marks that an entry depends on, in the order of its nonces. */
export function marksOf(bucket: Bucket, key: string, tags: readonly string[]): string[] {
  return [
    bucket.generation,
    ...namespacesOf(key).map((prefix) => bucket.namespace(prefix)),
    ...tags.map((tag) => bucket.tag(tag)),
  ];
}

/** Whether none of the marks that an entry depends on was replaced, or lost, since it was stored. */
export function areUnchanged(
  nonces: readonly string[],
  names: readonly string[],
  marks: ReadonlyMap<string, Buffer | null | undefined>,
): boolean {
  return (
    nonces.length === names.length &&
    names.every((name, at) => marks.get(name)?.toString('latin1', 0, NONCE_LENGTH) === nonces[at])
  );
}

/** A text that nobody else has made. */
export function newNonce(): string {
  return randomBytes((NONCE_LENGTH * 3) / 4).toString('base64url');
}
