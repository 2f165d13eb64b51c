import { createHash } from 'node:crypto';

const TAG = /(?:W\/)?("[^"]*")/g;

/** Makes the tag of a body. It is weak: interceptors outside may write the same content otherwise. */
export function entityTagOf(text: string): string {
  return `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

/** Whether an `If-None-Match` field names a tag, by the weak comparison of RFC 9110, 8.8.3.2. */
export function namesTag(field: string | undefined, tag: string): boolean {
  if (field === undefined) return false;
  if (field.trim() === '*') return true;
  const opaque = tag.replace(/^W\//, '');
  return [...field.matchAll(TAG)].some(([, named]) => named === opaque);
}
