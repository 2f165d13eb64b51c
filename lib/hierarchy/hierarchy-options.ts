import { systemClock, type Clock } from '../clock.js';
import type { Duration } from '../durations.js';
import type { CacheLevel } from '../levels/cache-level.js';
import { isRecord, OptionReader } from '../options.js';
import {
  CLOCK_METHODS,
  DEFAULT_LOCK_TIMEOUT_MS,
  L1_DEFAULTS,
  L2_DEFAULTS,
  readLevelOptions,
  type LevelOptions,
  type ResolvedLevelOptions,
} from '../memory/cache-options.js';
import { DEFAULT_JOIN_TIMEOUT_MS } from '../memory/enhanced-async-ttl-cache.js';
import { DEFAULT_MAX_WORKERS } from '../memory/sweeper.js';
import { emitProcessWarning, guardReport, type Report } from '../report.js';
import { ISOLATIONS, type Isolation } from './isolation.js';
import { readPolicy, type Policy, type PolicyOptions } from './policy.js';

/** Options of a {@link CacheHierarchy}. Every one has a default. */
export interface CacheHierarchyOptions extends PolicyOptions {
  /** The first level: small and short-lived. */
  readonly l1?: LevelOptions;
  /**
   * The second level: larger and longer-lived; `false` for none. A level of your own takes its place, in
   * this process or outside.
   */
  readonly l2?: LevelOptions | CacheLevel | false;
  /**
   * The lowest level, which processes share.
   * @default none
   */
  readonly remote?: CacheLevel;
  /**
   * Whether anything is cached. When `false` every read loads and nothing is stored.
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * Whether callers get the very objects that are kept, or a copy each. `'clone'` copies by the
   * structured clone algorithm when a value is stored and each time it is returned; it knows no classes
   * and no functions. What it can not copy is returned, not stored, and counted as `uncloneable`.
   * @default 'reference'
   */
  readonly isolation?: Isolation;
  /**
   * Whether a hit in L1 lets its copy stay for another `ttl` of L1, so that what is asked for again and
   * again is not read anew from L2. The lifetime of the entry itself stays as it is. Without a level
   * below L1 this does nothing.
   * @default false
   */
  readonly slide?: boolean;
  /**
   * How long a caller waits for a load that another caller started, before it starts its own.
   * @default '30s'
   */
  readonly joinTimeout?: Duration;
  /**
   * How long a caller waits for a value at all; then it gets a `LoadTimeoutError`. The load goes on
   * for the others.
   * @default Infinity
   */
  readonly waitTimeout?: Duration;
  /**
   * Longest wait for a key's lock in `set` and `update`.
   * @default '5s'
   */
  readonly lockTimeout?: Duration;
  /**
   * How long an answer of a level outside this process is waited for. Then a read is a miss, a write is
   * given up and an invalidation is tried again behind its caller.
   * @default '1s'
   */
  readonly levelTimeout?: Duration;
  /**
   * How many loaders run at a time at most, from 1 to 2^24; the others wait. One that waits for
   * `joinTimeout` starts all the same. A loader of many keys counts once.
   * @default Infinity
   */
  readonly maxConcurrentLoads?: number;
  /**
   * The most invalidated tags and cleared namespaces that are remembered, from 1 to 2^24. Beyond
   * it the oldest is forgotten and what is older still, with any tag or namespace, becomes a miss. Also
   * the most holds, and the most invalidations that a level has not confirmed: beyond those no load is
   * stored until the oldest hold is over, and a level is cleared.
   * @default 10000
   */
  readonly maxStamps?: number;
  /**
   * Sweeps in flight at most, over all levels, from 1 to 1,024.
   * @default 4
   */
  readonly maxWorkers?: number;
  /** Where time and turns come from; replace it in tests. */
  readonly clock?: Clock;
  /** Receives what an operator should know; the process's warnings by default. */
  readonly report?: Report;
}

/** {@link CacheHierarchyOptions} with everything filled in; durations in milliseconds. */
export interface ResolvedHierarchyOptions {
  /** The name of a named cache. */
  readonly name: string | undefined;
  /** What messages call the cache. */
  readonly subject: string;
  readonly l1: ResolvedLevelOptions;
  /** `undefined` where there is none, or one of the user's own. */
  readonly l2: ResolvedLevelOptions | undefined;
  readonly customL2: CacheLevel | undefined;
  readonly remote: CacheLevel | undefined;
  readonly levelTimeoutMs: number;
  readonly maxConcurrentLoads: number;
  readonly enabled: boolean;
  readonly isolation: Isolation;
  readonly slide: boolean;
  readonly policy: Policy;
  /** Whether `staleOn` was written. */
  readonly hasOwnStaleOn: boolean;
  readonly joinTimeoutMs: number;
  readonly waitTimeoutMs: number | undefined;
  readonly lockTimeoutMs: number;
  readonly maxStamps: number;
  readonly maxWorkers: number;
  readonly clock: Clock;
  readonly report: Report;
}

