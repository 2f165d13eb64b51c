import type { TimeHistogram } from '../dashboard-state.js';

/** A quantile of a histogram, as exact as its buckets. */
export interface Quantile {
  readonly ms: number;
  /** It lies in the last bucket, which has no upper bound: it is more than `ms`. */
  readonly isMore: boolean;
}

/** Mean of all times, or `undefined` where nothing was timed. */
export function meanMs({ count, sumMs }: TimeHistogram): number | undefined {
  return count === 0 ? undefined : sumMs / count;
}

/**
 * Estimates a quantile, between 0 and 1, as Prometheus' `histogram_quantile` does: the times of a bucket are
 * taken as spread evenly over it. Returns `undefined` where nothing was timed.
 */
export function quantile(
  histogram: TimeHistogram,
  boundsMs: readonly number[],
  q: number,
): Quantile | undefined {
  const total = histogram.buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [at, bound] of boundsMs.entries()) {
    const count = histogram.buckets[at] ?? 0;
    if (count > 0 && below + count >= rank) {
      const lower = boundsMs[at - 1] ?? 0;
      return { ms: lower + (bound - lower) * ((rank - below) / count), isMore: false };
    }
    below += count;
  }
  return { ms: boundsMs.at(-1) ?? 0, isMore: true };
}

/** A bar of a histogram. */
export interface Bar {
  /** Exclusive. */
  readonly fromMs: number;
  /** Inclusive; `undefined` for the last bucket. */
  readonly toMs: number | undefined;
  readonly count: number;
  /** Of all, between 0 and 1. */
  readonly share: number;
}

/** The bars between the first and the last bucket with something in it, one more on each side. */
export function barsOf(histogram: TimeHistogram, boundsMs: readonly number[]): readonly Bar[] {
  const { buckets } = histogram;
  const first = buckets.findIndex((count) => count > 0);
  if (first === -1) return [];
  const last = buckets.findLastIndex((count) => count > 0);
  const total = buckets.reduce((sum, count) => sum + count, 0);
  const bars = buckets.map((count, at) => ({
    fromMs: boundsMs[at - 1] ?? 0,
    toMs: boundsMs[at],
    count,
    share: count / total,
  }));
  return bars.slice(Math.max(0, first - 1), last + 2);
}
