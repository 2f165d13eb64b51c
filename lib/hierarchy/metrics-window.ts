import { systemClock, type Clock } from '../clock.js';
import { parseDuration, type Duration } from '../durations.js';
import type { HierarchyMetrics } from './cache-hierarchy.js';
import { metricsSince } from './metrics-since.js';

/** Options of a {@link MetricsWindow}. */
export interface MetricsWindowOptions {
  /** How far back it looks. */
  readonly over: Duration;
  /** @default the process's own time */
  readonly clock?: Clock;
}

/** What has happened in a window of time. */
export interface WindowMetrics {
  /**
   * How long the window is, in milliseconds: 0 with the first snapshot, less than was asked for at first, a
   * little more later.
   */
  readonly overMs: number;
  /** What has happened in it, as {@link HierarchyMetrics}. */
  readonly metrics: HierarchyMetrics;
}

/** So many snapshots are kept of a window, about. */
const SNAPSHOTS = 60;

/**
 * Tells what a cache did lately, from the snapshots that it is given: whoever wants to know asks now and
 * then. It has no timer.
 *
 * @example
 * const lastMinute = new MetricsWindow({ over: '1m' });
 * setInterval(() => console.log(lastMinute.add(cache.getMetrics()).metrics.hitRatio), 1_000);
 */
export class MetricsWindow {
  readonly #overMs: number;
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #snapshots: { readonly at: number; readonly metrics: HierarchyMetrics }[] = [];

  /** @throws {InvalidArgumentError} when `over` is no positive duration */
  constructor({ over, clock = systemClock }: MetricsWindowOptions) {
    this.#overMs = parseDuration(over);
    this.#clock = clock;
  }

  /**
   * Takes a snapshot, and returns what has happened since the one from which on the window is covered, or
   * else since the first.
   */
  add(metrics: HierarchyMetrics): WindowMetrics {
    const at = this.#clock.now();
    const last = this.#snapshots.at(-1);
    if (last === undefined || at - last.at >= this.#overMs / SNAPSHOTS)
      this.#snapshots.push({ at, metrics });
    while (this.#snapshots.length > 1 && this.#snapshots[1]!.at <= at - this.#overMs)
      this.#snapshots.shift();
    const first = this.#snapshots[0]!;
    return { overMs: at - first.at, metrics: metricsSince(first.metrics, metrics) };
  }
}
