import { parseDuration, type Duration } from '../durations.js';
import { InvalidArgumentError, show } from '../errors.js';
import type { OptionReader } from '../options.js';

/**
 * How long an entry lives and what happens when it can not be renewed. For a cache these are the
 * defaults of its calls; a call's own word wins. `false` switches off what the cache has on.
 */
export interface PolicyOptions {
  /**
   * How long an entry lives, unless its loader or its call says otherwise. A level keeps its copy
   * for its own `ttl` at most while a lower level has the entry.
   * @default the `ttl` of L2; 10 minutes where a level of your own is there in its place or below; else the
   * `ttl` of L1
   */
  readonly ttl?: Duration;
  /**
   * How long an expired entry is kept for when its loader fails or takes too long: it is returned
   * then in place of an error. Fixed when the entry is stored.
   * @default false
   */
  readonly grace?: Duration | false;
  /**
   * Decides which errors of a loader a stale value may stand in for.
   * @default every one; in a Nest application all but an `HttpException` below 500
   */
  readonly staleOn?: (error: unknown) => boolean;
  /**
   * How long a caller waits for a load before it gets a stale value, if there is one. The load goes on
   * behind, and what it brings is stored.
   * @default false
   */
  readonly softTimeout?: Duration | false;
  /**
   * How long a load may take. Then its callers get a stale value, or a `LoadTimeoutError`; its signal
   * is aborted and the next caller loads anew. A value that still comes is stored if nothing newer is.
   * @default false
   */
  readonly hardTimeout?: Duration | false;
  /**
   * How long a stale value is returned after a failed load before another one is tried.
   * @default false
   */
  readonly throttle?: Duration | false;
  /**
   * The share of its lifetime, above 0 and below 1, after which an entry that is asked for is
   * loaded anew behind its callers, who get what is there. 0.8 is a good one. Where a level is outside
   * this process each process draws a moment between then and the end, so that they do not load all at
   * once.
   * @default false
   */
  readonly eager?: number | false;
  /**
   * By how much lifetimes differ by chance, up and down, as a share from 0 up to 1: entries that were
   * stored together do not expire together then.
   * @default 0
   */
  readonly jitter?: number;
  /**
   * How long `null` lives: it often stands for what does not exist yet.
   * @default false: as long as any value
   */
  readonly negativeTtl?: Duration | false;
}

/** {@link PolicyOptions} with everything filled in; durations in milliseconds. */
export interface Policy {
  readonly ttlMs: number;
  /** 0 for none. */
  readonly graceMs: number;
  readonly staleOn: (error: unknown) => boolean;
  /** `Infinity` for none. */
  readonly softTimeoutMs: number;
  /** `Infinity` for none. */
  readonly hardTimeoutMs: number;
  /** 0 for none. */
  readonly throttleMs: number;
  /** `undefined` for none. */
  readonly eager: number | undefined;
  readonly jitter: number;
  /** `undefined` for the lifetime of any value. */
  readonly negativeTtlMs: number | undefined;
}

/** The names of all options of a {@link Policy}. */
export const POLICY_OPTIONS = [
  'ttl',
  'grace',
  'staleOn',
  'softTimeout',
  'hardTimeout',
  'throttle',
  'eager',
  'jitter',
  'negativeTtl',
] as const;

const EAGER_RANGE = 'a number above 0 and below 1, or false';
const JITTER_RANGE = 'a number from 0 up to, and not including, 1';

/** Reads the defaults of a cache; problems are left in the reader. */
export function readPolicy(
  read: OptionReader,
  defaultTtlMs: number,
  defaultStaleOn: Policy['staleOn'] = anyError,
): Policy {
  const optional = (name: string, none: number): number =>
    read.raw(name) === false ? none : read.duration(name, none);
  const eager = read.raw('eager');
  if (eager !== undefined && !isEager(eager)) read.reject('eager', `must be ${EAGER_RANGE}`);
  const jitter = read.raw('jitter') ?? 0;
  if (!isJitter(jitter)) read.reject('jitter', `must be ${JITTER_RANGE}`);
  const negativeTtlMs = optional('negativeTtl', 0);
  return {
    ttlMs: read.duration('ttl', defaultTtlMs),
    graceMs: optional('grace', 0),
    staleOn: read.callback('staleOn', defaultStaleOn),
    softTimeoutMs: optional('softTimeout', Infinity),
    hardTimeoutMs: optional('hardTimeout', Infinity),
    throttleMs: optional('throttle', 0),
    eager: isEager(eager) && eager !== false ? eager : undefined,
    jitter: isJitter(jitter) ? jitter : 0,
    negativeTtlMs: negativeTtlMs === 0 ? undefined : negativeTtlMs,
  };
}

/**
 * Returns a cache's policy with the words of one call in it.
 *
 * @throws {InvalidArgumentError} for a value that is out of range
 */
export function policyOf(options: PolicyOptions, defaults: Policy): Policy {
  const { ttl, grace, staleOn, softTimeout, hardTimeout, throttle, eager, jitter, negativeTtl } =
    options;
  if (eager !== undefined && !isEager(eager)) throw outOfRange('eager', EAGER_RANGE, eager);
  if (jitter !== undefined && !isJitter(jitter)) throw outOfRange('jitter', JITTER_RANGE, jitter);
  if (staleOn !== undefined && typeof staleOn !== 'function')
    throw outOfRange('staleOn', 'a function', staleOn);
  return {
    ttlMs: ttl === undefined ? defaults.ttlMs : parseDuration(ttl),
    graceMs: parseOptional(grace, 0, defaults.graceMs),
    staleOn: staleOn ?? defaults.staleOn,
    softTimeoutMs: parseOptional(softTimeout, Infinity, defaults.softTimeoutMs),
    hardTimeoutMs: parseOptional(hardTimeout, Infinity, defaults.hardTimeoutMs),
    throttleMs: parseOptional(throttle, 0, defaults.throttleMs),
    eager: eager === false ? undefined : (eager ?? defaults.eager),
    jitter: jitter ?? defaults.jitter,
    negativeTtlMs: parseOptional(negativeTtl, undefined, defaults.negativeTtlMs),
  };
}

function parseOptional<N>(option: Duration | false | undefined, none: N, inherited: N): N | number {
  if (option === undefined) return inherited;
  return option === false ? none : parseDuration(option);
}

function isEager(value: unknown): value is number | false {
  return value === false || (typeof value === 'number' && value > 0 && value < 1);
}

function isJitter(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1;
}

function anyError(): boolean {
  return true;
}

function outOfRange(name: string, range: string, got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`The call's option ${name} must be ${range}, got ${show(got)}.`);
}