const DEFAULT_MAX_STAMPS = 10_000;
const DEFAULT_LEVEL_TIMEOUT_MS = 1_000;
/** How long entries live where a level of another kind keeps them. */
const DEFAULT_SHARED_TTL_MS = 600_000;
const LEVEL_METHODS = ['read', 'write', 'delete', 'invalidateTags', 'clear', 'close'] as const;

/** What a hierarchy is told by whoever makes it for an application. */
export interface HierarchyEdge {
  /** The name of a named cache. */
  readonly name?: string;
  /** The `staleOn` of a hierarchy that has none of its own; any error by default. */
  readonly staleOn?: Policy['staleOn'];
}

/** What messages call the cache of this name, or the one without. */
export function subjectOf(name: string | undefined): string {
  return name === undefined ? 'CacheHierarchy' : `CacheHierarchy '${name}'`;
}

/**
 * Checks the options of a hierarchy and fills in the defaults.
 *
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveHierarchyOptions(
  options: CacheHierarchyOptions,
  { name, staleOn }: HierarchyEdge = {},
): ResolvedHierarchyOptions {
  const read = new OptionReader(subjectOf(name), options);
  const l1 = readLevelOptions(read.part('l1'), L1_DEFAULTS);
  const customL2 = isLevel(read.raw('l2')) ? readLevel(read, 'l2') : undefined;
  const hasL2 = customL2 === undefined && read.raw('l2') !== false;
  const l2 = hasL2 ? readLevelOptions(read.part('l2'), L2_DEFAULTS) : undefined;
  const remote = read.raw('remote') === undefined ? undefined : readLevel(read, 'remote');
  const ttlMs = l2?.ttlMs ?? ((customL2 ?? remote) ? DEFAULT_SHARED_TTL_MS : l1.ttlMs);
  const resolved: ResolvedHierarchyOptions = {
    name,
    subject: read.subject,
    l1,
    l2,
    customL2,
    remote,
    levelTimeoutMs: readBound(read, 'levelTimeout', DEFAULT_LEVEL_TIMEOUT_MS),
    maxConcurrentLoads: read.integer('maxConcurrentLoads', Infinity, {
      min: 1,
      max: 2 ** 24,
      infinity: true,
    }),
    enabled: read.boolean('enabled', true),
    isolation: read.oneOf('isolation', ISOLATIONS, 'reference'),
    slide: read.boolean('slide', false),
    policy: readPolicy(read, ttlMs, staleOn),
    hasOwnStaleOn: read.raw('staleOn') !== undefined,
    joinTimeoutMs: read.duration('joinTimeout', DEFAULT_JOIN_TIMEOUT_MS),
    waitTimeoutMs: read.optionalDuration('waitTimeout'),
    lockTimeoutMs: read.duration('lockTimeout', DEFAULT_LOCK_TIMEOUT_MS),
    maxStamps: read.integer('maxStamps', DEFAULT_MAX_STAMPS, { min: 1, max: 2 ** 24 }),
    maxWorkers: read.integer('maxWorkers', DEFAULT_MAX_WORKERS, { min: 1, max: 1_024 }),
    clock: read.port('clock', systemClock, [...CLOCK_METHODS]),
    report: readReport(read, name),
  };
  read.finish();
  return Object.freeze(resolved);
}

/** The reports of a named cache tell its name. */
function readReport(read: OptionReader, name: string | undefined): Report {
  const report = read.callback<Report>('report', emitProcessWarning);
  return guardReport(name === undefined ? report : (what) => report({ ...what, cache: name }));
}

/** Whether what was given as a level is one, and not the options of one. */
export function isLevel(given: unknown): given is CacheLevel {
  if (!isRecord(given)) return false;
  return typeof given['read'] === 'function' || typeof given['write'] === 'function';
}

/** Reads a duration that must end, since nothing else would. */
function readBound(read: OptionReader, name: string, defaultMs: number): number {
  const boundMs = read.duration(name, defaultMs);
  if (boundMs === Infinity) read.reject(name, 'must end: a level that hangs would be waited for');
  return boundMs;
}

/** A level in this process answers a read at once. */
function readLevel(read: OptionReader, name: 'l2' | 'remote'): CacheLevel | undefined {
  const level = read.port<CacheLevel>(name, undefined as never, LEVEL_METHODS);
  if (!isRecord(level)) return undefined;
  if (typeof level.inProcess !== 'boolean') read.reject(name, 'must say whether it is inProcess');
  if (level.inProcess && typeof level.readNow !== 'function')
    read.reject(name, 'must have the method readNow, since it is inProcess');
  if (level.inProcess && name === 'remote')
    read.reject(name, 'must not be inProcess: a level of this process is given as l2');
  return level;
}
