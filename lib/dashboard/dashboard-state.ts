/**
 * What the dashboard's server tells its page, as JSON. Types only: the page is built for the
 * browser and the server for Node.js, and both import this file.
 */

/** Name of a level, as `CacheInfo.levels` lists it. What no level holds is answered by the loader. */
export type LevelName = string;

/** What a page gets first. */
export interface DashboardHello {
  /** Random for each start of the application: a page starts its series anew when it changes. */
  readonly bootId: string;
  /** In milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now: number;
  /** Of the package. */
  readonly version: string;
  /** Time between two samples. */
  readonly intervalMs: number;
  readonly mutations: boolean;
  readonly revealsKeys: boolean;
  /** Upper bounds of the buckets of `loadTimes` and `answerTimes`; the last bucket has none. */
  readonly latencyBucketsMs: readonly number[];
  readonly caches: readonly CacheInfo[];
  /** The samples of the last 15 minutes, oldest first. */
  readonly history: readonly DashboardSample[];
  /** The newest 50, oldest first. */
  readonly activity: readonly Activity[];
}

export interface CacheInfo {
  /** `default`, or the name of a named cache. */
  readonly name: string;
  readonly active: boolean;
  /** In the order in which they are asked. */
  readonly levels: readonly LevelName[];
  readonly advice: readonly CacheAdvice[];
}

export interface CacheAdvice {
  readonly code: string;
  readonly message: string;
}

/** One second of all caches. Counts are of that second; gauges are at its end. */
export interface DashboardSample {
  readonly at: number;
  readonly caches: Readonly<Record<string, CacheSample>>;
}

export interface CacheSample {
  readonly reads: number;
  readonly hits: number;
  readonly misses: number;
  readonly loads: number;
  readonly loadFailures: number;
  /** Sum of the times of all loads. */
  readonly loadMs: number;
  readonly joins: number;
  readonly stale: number;
  readonly fenced: number;
  readonly refreshes: number;
  readonly sets: number;
  readonly deletes: number;
  readonly tagInvalidations: number;
  readonly clears: number;
  readonly expires: number;
  readonly evicted: number;
  readonly expired: number;
  readonly inFlight: number;
  readonly entries: number;
  readonly bytes: number;
  /** Reads that each level answered, in the order of `CacheInfo.levels`. */
  readonly answered: Readonly<Record<LevelName, number>>;
  /** Only in `sample` events and in the last sample of `history`, as it is heavy. */
  readonly detail?: CacheDetail;
}

/** Since the counters began, unless said otherwise. */
export interface CacheDetail {
  readonly health: 'up' | 'degraded' | 'down';
  readonly totals: CacheTotals;
  readonly missReasons: Readonly<Record<string, number>>;
  readonly loadTimes: TimeHistogram;
  readonly levels: readonly LevelDetail[];
  /** The 20 hottest; only while somebody watches. */
  readonly hotKeys: readonly HotKey[];
  /** Of a cache with a level that is shared with other processes. */
  readonly coherence?: CoherenceDetail;
}

export interface CacheTotals {
  readonly reads: number;
  readonly hits: number;
  readonly misses: number;
  readonly loads: number;
  readonly loadFailures: number;
  readonly joins: number;
  readonly stale: number;
  readonly fenced: number;
  readonly answered: Readonly<Record<LevelName, number>>;
}

export interface TimeHistogram {
  readonly count: number;
  readonly sumMs: number;
  /** How many fell into each bucket (not cumulative); bounds are `latencyBucketsMs`. */
  readonly buckets: readonly number[];
}

export interface LevelDetail {
  readonly name: LevelName;
  readonly kind: 'memory' | 'outside' | 'own';
  readonly state: 'up' | 'down';
  readonly entries?: number;
  readonly bytes?: number;
  readonly hits: number;
  readonly misses: number;
  /** Of levels outside the process. */
  readonly answerTimes?: TimeHistogram;
  readonly failures?: number;
  readonly timeouts?: number;
  readonly unconfirmed?: number;
  readonly shards?: readonly ShardDetail[];
}

export interface ShardDetail {
  readonly entries: number;
  readonly hits: number;
  readonly misses: number;
  readonly evicted: number;
  readonly expired: number;
  readonly lockWaits: number;
}

export interface HotKey {
  /** The key, or `sha256:` and 12 hexadecimal digits. */
  readonly label: string;
  /** Between 0 and 1, of the hits sampled. */
  readonly share: number;
  /** As sampled. */
  readonly hits: number;
}

export interface CoherenceDetail {
  readonly proven: boolean;
  readonly lagMs: number | null;
  readonly missed: number;
}

export interface Activity {
  readonly at: number;
  readonly cache: string;
  readonly kind: 'delete' | 'expire' | 'tags' | 'clear';
  /** Keys are hashed unless revealed, tags and namespaces are shown; cut to 200 characters. */
  readonly what: string;
  /** How many invalidations of that kind this stands for. */
  readonly count: number;
}

/** Body of a `POST actions/…`. */
export interface ActionRequest {
  readonly cache: string;
  readonly key?: string;
  readonly namespace?: readonly string[];
  readonly tags?: readonly string[];
}

export interface ActionAnswer {
  readonly ok: true;
  /** Of `inspect`: the copies found, in the order of the levels. */
  readonly entries?: readonly EntryDetail[];
}

export interface EntryDetail {
  readonly level: LevelName;
  readonly stale: boolean;
  readonly freshForMs: number | null;
  readonly keptForMs: number | null;
  readonly ageMs: number | null;
  readonly tags: readonly string[];
  /** As text, cut to 2,000 characters. */
  readonly value: string;
}
