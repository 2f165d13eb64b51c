import { GuardedLevel } from '../levels/guarded-level.js';
import { MemoryLevel } from '../levels/memory-level.js';
import { AbsenceMemory } from '../memory/absence-memory.js';
import type { ResolvedLevelOptions } from '../memory/cache-options.js';
import { EnhancedAsyncTTLCache } from '../memory/enhanced-async-ttl-cache.js';
import type { HandOver } from '../memory/shared-exclusive-lock.js';
import { CacheEvents } from './cache-events.js';
import { CallTracing } from './call-tracing.js';
import type { CacheHierarchy } from './cache-hierarchy.js';
import { Coherence } from './coherence.js';
import { HierarchyCore } from './hierarchy-core.js';
import type { ResolvedHierarchyOptions } from './hierarchy-options.js';
import { LowerLevels } from './lower-levels.js';
import { isFresh } from './lifetime.js';
import { LowerLevel } from './lower-level.js';
import { StampTable, type Stamped } from './stamp-table.js';

/** The parts of a hierarchy. */
export interface Assembly {
  readonly options: ResolvedHierarchyOptions;
  readonly core: HierarchyCore;
  readonly l1: EnhancedAsyncTTLCache<unknown>;
  readonly l2: EnhancedAsyncTTLCache<unknown> | null;
  /** Those in this process, from the first to the last that is asked. */
  readonly levels: readonly (MemoryLevel | GuardedLevel)[];
  /** The one of them that is the user's own, if there is one. */
  readonly guarded: GuardedLevel | undefined;
  readonly lower: LowerLevels;
  readonly coherence: Coherence;
}

/** How a hierarchy is put together, beside its options. */
export interface AssemblySettings {
  /** When a lock is handed to who waits for it. */
  readonly handOver?: HandOver;
  /** Whether somebody else closes the remote. */
  readonly keepsRemoteOpen?: boolean;
}

/**
 * Builds the levels that the options ask for, and what works with them.
 *
 * @param hierarchy gives what is made of the parts, from then on
 */
export function assemble(
  options: ResolvedHierarchyOptions,
  { handOver, keepsRemoteOpen = false }: AssemblySettings,
  hierarchy: () => CacheHierarchy,
): Assembly {
  const stamps: StampTable = new StampTable({
    clock: options.clock,
    maxStamps: options.maxStamps,
    oldestOrder: () => core.oldestOrder,
  });
  const tracing = new CallTracing(hierarchy);
  const lower = new LowerLevels(lowerLevels(options, keepsRemoteOpen, tracing), options.clock);
  const coherence = new Coherence({
    clock: options.clock,
    follow: (listener) => (options.enabled ? lower.follow(listener) : undefined),
    advance: () => stamps.advance(),
    apply: (change) => core.invalidations.hear(change),
  });
  const admits = (key: string, entry: Stamped): boolean =>
    stamps.admits(key, entry) && coherence.admits(key, entry.order);
  const validity = {
    get order() {
      return stamps.order;
    },
    admits,
  };
  const events = new CacheEvents({ ...options, hierarchy });
  const lowest = options.l2 === undefined ? 'L1' : 'L2';
  const build = (name: 'L1' | 'L2', level: ResolvedLevelOptions): EnhancedAsyncTTLCache<unknown> =>
    new EnhancedAsyncTTLCache<unknown>(toCacheOptions(level, options), {
      subject: `${options.subject} ${name}`,
      stamps: validity,
      // What leaves a level that has another below it is still there.
      absences: name === lowest ? new AbsenceMemory() : undefined,
    });

  const l1 = build('L1', options.l1);
  const l2 = options.l2 === undefined ? null : build('L2', options.l2);
  const guarded = guardedLevel(options, admits);
  const levels = [
    memoryLevel('L1', l1, options.l1, options),
    ...(l2 === null ? [] : [memoryLevel('L2', l2, options.l2!, options)]),
    ...(guarded === undefined ? [] : [guarded]),
  ];
  const core: HierarchyCore = new HierarchyCore({
    ...options,
    levels,
    lower,
    stamps,
    coherence,
    handOver,
    events,
    tracing,
    shardOf: (key) => l1.table.shardOf(key),
  });
  return { options, core, l1, l2, levels, guarded, lower, coherence };
}

/** The lowest level in this process keeps what is stale; whatever has a level below it keeps copies. */
function memoryLevel(
  name: 'L1' | 'L2',
  cache: EnhancedAsyncTTLCache<unknown>,
  { ttlMs, sweepEveryMs }: ResolvedLevelOptions,
  { l2, customL2, remote, slide, clock }: ResolvedHierarchyOptions,
): MemoryLevel {
  const hasL2 = name === 'L1' && (l2 !== undefined || customL2 !== undefined);
  const hasLower = hasL2 || remote !== undefined;
  const keepsStale = name === 'L2' || (l2 === undefined && customL2?.inProcess !== true);
  const copyTtlMs = hasLower ? ttlMs : undefined;
  return new MemoryLevel({
    name,
    cache,
    copyTtlMs,
    keepsStale,
    slide: slide && name === 'L1',
    sweepEveryMs,
    clock,
  });
}

function guardedLevel(
  { customL2, clock, report, levelTimeoutMs, maxStamps }: ResolvedHierarchyOptions,
  admits: (key: string, entry: Stamped) => boolean,
): GuardedLevel | undefined {
  if (customL2?.inProcess !== true) return undefined;
  return new GuardedLevel({
    name: 'L2',
    level: customL2,
    clock,
    report,
    admits: (key, { order, tags }) => admits(key, { order, tags }),
    isLive: (entry) => isFresh(entry, clock),
    timeoutMs: levelTimeoutMs,
    maxOwed: maxStamps,
  });
}

function lowerLevels(
  options: ResolvedHierarchyOptions,
  keepsRemoteOpen: boolean,
  tracing: CallTracing,
): LowerLevel[] {
  const { customL2, remote, clock, report, levelTimeoutMs: timeoutMs, maxStamps } = options;
  const outside = [
    { name: 'L2', level: customL2?.inProcess === false ? customL2 : undefined, keepOpen: false },
    { name: 'remote', level: remote, keepOpen: keepsRemoteOpen },
  ] as const;
  const common = { clock, report, timeoutMs, maxUnconfirmed: maxStamps };
  return outside.flatMap(({ level, ...own }) =>
    level === undefined
      ? []
      : [
          new LowerLevel({
            ...common,
            ...own,
            level,
            trace: (operation, run) => tracing.call(own.name, operation, run),
          }),
        ],
  );
}

function toCacheOptions(
  level: ResolvedLevelOptions,
  { clock, report, lockTimeoutMs }: ResolvedHierarchyOptions,
): ConstructorParameters<typeof EnhancedAsyncTTLCache>[0] {
  const { ring, ttlMs, sweepEveryMs, maxEntries, maxWorkers, maxBytes, maxEntryBytes, weigh } =
    level;
  return {
    ...ring,
    maxBytes,
    maxEntryBytes,
    weigh,
    ttl: ttlMs,
    maxEntries,
    maxWorkers,
    cleanupInterval: sweepEveryMs === Infinity ? false : sweepEveryMs,
    lockTimeout: lockTimeoutMs,
    clock,
    report,
  };
}
