import type { CachesNow } from '../binding/named-caches.js';
import type { CacheHierarchy, HierarchyMetrics } from '../hierarchy/cache-hierarchy.js';
import { metricsSince } from '../hierarchy/metrics-since.js';
import { detailOf } from './cache-detail.js';
import { sampleOf } from './cache-sample.js';
import type { CacheInfo, CacheSample, DashboardSample, HotKey } from './dashboard-state.js';

/** A quarter of an hour, at a sample a second. */
const MAX_SAMPLES = 900;

/** What a {@link DashboardRecorder} is made of. */
export interface DashboardRecorderPorts {
  readonly caches: CachesNow;
  /** The hottest keys of a cache. */
  readonly hotKeysOf: (cache: string) => readonly HotKey[];
}

/** A cache as it was when the last sample was taken. */
interface Seen {
  readonly name: string;
  readonly cache: CacheHierarchy;
  readonly metrics: HierarchyMetrics;
}

/** Takes samples of caches and keeps those of the last quarter of an hour. Between them it costs nothing. */
export class DashboardRecorder {
  readonly #ports: DashboardRecorderPorts;
  /** The samples before the last one as JSON, oldest first: a page that opens is not to wait for that. */
  readonly #earlier: string[] = [];
  #last: DashboardSample | undefined;
  #seen: readonly Seen[] = [];

  constructor(ports: DashboardRecorderPorts) {
    this.#ports = ports;
  }

  /** Takes a sample of what has happened since the last one, or at first since the counters began. */
  sample(at: number): void {
    const before = new Map(this.#seen.map(({ cache, metrics }) => [cache, metrics]));
    this.#seen = Object.entries(this.#ports.caches()).map(([name, cache]) => ({
      name,
      cache,
      metrics: cache.getMetrics(),
    }));
    const caches = this.#seen.map(({ name, cache, metrics }): [string, CacheSample] => {
      const earlier = before.get(cache);
      const then = earlier === undefined ? metrics : metricsSince(earlier, metrics);
      return [name, sampleOf(then, metrics)];
    });
    if (this.#last !== undefined) this.#earlier.push(JSON.stringify(this.#last));
    if (this.#earlier.length === MAX_SAMPLES) this.#earlier.shift();
    this.#last = { at, caches: Object.fromEntries(caches) };
  }

  /** The caches that the last sample is of. */
  caches(): CacheInfo[] {
    return this.#seen.map(({ name, cache, metrics }) => ({
      name,
      active: cache.active,
      levels: Object.keys(metrics.answered),
      advice: cache.advice.map(({ code, message }) => ({ code, message })),
    }));
  }

  /** The samples that are kept as JSON, oldest first; the last one is told in detail. */
  history(): string {
    return `[${[...this.#earlier, ...this.latest().map((one) => JSON.stringify(one))].join(',')}]`;
  }

  /** The last sample in detail; none before the first one was taken. */
  latest(): readonly DashboardSample[] {
    if (this.#last === undefined) return [];
    const { at, caches } = this.#last;
    const detailed = this.#seen.map(({ name, cache, metrics }): [string, CacheSample] => {
      const detail = detailOf(cache, metrics, this.#ports.hotKeysOf(name));
      return [name, { ...caches[name]!, detail }];
    });
    return [{ at, caches: Object.fromEntries(detailed) }];
  }
}
