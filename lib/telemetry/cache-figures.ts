import type { HierarchyMetrics } from '../hierarchy/cache-hierarchy.js';
import type { LatencyMetrics } from '../hierarchy/latency-histogram.js';
import type { LowerLevelMetrics } from '../hierarchy/lower-level.js';
import type { TableMetrics } from '../memory/table-metrics.js';

/** What tells the values of a figure apart beside the cache: from small sets, never keys, values or tags. */
export type FigureLabels = Readonly<Partial<Record<'level' | 'reason' | 'shard', string>>>;

/** A value of a figure. */
export interface FigurePoint<V> {
  readonly labels: FigureLabels;
  readonly value: V;
}

interface FigureOf<K extends string, V> {
  /** Words with dots, without unit. */
  readonly name: string;
  readonly kind: K;
  readonly unit?: 'seconds' | 'bytes';
  readonly help: string;
  readonly labels: readonly (keyof FigureLabels)[];
  /** How those of several processes become one. */
  readonly across: 'sum' | 'max' | 'min';
  readonly read: (metrics: HierarchyMetrics) => readonly FigurePoint<V>[];
}

/** A figure of a cache, as monitoring systems take it. */
export type CacheFigure =
  FigureOf<'counter' | 'gauge', number> | FigureOf<'histogram', LatencyMetrics>;

type Options = Partial<Pick<CacheFigure, 'unit' | 'across'>> & { readonly kind?: 'gauge' };

/** Of so many shards a level tells at most, so that the labels are bounded. */
export const MAX_TOLD_SHARDS = 64;

