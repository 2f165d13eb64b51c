import { parseDuration, type Duration } from '../durations.js';
import { InvalidArgumentError, show } from '../errors.js';
import type { LevelName } from '../levels/cache-level.js';
import { assertKnownOptions } from '../options.js';
import { entryTags } from './entry-tags.js';
import { POLICY_OPTIONS, policyOf, type Policy, type PolicyOptions } from './policy.js';
import { NOTHING_SKIPPED, readSkip, type SkippedLevels } from './skipped-levels.js';

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
  /**
   * Levels that this call does not read, and levels that it does not write. Those that are not written
   * keep what they have. Calls that skip other levels do not share a load.
   * @default {}
   */
  readonly skip?: { readonly read?: readonly LevelName[]; readonly write?: readonly LevelName[] };
  /** Ends this caller's wait. The load itself is aborted when every caller has left. */
  readonly signal?: AbortSignal;
  /**
   * Longest wait of this caller; then it gets a `LoadTimeoutError`.
   * @default the hierarchy's `waitTimeout`
   */
  readonly waitTimeout?: Duration;
}

/** Has a loader run without a slot of `maxConcurrentLoads`: one that calls loaders which need slots. */
export const WITHOUT_SLOT = Symbol('withoutSlot');

/** What the package's own callers may say beside that. */
export interface InternalLoadOptions extends LoadOptions {
  readonly [WITHOUT_SLOT]?: true;
}

/** Has the `ttl` of a store be that of any value: it was not said of this very one. */
export const TTL_OF_ANY = Symbol('ttlOfAny');

/** What the package's own callers may say beside that of one entry. */
export interface InternalStoreOptions extends StoreOptions {
  readonly [TTL_OF_ANY]?: true;
}

/** Options of an invalidation. */
export interface HoldOptions {
  /**
   * For how long what is loaded is returned and not stored: long enough for a replica of the database to
   * catch up, or for a transaction to be committed. It never shortens one that is under way.
   * @default nothing is held
   */
  readonly hold?: Duration;
}

/** Options of a call that deletes. */
export interface DeleteOptions extends HoldOptions {
  /**
   * `'remote'` has the call fail with a `CacheLevelError` where a level outside this process has not carried
   * it out yet. It is tried again all the same, and that level is not asked for the key before.
   * @default failures of levels are not the caller's
   */
  readonly require?: 'remote';
}

/** How one entry is to be stored. The loader may change it while it runs. */
export interface StorePlan {
  policy: Policy;
  /** The lifetime, unless `expiresAt` says it. */
  ttlMs: number;
  /** Whether a `null` lives as long as that, too: the lifetime was said of this very value. */
  ttlIsOwn: boolean;
  /** Wall-clock time in milliseconds. */
  expiresAt: number | undefined;
  tags: readonly string[] | undefined;
  /** Whether the loader wants its value returned and not stored. */
  skipped: boolean;
  /** How long the loader took, in milliseconds. */
  loadMs: number | undefined;
  readonly skip: SkippedLevels;
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
const HOLD_OPTIONS: ReadonlySet<string> = new Set(['hold']);
const DELETE_OPTIONS: ReadonlySet<string> = new Set(['hold', 'require']);
const LOAD_OPTIONS: ReadonlySet<string> = new Set([
  ...STORE_OPTIONS,
  ...POLICY_OPTIONS,
  'signal',
  'waitTimeout',
  'forceRefresh',
  'skip',
]);

/** Checks a storing call's options and fills in the cache's policy. */
export function planStore(options: InternalStoreOptions | undefined, policy: Policy): StorePlan {
  if (options === undefined) return plainPlan(policy);
  assertKnownOptions(options, STORE_OPTIONS);
  const plan = readPlan(options, policy);
  const saysTtl = options.ttl !== undefined && options[TTL_OF_ANY] !== true;
  plan.ttlIsOwn = saysTtl || options.expiresAt !== undefined;
  return plan;
}

/** Checks a loading call's options and fills in the cache's policy. */
export function planLoad(options: LoadOptions | undefined, policy: Policy): StorePlan {
  if (options === undefined) return plainPlan(policy);
  assertKnownOptions(options, LOAD_OPTIONS);
  if (options.signal !== undefined && !isAbortSignal(options.signal)) {
    throw new InvalidArgumentError(`signal must be an AbortSignal, got ${show(options.signal)}.`);
  }
  const { forceRefresh, waitTimeout } = options;
  if (waitTimeout !== undefined) parseDuration(waitTimeout);
  if (forceRefresh !== undefined && typeof forceRefresh !== 'boolean') {
    throw new InvalidArgumentError(
      `forceRefresh must be true or false, got ${show(forceRefresh)}.`,
    );
  }
  const plan = readPlan(options, policy);
  return options.skip === undefined ? plan : { ...plan, skip: readSkip(options.skip) };
}

function plainPlan(policy: Policy): StorePlan {
  return {
    policy,
    ttlMs: policy.ttlMs,
    ttlIsOwn: false,
    expiresAt: undefined,
    tags: undefined,
    skipped: false,
    loadMs: undefined,
    skip: NOTHING_SKIPPED,
  };
}

/** Checks an invalidation's options; returns the hold in milliseconds. */
export function readHold(options: HoldOptions | undefined): number | undefined {
  if (options === undefined) return undefined;
  assertKnownOptions(options, HOLD_OPTIONS);
  return parseHold(options.hold);
}

/** Checks a deleting call's options; returns the hold in milliseconds. */
export function readDelete(options: DeleteOptions | undefined): number | undefined {
  if (options === undefined) return undefined;
  assertKnownOptions(options, DELETE_OPTIONS);
  const { hold, require } = options;
  if (require !== undefined && require !== 'remote')
    throw new InvalidArgumentError(`require must be 'remote', got ${show(require)}.`);
  return parseHold(hold);
}

/** What is held for ever could never be stored again. */
function parseHold(hold: Duration | undefined): number | undefined {
  if (hold === undefined) return undefined;
  const holdMs = parseDuration(hold);
  if (holdMs === Infinity) throw new InvalidArgumentError('hold must end, got Infinity.');
  return holdMs;
}

/** Refuses the options of a call that has none, rather than ignore them. */
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
