import { systemClock, type Clock } from '../clock.js';
import type { Duration } from '../durations.js';
import { OptionReader } from '../options.js';
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
  /** The second level: larger and longer-lived; `false` for none. */
  readonly l2?: LevelOptions | false;
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
   * The most invalidated tags and cleared namespaces that are remembered, from 1 to 2^24. Beyond
   * it the oldest is forgotten and what is older still, with any tag or namespace, becomes a miss.
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
  readonly l1: ResolvedLevelOptions;
  readonly l2: ResolvedLevelOptions | undefined;
  readonly enabled: boolean;
  readonly isolation: Isolation;
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

/**
 * Checks the options of a hierarchy and fills in the defaults.
 *
 * @param defaultStaleOn the `staleOn` of a hierarchy that has none of its own; any error by default
 * @throws {InvalidOptionsError} with everything that is wrong with them
 */
export function resolveHierarchyOptions(
  options: CacheHierarchyOptions,
  defaultStaleOn?: Policy['staleOn'],
): ResolvedHierarchyOptions {
  const read = new OptionReader('CacheHierarchy', options);
  const l1 = readLevelOptions(read.part('l1'), L1_DEFAULTS);
  const l2 = read.raw('l2') === false ? undefined : readLevelOptions(read.part('l2'), L2_DEFAULTS);
  const resolved: ResolvedHierarchyOptions = {
    l1,
    l2,
    enabled: read.boolean('enabled', true),
    isolation: read.oneOf('isolation', ISOLATIONS, 'reference'),
    policy: readPolicy(read, (l2 ?? l1).ttlMs, defaultStaleOn),
    hasOwnStaleOn: read.raw('staleOn') !== undefined,
    joinTimeoutMs: read.duration('joinTimeout', DEFAULT_JOIN_TIMEOUT_MS),
    waitTimeoutMs: read.optionalDuration('waitTimeout'),
    lockTimeoutMs: read.duration('lockTimeout', DEFAULT_LOCK_TIMEOUT_MS),
    maxStamps: read.integer('maxStamps', DEFAULT_MAX_STAMPS, { min: 1, max: 2 ** 24 }),
    maxWorkers: read.integer('maxWorkers', DEFAULT_MAX_WORKERS, { min: 1, max: 1_024 }),
    clock: read.port('clock', systemClock, [...CLOCK_METHODS]),
    report: guardReport(read.callback('report', emitProcessWarning)),
  };
  read.finish();
  return Object.freeze(resolved);
}
