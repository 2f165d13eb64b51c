import type { ShardDetail } from '../dashboard-state.js';
import { formatRate, plural } from './format.js';

/** What the heat map can show of a shard, with the words for it. */
export const SHARD_FIGURES = {
  entries: 'entries',
  hits: 'hits',
  misses: 'misses',
  evicted: 'evictions',
  expired: 'expirations',
  lockWaits: 'lock waits',
} as const satisfies Record<keyof ShardDetail, string>;

/** The same words for one of each. */
const ONE = {
  entries: 'entry',
  hits: 'hit',
  misses: 'miss',
  evicted: 'eviction',
  expired: 'expiration',
  lockWaits: 'lock wait',
} as const satisfies Record<keyof ShardDetail, string>;

export type ShardFigure = keyof typeof SHARD_FIGURES;

export interface ShardHeat {
  /** One for each shard. */
  readonly cells: readonly { readonly value: number; readonly heat: number }[];
  readonly sum: number;
  readonly mean: number;
  /** Number of the shard with the most, and how often the mean it has; `undefined` if all have nothing. */
  readonly hottest: { readonly shard: number; readonly ratio: number } | undefined;
}

/** Compares shards by a figure: heat is between 0, for nothing, and 1, for the most. */
export function heatOf(shards: readonly ShardDetail[], figure: ShardFigure): ShardHeat {
  const values = shards.map((shard) => shard[figure]);
  const sum = values.reduce((total, value) => total + value, 0);
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  const mean = shards.length === 0 ? 0 : sum / shards.length;
  return {
    cells: values.map((value) => ({ value, heat: most === 0 ? 0 : value / most })),
    sum,
    mean,
    hottest: most === 0 ? undefined : { shard: values.indexOf(most), ratio: most / mean },
  };
}

/** `1 entry`, `2,000 entries` */
export function figureInWords(value: number, figure: ShardFigure): string {
  return plural(value, ONE[figure], SHARD_FIGURES[figure]);
}

/** Says how many there are, and how unevenly. */
export function wordsOf({ sum, mean, hottest, cells }: ShardHeat, figure: ShardFigure): string {
  const shards = plural(cells.length, 'shard');
  if (hottest === undefined) return `No ${SHARD_FIGURES[figure]} in ${shards}.`;
  const { shard, ratio } = hottest;
  return (
    `${figureInWords(sum, figure)} in ${shards}, ${formatRate(mean)} each on average; ` +
    `most in shard ${shard}, ${formatRate(ratio)} times the average.`
  );
}
