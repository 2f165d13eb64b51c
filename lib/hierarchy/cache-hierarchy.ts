import type { LevelName } from '../levels/cache-level.js';
import { GuardedLevel } from '../levels/guarded-level.js';
import { MemoryLevel } from '../levels/memory-level.js';
import { EnhancedAsyncTTLCache } from '../memory/enhanced-async-ttl-cache.js';
import type { ResolvedLevelOptions } from '../memory/cache-options.js';
import type { LockMetrics } from '../memory/shard-lock-manager.js';
import type { HandOver } from '../memory/shared-exclusive-lock.js';
import type { TableMetrics } from '../memory/table-metrics.js';
import { Sweeper, type Sweepable } from '../memory/sweeper.js';
import { CacheNamespace } from './cache-namespace.js';
import { readHold, readTags, type HoldOptions } from './call-options.js';
import { CacheView } from './cache-view.js';
import { HierarchyCore } from './hierarchy-core.js';
import {
  resolveHierarchyOptions,
  type CacheHierarchyOptions,
  type ResolvedHierarchyOptions,
} from './hierarchy-options.js';
import { LevelsBelow } from './levels-below.js';
import { isFresh } from './lifetime.js';
import { LowerLevel, type LowerLevelMetrics } from './lower-level.js';
import type { OperationMetrics } from './operation-metrics.js';
import { StampTable } from './stamp-table.js';

/** What a hierarchy has done since the start. Counters never go back. */
export interface HierarchyMetrics extends OperationMetrics {
  /** Callers who joined another caller's load. */
  readonly joins: number;
  /** Loaded or written values not stored because of an invalidation meanwhile. */
  readonly fenced: number;
  /** Loads, sets and updates under way now. */
  readonly inFlight: number;
  readonly locks: LockMetrics;
  /** The figures of the levels in memory. A level is asked only when those above it had a miss. */
  readonly levels: { readonly L1: TableMetrics; readonly L2?: TableMetrics };
  /** Those of the levels outside this process. */
  readonly below: Partial<Record<LevelName, LowerLevelMetrics>>;
}

/** What the Nest edge, or a test, has in place of a part of a hierarchy. */
export interface HierarchyInternals {
  /** Sweeps the levels instead of a sweeper of the hierarchy's own. */
  readonly sweeper?: Sweeper;
  /** When a lock is handed to who waits for it. */
  readonly handOver?: HandOver;
}

/**
 * A cache made of levels: a call asks L1, then L2, then the loader, once, however many callers wait.
 *
 * `delete`, `clear` and `invalidateTags` take effect in the synchronous part of their call: once
 * called, no value is stored or returned whose load, `set` or `update` was called before. Reads,
 * deletes, tags and clears never wait for a lock; `set` and `update` of one key take turns.
 *
 * Close it when it is no longer needed: its timer does not keep the process alive, but the cache.
 */
export class CacheHierarchy extends CacheView implements AsyncDisposable {
  /** The first level, for inspection: writing to it directly bypasses the fencing. */
  readonly l1: EnhancedAsyncTTLCache<unknown>;
  /** The second level, for inspection; `null` if there is none, or one of your own. */
  readonly l2: EnhancedAsyncTTLCache<unknown> | null;
  readonly #core: HierarchyCore;
  readonly #sweeper: Sweeper;
  readonly #ownsSweeper: boolean;
  readonly #swept: readonly Sweepable[];
  readonly #below: LevelsBelow;
  #closing: Promise<void> | undefined;

