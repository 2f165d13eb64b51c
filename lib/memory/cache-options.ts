import type { ByteSize } from '../byte-sizes.js';
import { systemClock, type Clock } from '../clock.js';
import type { Duration } from '../durations.js';
import { OptionReader } from '../options.js';
import { emitProcessWarning, guardReport, type Report } from '../report.js';
import { DEFAULT_MAX_KEY_LENGTH } from './cache-key.js';
import { readRingOptions } from './consistent-hash.js';
import { randomSeed, type Hash } from './hash.js';
import type { RemovalListener } from './removal-notifier.js';
import type { RingOptions } from './ring-points.js';
import { estimateBytes } from './size-estimate.js';
import { DEFAULT_MAX_WORKERS } from './sweeper.js';

/** Options that shape an in-process cache, alone or as a level of a hierarchy. */
export interface LevelOptions<V = unknown> {
  /**
   * How long an entry lives, unless its own call says otherwise. `Infinity` for until it is evicted.
   * @default '60s', and '600s' for the L2 of a hierarchy
   */
  readonly ttl?: Duration;
  /**
   * Exact bound on the number of entries; a new one beyond it evicts one that is little used. From
   * 1 to 2^30, or `Infinity`.
   * @default 5000, and 50000 for the L2 of a hierarchy
   */
  readonly maxEntries?: number;
  /**
   * Exact bound on what all entries weigh together, beside `maxEntries`.
   * @default Infinity: nothing is weighed
   */
  readonly maxBytes?: ByteSize;
  /**
   * The most that one entry may weigh; a heavier one is not stored, and counted as `refused`. Up to
   * `maxBytes`. An entry takes out as many as it needs the room of, in one step: lower it where single
   * entries may be as heavy as very many others.
   * @default `maxBytes`
   */
  readonly maxEntryBytes?: ByteSize;
  /**
   * Returns what an entry weighs, in bytes or in whatever unit `maxBytes` is meant in; rounded up.
   * Called once for each value that is stored. An entry for which it throws, or returns no number of
   * at least 0, is not stored.
   * @default an estimate of the memory that key and value take
   */
  readonly weigh?: (value: V, key: string) => number;
  /**
   * Number of shards, from 1 to 1,024. More make each table, and so each pause, smaller; they do
   * not make a read faster. Below 512 entries each, shards share tables.
   * @default one for each 128 of `maxEntries`, at least 1 and at most 8
   */
  readonly numShards?: number;
  /**
   * Points of each shard on the hash ring, from 1 to 1,024. More spread the keys more evenly.
   * @default 150
   */
  readonly virtualNodes?: number;
  /**
   * How often expired entries are removed; `false` for only when asked. They are never served,
   * swept or not.
   * @default '30s', and '60s' for the L2 of a hierarchy
   */
  readonly cleanupInterval?: Duration | false;
  /**
   * Shards that one sweep advances side by side, from 1 to 1,024.
   * @default 4
   */
  readonly maxWorkers?: number;
  /**
   * Seed of the hash. A random one keeps keys that were made to collide in one process from
   * colliding in another.
   * @default random
   */
  readonly seed?: number;
  /** The hash of keys and ring points, 32 bits; replace it in tests. */
  readonly hash?: Hash;
}

/** Options of an {@link EnhancedAsyncTTLCache}. */
export interface CacheOptions<V = unknown> extends LevelOptions<V> {
  /**
   * Longest key, in UTF-16 code units, from 1 to 65,536.
   * @default 1024
   */
  readonly maxKeyLength?: number;
  /**
   * Longest wait for a key's lock in `set` and `update`.
   * @default '5s'
   */
  readonly lockTimeout?: Duration;
  /**
   * Hears of every entry that leaves, after the operation that it left by. It must not be slow; one
   * that throws is reported once and changes nothing.
   * @default none
   */
  readonly onRemove?: RemovalListener<V>;
  /** Where time and turns come from; replace it in tests. */
  readonly clock?: Clock;
  /** Receives what an operator should know; the process's warnings by default. */
  readonly report?: Report;
}

/** {@link LevelOptions} with everything filled in; durations in milliseconds. */
export interface ResolvedLevelOptions {
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
  /** What entries weigh, if they are weighed. */
  readonly weigh: ((value: unknown, key: string) => number) | undefined;
  readonly ring: RingOptions;
  readonly sweepEveryMs: number;
  readonly maxWorkers: number;
}

/** {@link CacheOptions} with everything filled in. */
export interface ResolvedCacheOptions extends ResolvedLevelOptions {
  readonly maxKeyLength: number;
  readonly lockTimeoutMs: number;
  readonly onRemove: RemovalListener<unknown> | undefined;
  readonly clock: Clock;
  readonly report: Report;
}

