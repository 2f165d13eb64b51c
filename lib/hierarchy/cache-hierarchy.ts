import type { LevelName } from '../levels/cache-level.js';
import type { EnhancedAsyncTTLCache } from '../memory/enhanced-async-ttl-cache.js';
import type { LockMetrics } from '../memory/shard-lock-manager.js';
import type { TableMetrics } from '../memory/table-metrics.js';
import type { CacheReport } from '../report.js';
import { Sweeper, type Sweepable } from '../memory/sweeper.js';
import { assemble, type Assembly, type AssemblySettings } from './assembly.js';
import { CacheNamespace } from './cache-namespace.js';
import { readHold, type HoldOptions } from './call-options.js';
import { readTags } from './entry-tags.js';
import type { CoherenceMetrics } from './coherence.js';
import { CacheView } from './cache-view.js';
import type { HierarchyCore } from './hierarchy-core.js';
import {
  resolveHierarchyOptions,
  type CacheHierarchyOptions,
  type HierarchyEdge,
} from './hierarchy-options.js';
import { metricsSince } from './metrics-since.js';
import type { LowerLevelMetrics } from './lower-level.js';
import type { OperationMetrics } from './operation-metrics.js';
import { adviceOn } from './options-advisor.js';

/** What a hierarchy has done since the start, or since its counters were reset. */
export interface HierarchyMetrics extends OperationMetrics {
  /** How often the counters were reset: those of snapshots that differ in it have nothing to do with each other. */
  readonly resets: number;
  /** Callers who joined another caller's load. */
  readonly joins: number;
  /** Loaded or written values not stored because of an invalidation meanwhile. */
  readonly fenced: number;
  /** Loads, sets and updates under way now. */
  readonly inFlight: number;
  readonly locks: LockMetrics;
  /** The figures of the levels in memory. A level is asked only when those above it had a miss. */
  readonly levels: { readonly L1: TableMetrics; readonly L2?: TableMetrics };
  /** Calls of levels of your own that failed, or took longer than `levelTimeout`. */
  readonly levelFailures: number;
  /** Those of the levels outside this process. */
  readonly lower: Partial<Record<LevelName, LowerLevelMetrics>>;
  /** What is known of what other processes change; `undefined` where no level tells. */
  readonly coherence: CoherenceMetrics | undefined;
}

/** What the Nest edge, or a test, has in place of a part of a hierarchy. */
export interface HierarchyInternals extends HierarchyEdge, AssemblySettings {
  /** Sweeps the levels instead of a sweeper of the hierarchy's own. */
  readonly sweeper?: Sweeper;
}

/**
 * A cache made of levels: a call asks L1, then L2, then the remote if there is one, then the loader, once,
 * however many callers wait.
 *
 * `delete`, `clear` and `invalidateTags` take effect in the synchronous part of their call: once
 * called, no value is stored or returned whose load, `set` or `update` was called before. `expire` does
 * the same and keeps an entry with grace as a stale value. Reads,
 * deletes, tags and clears never wait for a lock; `set` and `update` of one key take turns.
 *
 * Close it when it is no longer needed: its timer does not keep the process alive, but the cache.
 */
export class CacheHierarchy extends CacheView implements AsyncDisposable {
  /** The first level, for inspection: writing to it directly bypasses the fencing. */
  readonly l1: EnhancedAsyncTTLCache<unknown>;
  /** The second level, for inspection; `null` if there is none, or one of your own. */
  readonly l2: EnhancedAsyncTTLCache<unknown> | null;
  /** What was advised on its options when it was made: legal ones that do not go together. */
  readonly advice: readonly CacheReport[];
  readonly #core: HierarchyCore;
  readonly #parts: Assembly;
  /** The levels as the sweeper knows them. */
  readonly #swept: readonly Sweepable[];
  readonly #sweeper: Sweeper;
  readonly #ownsSweeper: boolean;
  /** What had been counted when the counters were reset. */
  #baseline: HierarchyMetrics | undefined;
  #resets = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param options every one has a default
   * @throws {InvalidOptionsError} with everything that is wrong with them
   */
  constructor(options?: CacheHierarchyOptions);
  /** @internal */
  constructor(options: CacheHierarchyOptions | undefined, internals: HierarchyInternals);
  constructor(options: CacheHierarchyOptions = {}, internals: HierarchyInternals = {}) {
    const resolved = resolveHierarchyOptions(options, internals);
    const parts = assemble(resolved, internals, () => this);
    super(parts.core, '');
    this.#core = parts.core;
    this.l1 = parts.l1;
    this.l2 = parts.l2;
    this.#parts = parts;
    this.#sweeper = internals.sweeper ?? new Sweeper(parts.options);
    this.#ownsSweeper = internals.sweeper === undefined;
    this.#swept = parts.levels.map((level) => sweepableOf(level, parts.options.name));
    // Where nothing is cached nothing expires.
    if (parts.options.enabled) for (const swept of this.#swept) this.#sweeper.add(swept);
    if (this.#ownsSweeper) this.#sweeper.start();
    this.advice = adviceOn(parts.options);
    for (const advice of this.advice) parts.options.report(advice);
  }

  /** Whether it is closed, or closing. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Makes every entry that carries one of the tags a miss, in the call and in time that does not
   * depend on how many there are. What was being loaded, set or updated with one is not stored.
   *
   * @throws {InvalidArgumentError} for a bad tag or option
   */
  async invalidateTags(tags: string | readonly string[], options?: HoldOptions): Promise<void> {
    await this.#core.invalidations.invalidateTags(readTags(tags), readHold(options));
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
    const removed = await Promise.all(this.#swept.map((swept) => this.#sweeper.sweepNow(swept)));
    return removed.reduce((sum, count) => sum + count, 0);
  }

  /** What the hierarchy has done since the start, or since {@link resetMetrics}, and how it is now. */
  getMetrics(): HierarchyMetrics {
    const counted = this.#count();
    return this.#baseline === undefined ? counted : metricsSince(this.#baseline, counted);
  }

  /** Counts from zero again. What tells how things are now stays: entries, bytes, what is under way. */
  resetMetrics(): void {
    for (const cache of [this.l1, this.l2]) cache?.table.resetMetrics();
    this.#resets += 1;
    this.#baseline = this.#count();
  }

  #count(): HierarchyMetrics {
    const { lower, guarded, coherence } = this.#parts;
    return {
      ...this.#core.getMetrics(),
      resets: this.#resets,
      levels: {
        L1: this.l1.table.getMetrics(),
        ...(this.l2 === null ? {} : { L2: this.l2.table.getMetrics() }),
      },
      levelFailures: lower.failures + (guarded?.failures ?? 0),
      lower: lower.getMetrics(),
      coherence: coherence.getMetrics(),
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
    for (const swept of this.#swept) this.#sweeper.remove(swept);
    if (this.#ownsSweeper) this.#sweeper.stop();
    await this.#core.close();
  }
}

/** One sweeper may sweep the levels of several caches: those of a named one bear its name. */
function sweepableOf(level: Sweepable, cacheName: string | undefined): Sweepable {
  if (cacheName === undefined) return level;
  return {
    name: `${cacheName} ${level.name}`,
    sweepEveryMs: level.sweepEveryMs,
    sweep: (budgetMs, anew) => level.sweep(budgetMs, anew),
  };
}
