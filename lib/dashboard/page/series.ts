import type { CacheSample, DashboardSample } from '../dashboard-state.js';

/** Hits of a single second say little where reads are few: the ratio is that of so many samples. */
const RATIO_SAMPLES = 10;

/** Figures of a cache over time, a column each; `null` where there is nothing to draw. */
export interface HistoryColumns {
  /** In seconds since the epoch, as the charts want it. */
  readonly at: number[];
  /** Of the ten samples up to each. */
  readonly hitRatio: (number | null)[];
  /** A second, as the others. */
  readonly reads: (number | null)[];
  readonly hits: (number | null)[];
  readonly loads: (number | null)[];
  readonly failures: (number | null)[];
}

/** Lays the samples of a cache out for charts. Where samples are missing, a row of `null` breaks the lines. */
export function historyColumns(
  samples: readonly DashboardSample[],
  cache: string,
  intervalMs: number,
): HistoryColumns {
  const columns: HistoryColumns = {
    at: [],
    hitRatio: [],
    reads: [],
    hits: [],
    loads: [],
    failures: [],
  };
  const seconds = intervalMs / 1_000;
  let recent: CacheSample[] = [];
  let previousAt: number | undefined;
  for (const { at, caches } of samples) {
    const sample = caches[cache];
    if (sample === undefined) continue;
    if (previousAt !== undefined && at - previousAt > 2.5 * intervalMs) {
      addGap(columns, previousAt + intervalMs);
      recent = [];
    }
    previousAt = at;
    recent.push(sample);
    if (recent.length > RATIO_SAMPLES) recent.shift();
    columns.at.push(at / 1_000);
    columns.hitRatio.push(hitRatioOf(recent) ?? null);
    columns.reads.push(sample.reads / seconds);
    columns.hits.push(sample.hits / seconds);
    columns.loads.push(sample.loads / seconds);
    columns.failures.push(sample.loadFailures / seconds);
  }
  return columns;
}

/** Hits of all reads of the samples, or `undefined` where nothing was read. */
export function hitRatioOf(
  samples: readonly Pick<CacheSample, 'hits' | 'reads'>[],
): number | undefined {
  const reads = sumOf(samples, 'reads');
  return reads === 0 ? undefined : sumOf(samples, 'hits') / reads;
}

/** Adds a figure of all samples up. */
export function sumOf<Figure extends string>(
  samples: readonly Readonly<Record<Figure, number>>[],
  figure: Figure,
): number {
  return samples.reduce((sum, sample) => sum + sample[figure], 0);
}

/** What drawn values reach from and to; `undefined` where there is none. */
export function spanOf(
  values: readonly (number | null)[],
): { readonly low: number; readonly high: number } | undefined {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return undefined;
  const low = known.reduce((least, value) => Math.min(least, value));
  const high = known.reduce((most, value) => Math.max(most, value));
  return { low, high };
}

function addGap({ at, ...figures }: HistoryColumns, ms: number): void {
  at.push(ms / 1_000);
  for (const column of Object.values(figures)) column.push(null);
}
