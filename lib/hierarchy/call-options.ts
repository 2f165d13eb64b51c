import { parseDuration, type Duration } from '../durations.js';
import { InvalidArgumentError, show } from '../errors.js';
import { assertKnownOptions } from '../options.js';
import { keyProblem } from '../memory/cache-key.js';

/** Options of a call that stores one entry. */
export interface StoreOptions {
  /**
   * How long the entry lives.
   * @default the hierarchy's `ttl`
   */
  readonly ttl?: Duration;
  /** Names by which the entry can be invalidated together with others: at most 32, of 256 characters. */
  readonly tags?: string | readonly string[];
}

/** Options of a call that may load. */
export interface LoadOptions extends StoreOptions {
  /** Ends this caller's wait. The load itself is aborted when every caller has left. */
  readonly signal?: AbortSignal;
  /**
   * Longest wait of this caller; then it gets a `LoadTimeoutError`.
   * @default the hierarchy's `waitTimeout`
   */
  readonly waitTimeout?: Duration;
}

/** How one entry is to be stored. */
export interface StorePlan {
  ttlMs: number;
  tags: readonly string[] | undefined;
}

const STORE_OPTIONS: ReadonlySet<string> = new Set(['ttl', 'tags']);
const NO_OPTIONS: ReadonlySet<string> = new Set();
const LOAD_OPTIONS: ReadonlySet<string> = new Set([...STORE_OPTIONS, 'signal', 'waitTimeout']);

const MAX_TAGS = 32;
const MAX_TAG_LENGTH = 256;

/** Checks a storing call's options and fills in the lifetime. */
export function planStore(options: StoreOptions | undefined, defaultTtlMs: number): StorePlan {
  if (options === undefined) return { ttlMs: defaultTtlMs, tags: undefined };
  assertKnownOptions(options, STORE_OPTIONS);
  return readPlan(options, defaultTtlMs);
}

/** Checks a loading call's options and fills in the lifetime. */
export function planLoad(options: LoadOptions | undefined, defaultTtlMs: number): StorePlan {
  if (options === undefined) return { ttlMs: defaultTtlMs, tags: undefined };
  assertKnownOptions(options, LOAD_OPTIONS);
  if (options.signal !== undefined && !isAbortSignal(options.signal)) {
    throw new InvalidArgumentError(`signal must be an AbortSignal, got ${show(options.signal)}.`);
  }
  return readPlan(options, defaultTtlMs);
}

/** No call but these has options in this release: what is meant for a later one is not ignored. */
export function refuseOptions(options: object | undefined): void {
  if (options !== undefined) assertKnownOptions(options, NO_OPTIONS);
}

/** One of another realm, or a well-made substitute, is as good. */
function isAbortSignal(signal: unknown): boolean {
  if (typeof signal !== 'object' || signal === null) return false;
  const { aborted, addEventListener } = signal as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

function readPlan(options: StoreOptions, defaultTtlMs: number): StorePlan {
  return {
    ttlMs: options.ttl === undefined ? defaultTtlMs : parseDuration(options.ttl),
    tags: options.tags === undefined ? undefined : entryTags(options.tags),
  };
}

/**
 * Checks the tags of one entry, adding them to those it has.
 *
 * @throws {InvalidArgumentError} for a bad tag, or more than 32
 */
export function entryTags(
  tags: string | readonly string[],
  others: readonly string[] = [],
): readonly string[] | undefined {
  const all = [...new Set([...others, ...readTags(tags)])];
  if (all.length > MAX_TAGS) {
    throw new InvalidArgumentError(`An entry has at most ${MAX_TAGS} tags, got ${all.length}.`);
  }
  return all.length === 0 ? undefined : all;
}

/**
 * Checks tags and returns them as a list.
 *
 * @throws {InvalidArgumentError} when one is empty, too long, not well-formed or has control characters
 */
export function readTags(tags: string | readonly string[]): readonly string[] {
  const list = typeof tags === 'string' ? [tags] : tags;
  if (!Array.isArray(list)) {
    throw new InvalidArgumentError(
      `tags must be a string or an array of strings, got ${show(tags)}.`,
    );
  }
  for (const tag of list) {
    const problem = keyProblem(tag, MAX_TAG_LENGTH);
    if (problem !== undefined)
      throw new InvalidArgumentError(`A tag ${problem}; got ${show(tag)}.`);
  }
  return list;
}