/** What differs between the levels when nothing is written. */
export interface LevelDefaults {
  readonly ttlMs: number;
  readonly maxEntries: number;
  readonly sweepEveryMs: number;
}

export const L1_DEFAULTS: LevelDefaults = {
  ttlMs: 60_000,
  maxEntries: 5_000,
  sweepEveryMs: 30_000,
};

export const L2_DEFAULTS: LevelDefaults = {
  ttlMs: 600_000,
  maxEntries: 50_000,
  sweepEveryMs: 60_000,
};

export const DEFAULT_LOCK_TIMEOUT_MS = 5_000;

/** Fewer entries than this are not worth a shard of their own. */
const MIN_ENTRIES_PER_SHARD = 128;
const MAX_DEFAULT_SHARDS = 8;

/** The methods that a replacement of the clock must have. */
export const CLOCK_METHODS = ['now', 'wallNow', 'setTimer', 'setImmediate'] as const;

/** Checks the options of a stand-alone cache. */
export function resolveCacheOptions<V>(
  options: CacheOptions<V>,
  subject = 'EnhancedAsyncTTLCache',
): ResolvedCacheOptions {
  const read = new OptionReader(subject, options);
  const report = guardReport(read.callback('report', emitProcessWarning));
  const resolved = {
    ...readLevelOptions(read, L1_DEFAULTS),
    maxKeyLength: read.integer('maxKeyLength', DEFAULT_MAX_KEY_LENGTH, { min: 1, max: 65_536 }),
    lockTimeoutMs: read.duration('lockTimeout', DEFAULT_LOCK_TIMEOUT_MS),
    onRemove: read.callback<ResolvedCacheOptions['onRemove']>('onRemove', undefined),
    clock: read.port('clock', systemClock, [...CLOCK_METHODS]),
    report,
  };
  read.finish();
  warnOfSmallShards(subject, resolved, report);
  return Object.freeze(resolved);
}

/** Reads what a cache and a level of a hierarchy share; problems are left in the reader. */
export function readLevelOptions(
  read: OptionReader,
  defaults: LevelDefaults,
): ResolvedLevelOptions {
  const maxEntries = read.integer('maxEntries', defaults.maxEntries, {
    min: 1,
    max: 2 ** 30,
    infinity: true,
  });
  return {
    ttlMs: read.duration('ttl', defaults.ttlMs),
    maxEntries,
    ...readWeights(read),
    ring: readRingOptions(read, randomSeed(), defaultShards(maxEntries)),
    sweepEveryMs:
      read.raw('cleanupInterval') === false
        ? Infinity
        : read.duration('cleanupInterval', defaults.sweepEveryMs),
    maxWorkers: read.integer('maxWorkers', DEFAULT_MAX_WORKERS, { min: 1, max: 1_024 }),
  };
}

/** Entries are weighed only where a bound asks for it. */
function readWeights(
  read: OptionReader,
): Pick<ResolvedLevelOptions, 'maxBytes' | 'maxEntryBytes' | 'weigh'> {
  const maxBytes = read.bytes('maxBytes', Infinity);
  const maxEntryBytes = read.bytes('maxEntryBytes', maxBytes);
  const weigh = read.callback<ResolvedLevelOptions['weigh']>('weigh', undefined);
  if (maxEntryBytes > maxBytes) read.reject('maxEntryBytes', 'must not be above maxBytes');
  const isBounded = maxEntryBytes !== Infinity;
  if (weigh !== undefined && !isBounded) read.reject('weigh', 'must come with maxBytes');
  return { maxBytes, maxEntryBytes, weigh: isBounded ? (weigh ?? estimateBytes) : undefined };
}

/** Says where an explicit number of shards leaves too few entries for each. */
function warnOfSmallShards(
  subject: string,
  { maxEntries, ring }: ResolvedLevelOptions,
  report: Report,
): void {
  const { numShards } = ring;
  if (numShards === 1 || maxEntries / numShards >= MIN_ENTRIES_PER_SHARD) return;
  report({
    code: 'CACHE_SMALL_SHARDS',
    message:
      `${subject}: ${numShards} shards for ${maxEntries} entries leave fewer than ` +
      `${MIN_ENTRIES_PER_SHARD} to each. They share tables, so more of them buy nothing. Write at ` +
      `most ${defaultShards(maxEntries)} for numShards, or leave it out.`,
  });
}

function defaultShards(maxEntries: number): number {
  const shards = Math.floor(maxEntries / MIN_ENTRIES_PER_SHARD);
  return Math.min(Math.max(shards, 1), MAX_DEFAULT_SHARDS);
}
