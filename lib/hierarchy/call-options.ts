import type { Duration } from '../durations.js';
import { InvalidArgumentError, show } from '../errors.js';
import { assertKnownOptions } from '../options.js';
import { keyProblem } from '../memory/cache-key.js';
import { POLICY_OPTIONS, policyOf, type Policy, type PolicyOptions } from './policy.js';

/** Options of a call that stores one entry. */
export interface StoreOptions extends Pick<
  PolicyOptions,
  'ttl' | 'grace' | 'eager' | 'jitter' | 'negativeTtl'
> {
  /**
   * When the entry expires, in place of `ttl`: a date, or milliseconds since 1970. One that has
   * passed is not stored. Jitter does not move it.
   */
  readonly expiresAt?: Date | number;
  /** Names by which the entry can be invalidated together with others: at most 32, of 256 characters. */
  readonly tags?: string | readonly string[];
}

/** Options of a call that may load. */
export interface LoadOptions
  extends
    StoreOptions,
    Pick<PolicyOptions, 'staleOn' | 'softTimeout' | 'hardTimeout' | 'throttle'> {
  /**
   * Loads although there is a value, which stays until another takes its place. Callers who do so at
   * the same time share one load.
   * @default false
   */
  readonly forceRefresh?: boolean;
  /** Ends this caller's wait. The load itself is aborted when every caller has left. */
  readonly signal?: AbortSignal;
  /**
   * Longest wait of this caller; then it gets a `LoadTimeoutError`.
   * @default the hierarchy's `waitTimeout`
   */
  readonly waitTimeout?: Duration;
}

/** How one entry is to be stored. The loader may change it while it runs. */
export interface StorePlan {
  readonly policy: Policy;
  /** The lifetime, unless `expiresAt` says it. */
  ttlMs: number;
  /** Whether a `null` lives as long as that, too: the lifetime was said of this very value. */
  ttlIsOwn: boolean;
  /** Wall-clock time in milliseconds. */
  expiresAt: number | undefined;
  tags: readonly string[] | undefined;
  /** Whether the loader wants its value returned and not stored. */
  skipped: boolean;
}

const STORE_OPTIONS: ReadonlySet<string> = new Set([
  'ttl',
  'grace',
  'eager',
  'jitter',
  'negativeTtl',
  'expiresAt',
  'tags',
]);
const NO_OPTIONS: ReadonlySet<string> = new Set();
const LOAD_OPTIONS: ReadonlySet<string> = new Set([
  ...STORE_OPTIONS,
  ...POLICY_OPTIONS,
  'signal',
  'waitTimeout',
  'forceRefresh',
]);

const MAX_TAGS = 32;
const MAX_TAG_LENGTH = 256;

/** Checks a storing call's options and fills in the cache's policy. */
export function planStore(options: StoreOptions | undefined, policy: Policy): StorePlan {
  if (options === undefined) return plainPlan(policy);
  assertKnownOptions(options, STORE_OPTIONS);
  const plan = readPlan(options, policy);
  plan.ttlIsOwn = options.ttl !== undefined || options.expiresAt !== undefined;
  return plan;
}

/** Checks a loading call's options and fills in the cache's policy. */
export function planLoad(options: LoadOptions | undefined, policy: Policy): StorePlan {
  if (options === undefined) return plainPlan(policy);
  assertKnownOptions(options, LOAD_OPTIONS);
  if (options.signal !== undefined && !isAbortSignal(options.signal)) {
    throw new InvalidArgumentError(`signal must be an AbortSignal, got ${show(options.signal)}.`);
  }
  const { forceRefresh } = options;
  if (forceRefresh !== undefined && typeof forceRefresh !== 'boolean') {
    throw new InvalidArgumentError(
      `forceRefresh must be true or false, got ${show(forceRefresh)}.`,
    );
  }
  return readPlan(options, policy);
}

function plainPlan(policy: Policy): StorePlan {
  const { ttlMs } = policy;
  const said = { ttlIsOwn: false, expiresAt: undefined, tags: undefined, skipped: false };
  return { policy, ttlMs, ...said };
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

function readPlan(options: StoreOptions, defaults: Policy): StorePlan {
  const policy = policyOf(options, defaults);
  return {
    ...plainPlan(policy),
    expiresAt: options.expiresAt === undefined ? undefined : readDate(options),
    tags: options.tags === undefined ? undefined : entryTags(options.tags),
  };
}

function readDate({ ttl, expiresAt }: StoreOptions): number {
  if (ttl !== undefined)
    throw new InvalidArgumentError('A call says ttl or expiresAt, not both: leave one out.');
  const time = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt;
  if (typeof time === 'number' && Number.isFinite(time)) return time;
  throw new InvalidArgumentError(
    `expiresAt must be a Date or a number of milliseconds since 1970, got ${show(expiresAt)}.`,
  );
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