  /**
   * @param options every one has a default
   * @throws {InvalidOptionsError} with everything that is wrong with them
   */
  constructor(options?: CacheHierarchyOptions);
  /** @internal */
  constructor(options: CacheHierarchyOptions | undefined, internals: HierarchyInternals);
  constructor(options: CacheHierarchyOptions = {}, internals: HierarchyInternals = {}) {
    const parts = assemble(resolveHierarchyOptions(options), internals.handOver);
    super(parts.core, '');
    this.#core = parts.core;
    this.l1 = parts.l1;
    this.l2 = parts.l2;
    this.#swept = parts.swept;
    this.#below = parts.below;
    this.#sweeper = internals.sweeper ?? new Sweeper(parts.options);
    this.#ownsSweeper = internals.sweeper === undefined;
    for (const level of this.#swept) this.#sweeper.add(level);
    if (this.#ownsSweeper) this.#sweeper.start();
  }

  /**
   * Makes every entry that carries one of the tags a miss, in the call and in time that does not
   * depend on how many there are. What was being loaded, set or updated with one is not stored.
   *
   * @throws {InvalidArgumentError} for a bad tag or option
   */
  async invalidateTags(tags: string | readonly string[], options?: HoldOptions): Promise<void> {
    await this.#core.invalidateTags(readTags(tags), readHold(options));
  }

  /**
   * Returns the namespace of this name.
   *
   * @throws {InvalidArgumentError} when the name is not 1 to 32 characters of `A-Z a-z 0-9 . _ -`
   */
  namespace(name: string): CacheNamespace {
    return new CacheNamespace(this.#core, [], name);
  }

  /**
   * Removes expired entries from every level, in slices of about a millisecond. Nobody has to call
   * this: they are never served, and are removed from time to time.
   *
   * @returns how many, over all levels
   */
  async removeExpired(): Promise<number> {
    if (this.#closing !== undefined) return 0;
    const removed = await Promise.all(this.#swept.map((level) => this.#sweeper.sweepNow(level)));
    return removed.reduce((sum, count) => sum + count, 0);
  }

  /** What the hierarchy has done since the start. */
  getMetrics(): HierarchyMetrics {
    return {
      ...this.#core.getMetrics(),
      levels: {
        L1: this.l1.table.getMetrics(),
        ...(this.l2 === null ? {} : { L2: this.l2.table.getMetrics() }),
      },
      below: this.#below.getMetrics(),
    };
  }

  /**
   * Lets go of everything. Afterwards reads go to the loader, writes do nothing, and nothing
   * throws. Loads under way still answer their callers. Closing twice is closing once.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const level of this.#swept) this.#sweeper.remove(level);
    if (this.#ownsSweeper) this.#sweeper.stop();
    await this.#core.close();
  }
}

interface Parts {
  readonly options: ResolvedHierarchyOptions;
  readonly core: HierarchyCore;
  readonly l1: EnhancedAsyncTTLCache<unknown>;
  readonly l2: EnhancedAsyncTTLCache<unknown> | null;
  readonly swept: readonly Sweepable[];
  readonly below: LevelsBelow;
}

function assemble(options: ResolvedHierarchyOptions, handOver: HandOver | undefined): Parts {
  const stamps: StampTable = new StampTable({
    clock: options.clock,
    maxStamps: options.maxStamps,
    oldestOrder: () => core.oldestOrder,
  });
  const build = (name: string, level: ResolvedLevelOptions): EnhancedAsyncTTLCache<unknown> =>
    new EnhancedAsyncTTLCache<unknown>(toCacheOptions(level, options), {
      subject: `CacheHierarchy ${name}`,
      stamps,
    });

  const l1 = build('L1', options.l1);
  const l2 = options.l2 === undefined ? null : build('L2', options.l2);
  const levels = [
    memoryLevel('L1', l1, options.l1, options),
    ...(l2 === null ? [] : [memoryLevel('L2', l2, options.l2!, options)]),
    ...guardedLevels(options, stamps),
  ];
  const below = new LevelsBelow(lowerLevels(options), options.clock);
  const core: HierarchyCore = new HierarchyCore({
    ...options,
    levels,
    below,
    stamps,
    handOver,
    shardOf: (key) => l1.table.shardOf(key),
  });
  return { options, core, l1, l2, swept: levels, below };
}

/** The lowest level in this process keeps what is stale; whatever has a level below keeps copies. */
function memoryLevel(
  name: 'L1' | 'L2',
  cache: EnhancedAsyncTTLCache<unknown>,
  { ttlMs, sweepEveryMs }: ResolvedLevelOptions,
  { l2, customL2, remote, slide, clock }: ResolvedHierarchyOptions,
): MemoryLevel {
  const hasL2 = name === 'L1' && (l2 !== undefined || customL2 !== undefined);
  const hasBelow = hasL2 || remote !== undefined;
  const keepsStale = name === 'L2' || (l2 === undefined && customL2?.inProcess !== true);
  const copyTtlMs = hasBelow ? ttlMs : undefined;
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

function guardedLevels(
  { customL2, clock, report, maxStamps }: ResolvedHierarchyOptions,
  stamps: StampTable,
): GuardedLevel[] {
  if (customL2?.inProcess !== true) return [];
  return [
    new GuardedLevel({
      name: 'L2',
      level: customL2,
      clock,
      report,
      admits: (key, { order, tags }) => stamps.admits(key, { order, tags }),
      isLive: (entry) => isFresh(entry, clock),
      maxOwed: maxStamps,
    }),
  ];
}

function lowerLevels(options: ResolvedHierarchyOptions): LowerLevel[] {
  const { customL2, remote, clock, report, levelTimeoutMs: timeoutMs, maxStamps } = options;
  const outside = [
    { name: 'L2', level: customL2?.inProcess === false ? customL2 : undefined },
    { name: 'remote', level: remote },
  ] as const;
  return outside.flatMap(({ name, level }) =>
    level === undefined
      ? []
      : [new LowerLevel({ name, level, clock, report, timeoutMs, maxUnconfirmed: maxStamps })],
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