/** Every figure but those of single shards. */
export const CACHE_FIGURES: readonly CacheFigure[] = [
  ofCache('gets', 'Reads.', ({ gets }) => gets),
  ofCache('hits', 'Reads that a level answered.', ({ hits }) => hits),
  {
    ...common('misses', 'Reads that no level in the process answered, by reason.', {}),
    labels: ['reason'],
    read: ({ missReasons }) =>
      Object.entries(missReasons).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  ofCache('sets', 'Values stored by set, setMany and update.', ({ sets }) => sets),
  ofCache('deletes', 'Keys that were deleted.', ({ deletes }) => deletes),
  ofCache('expires', 'Keys that were expired.', ({ expires }) => expires),
  ofCache('tag.invalidations', 'Tags that were invalidated.', (one) => one.tagInvalidations),
  ofCache('clears', 'Calls of clear.', ({ clears }) => clears),
  ofCache('loads', 'Loaders called, for each key.', ({ loads }) => loads),
  ofCache('load.failures', 'Loaders that threw, for each key.', (one) => one.loadFailures),
  ofCache('load.joins', "Callers who waited for another caller's load.", ({ joins }) => joins),
  {
    ...common('load.duration', 'How long loaders took.', { unit: 'seconds' }),
    kind: 'histogram',
    read: ({ loadTimes }) => [{ labels: {}, value: loadTimes }],
  },
  ofCache('loads.waiting', 'Loaders that wait for a slot.', (one) => one.waitingLoads, {
    kind: 'gauge',
  }),
  ofCache('refreshes', 'Loads behind a hit.', ({ refreshes }) => refreshes),
  ofCache('stale.served', 'Callers who got a stale value.', ({ staleServed }) => staleServed),
  ofCache('fenced', 'Values not stored since something was invalidated.', ({ fenced }) => fenced),
  ofCache('unstored', 'Values that were not to be stored.', ({ unstored }) => unstored),
  ofCache('uncloneable', 'Values that could not be copied.', ({ uncloneable }) => uncloneable),
  ofCache('in.flight', 'Loads, sets and updates under way.', ({ inFlight }) => inFlight, {
    kind: 'gauge',
  }),
  ofCache('lock.acquisitions', 'Locks taken.', ({ locks }) => locks.acquisitions),
  ofCache('lock.contentions', 'Callers who waited for a lock.', ({ locks }) => locks.contentions),
  ofCache('lock.wait', 'How long callers waited for locks.', ({ locks }) => locks.waitMs / 1_000, {
    unit: 'seconds',
  }),
  ofCache('lock.timeouts', 'Callers who gave up a lock.', ({ locks }) => locks.timeouts),
  ofLevels('hits', 'Reads that the level answered.', ({ hits }) => hits),
  ofLevels('misses', 'Reads that the level did not answer.', ({ misses }) => misses),
  ofMemory('entries', 'Entries held.', ({ size }) => size, { kind: 'gauge' }),
  ofMemory('memory', 'What those weigh, where they are weighed.', ({ bytes }) => bytes, {
    kind: 'gauge',
    unit: 'bytes',
  }),
  ofMemory('stores', 'Entries stored.', ({ sets }) => sets),
  ofMemory('evictions', 'Entries removed to make room.', ({ evicted }) => evicted),
  ofMemory('expirations', 'Entries removed since their time had passed.', (one) => one.expired),
  ofLevels('refusals', 'Entries that the level did not take.', ({ refused }) => refused),
  ofMemory('cleanup', 'Time spent removing.', (one) => one.cleanupDurationMs / 1_000, {
    unit: 'seconds',
  }),
  ofMemory('cleanup.slices', 'Slices in which that was done.', (one) => one.cleanupSlices),
  ofMemory(
    'cleanup.longest.slice',
    'The longest of them.',
    (one) => one.longestCleanupSliceMs / 1_000,
    { kind: 'gauge', unit: 'seconds', across: 'max' },
  ),
  ofOutside('calls', 'Calls of a level outside the process.', ({ calls }) => calls),
  ofOutside('call.failures', 'Calls that failed or took too long.', ({ failures }) => failures),
  ofOutside('call.timeouts', 'Calls that took too long.', ({ timeouts }) => timeouts),
  ofOutside('calls.unsent', 'Calls not made, its circuit being open.', ({ unsent }) => unsent),
  ofOutside('calls.shed', 'Calls not made, 10,000 being waited for.', ({ shed }) => shed),
  ofOutside('unread', 'Reads not sent, for an invalidation on its way.', ({ unread }) => unread),
  ofOutside('undecodable', 'Entries that could not be read.', (one) => one.undecodable),
  ofOutside('connections.recycled', 'Connections that did not answer.', (one) => one.recycled),
  ofOutside('resubscriptions', 'How often it listened anew.', (one) => one.resubscriptions),
  {
    ...common('level.answer.duration', 'How long its answers took.', { unit: 'seconds' }),
    kind: 'histogram',
    labels: ['level'],
    read: ({ lower }) => byLevel(lower, ({ answerTimes }) => answerTimes),
  },
  ofOutside('unconfirmed', 'Invalidations not confirmed.', ({ unconfirmed }) => unconfirmed, {
    kind: 'gauge',
  }),
  ofOutside('down', '1 while the last call has failed.', ({ down }) => Number(down), {
    kind: 'gauge',
    across: 'max',
  }),
  ofOutside('circuit.open', '1 while it is left alone.', (one) => Number(one.circuit === 'open'), {
    kind: 'gauge',
    across: 'max',
  }),
  ofCoherence('changes', 'Changes of other processes.', ({ heard }) => heard),
  ofCoherence('missed', 'How often such changes were missed.', ({ missed }) => missed),
  ofCoherence('lapses', 'How often copies were not trusted.', ({ lapses }) => lapses),
  ofCoherence('proven', '1 while copies are trusted.', ({ proven }) => Number(proven), {
    kind: 'gauge',
    across: 'min',
  }),
  ofCoherence(
    'lag',
    'How long ago all changes were known; absent before that.',
    ({ lagMs }) => (lagMs === undefined ? undefined : lagMs / 1_000),
    { kind: 'gauge', unit: 'seconds', across: 'max' },
  ),
];

/** The figures of the first {@link MAX_TOLD_SHARDS} shards of each level. */
export const SHARD_FIGURES: readonly CacheFigure[] = [
  ofShards('entries', 'Entries held by the shard.', ({ size }) => size, { kind: 'gauge' }),
  ofShards('memory', 'What those weigh, where they are weighed.', ({ bytes }) => bytes, {
    kind: 'gauge',
    unit: 'bytes',
  }),
  ofShards('hits', 'Reads that the shard answered.', ({ hits }) => hits),
  ofShards('misses', 'Reads that the shard did not answer.', ({ misses }) => misses),
  ofShards('stores', 'Entries stored in the shard.', ({ sets }) => sets),
  ofShards('evictions', 'Entries of the shard removed to make room.', ({ evicted }) => evicted),
  ofShards('expirations', 'Entries of the shard removed by time.', ({ expired }) => expired),
  {
    ...common('shard.lock.contentions', 'Callers who waited for a lock of the shard.', {}),
    labels: ['shard'],
    read: ({ locks }) => byShard(locks.shards, ({ contentions }) => contentions),
  },
];

type NumberFigure = FigureOf<'counter' | 'gauge', number>;

function common(
  name: string,
  help: string,
  { kind, unit, across = 'sum' }: Options,
): Omit<NumberFigure, 'read'> {
  return { name, help, kind: kind ?? 'counter', labels: [], across, ...(unit && { unit }) };
}

function ofCache(
  name: string,
  help: string,
  read: (metrics: HierarchyMetrics) => number,
  options: Options = {},
): CacheFigure {
  return {
    ...common(name, help, options),
    read: (metrics) => [{ labels: {}, value: read(metrics) }],
  };
}

function ofLevels(
  name: string,
  help: string,
  read: (level: TableMetrics | LowerLevelMetrics) => number,
): CacheFigure {
  return {
    ...common(`level.${name}`, help, {}),
    labels: ['level'],
    read: ({ levels, lower }) => [...byLevel(levels, read), ...byLevel(lower, read)],
  };
}

function ofMemory(
  name: string,
  help: string,
  read: (level: TableMetrics) => number,
  options: Options = {},
): CacheFigure {
  return {
    ...common(`level.${name}`, help, options),
    labels: ['level'],
    read: ({ levels }) => byLevel(levels, read),
  };
}

function ofOutside(
  name: string,
  help: string,
  read: (level: LowerLevelMetrics) => number,
  options: Options = {},
): CacheFigure {
  return {
    ...common(`level.${name}`, help, options),
    labels: ['level'],
    read: ({ lower }) => byLevel(lower, read),
  };
}

function ofCoherence(
  name: string,
  help: string,
  read: (coherence: NonNullable<HierarchyMetrics['coherence']>) => number | undefined,
  options: Options = {},
): CacheFigure {
  return {
    ...common(`coherence.${name}`, help, options),
    read: ({ coherence }) => {
      const value = coherence && read(coherence);
      // The lag has no end before the first proof.
      return Number.isFinite(value) ? [{ labels: {}, value: value! }] : [];
    },
  };
}

function ofShards(
  name: string,
  help: string,
  read: (shard: TableMetrics['shards'][number]) => number,
  options: Options = {},
): CacheFigure {
  return {
    ...common(`shard.${name}`, help, options),
    labels: ['level', 'shard'],
    read: ({ levels }) =>
      Object.entries(levels).flatMap(([level, { shards }]) =>
        byShard(shards, read).map(({ labels, value }) => ({ labels: { level, ...labels }, value })),
      ),
  };
}

function byLevel<L, V>(
  levels: Readonly<Record<string, L>> | Partial<Record<string, L>>,
  read: (level: L) => V,
): FigurePoint<V>[] {
  return Object.entries(levels).flatMap(([level, metrics]) =>
    metrics === undefined ? [] : [{ labels: { level }, value: read(metrics) }],
  );
}

function byShard<S>(shards: readonly S[], read: (shard: S) => number): FigurePoint<number>[] {
  return shards
    .slice(0, MAX_TOLD_SHARDS)
    .map((metrics, shard) => ({ labels: { shard: String(shard) }, value: read(metrics) }));
}
