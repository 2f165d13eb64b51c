import { createHash } from 'node:crypto';
import { NAMESPACE_SEPARATOR } from '../memory/cache-key.js';
import { hashText } from '../memory/hash.js';

/** Where a cache's entries are in Redis. */
export interface KeyLayoutOptions {
  /** What every key begins with. */
  readonly prefix: string;
  /** The cache's name. */
  readonly name: string;
}

/**
 * Over so many groups the keys of a cache are spread; those of one group are in one slot of a Cluster. Part
 * of the layout: processes that share a cache must agree.
 */
export const BUCKETS = 16;

const LONGEST_PLAIN_KEY = 200;
/** What prints, without `%` and `~`. */
const PLAIN = /^[\u0021-\u0024\u0026-\u007d]*$/;

/** The names in Redis of one bucket, which scripts change as one. */
export interface Bucket {
  readonly index: number;
  /** The counters of changes. */
  readonly counters: string;
  /** The nonce that a clear replaces. */
  readonly generation: string;
  value(key: string): string;
  lease(key: string): string;
  /** The nonce of a tag. */
  tag(tag: string): string;
  /** The nonce of a namespace, given as the prefix of its keys. */
  namespace(prefix: string): string;
}

/**
 * The names of keys in Redis. Everything of a key is in its bucket, which is a slot of a Cluster: its
 * value, its lease, and the nonces of its tags and namespaces, so that one script can compare and change
 * all of it. No two keys, caches or kinds of names share a name: none can hold the separators.
 */
export class KeyLayout {
  readonly buckets: readonly Bucket[];
  /** Where changes are told. */
  readonly channel: string;

  constructor({ prefix, name }: KeyLayoutOptions) {
    this.buckets = Array.from({ length: BUCKETS }, (_, index) =>
      newBucket(`${prefix}:{${name}/${index}}:`, index),
    );
    this.channel = `${prefix}:${name}:changes`;
  }

  /** The number of a key's bucket: one hash for all processes, and for ever. */
  indexOf(key: string): number {
    return hashText(key, 0) & (BUCKETS - 1);
  }

  bucketOf(key: string): Bucket {
    return this.buckets[this.indexOf(key)]!;
  }
}

/** The prefixes of the namespaces that a key is in, from the outermost on. */
export function namespacesOf(key: string): string[] {
  const prefixes: string[] = [];
  for (let at = key.indexOf(NAMESPACE_SEPARATOR); at >= 0;) {
    prefixes.push(key.slice(0, at + 1));
    at = key.indexOf(NAMESPACE_SEPARATOR, at + 1);
  }
  return prefixes;
}

function newBucket(base: string, index: number): Bucket {
  return {
    index,
    counters: `${base}m`,
    generation: `${base}g`,
    value: (key) => `${base}v:${encodeName(key)}`,
    lease: (key) => `${base}l:${encodeName(key)}`,
    tag: (tag) => `${base}t:${encodeName(tag)}`,
    namespace: (prefix) => `${base}n:${encodeName(prefix)}`,
  };
}

/** Names that print well stay readable in `redis-cli`; long ones are hashed, with `~` in front. */
function encodeName(name: string): string {
  // Ill-formed names are refused before; one that gets here all the same must not fail what is asked with it.
  const encoded = PLAIN.test(name) ? name : encodeURIComponent(name.toWellFormed());
  if (encoded.length <= LONGEST_PLAIN_KEY && !encoded.startsWith('~')) return encoded;
  return `~${createHash('sha256').update(name).digest('base64url')}`;
}
