import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { hitRatio, lru, optimalHitRatio, type Cache } from './policies.js';
import { libraryHitRatio } from './replay.js';
import {
  generatedTraces,
  pointOf,
  recordedFigures,
  recordedTraces,
  withScans,
  type Trace,
} from './traces.js';
import { zipfRequests } from '../workload.js';

/** Hits in percent at one size of a cache on one trace. */
export interface Point {
  readonly trace: string;
  readonly size: number;
  readonly recorded: boolean;
  /** By subject; `undefined` where nobody has recorded one. */
  readonly hits: Readonly<Record<Subject, number | undefined>>;
}

export type Subject =
  | 'library'
  | 'LRU'
  | 'optimum'
  | 'Caffeine 3.2.2'
  | 'bit2 simulated'
  | '8 shards'
  | 'default shards, 100 entries'
  | 'one shard, 100 entries'
  | 'default shards, 500 entries'
  | 'one shard, 500 entries';

/** What a cold scan costs the requests that are not part of it, in points. */
export interface ScanCost {
  readonly size: number;
  readonly without: number;
  readonly with: number;
}

/** Fewer entries than this are too few for a shard, and they share tables. */
const MIN_ENTRIES_PER_SHARD = 128;
const SHARDS = 8;
const NORMAL_KEYS = 100_000;
const SMALL = [100, 500] as const;

/** Replays every trace at each of its sizes; `folder` holds recorded ones, if it is given. */
export async function replayAll(
  folder: string | undefined,
  onProgress: (text: string) => void,
): Promise<readonly Point[]> {
  const traces = [...(folder === undefined ? [] : recordedTraces(folder)), ...generatedTraces()];
  const caffeine = folder === undefined ? new Map<string, number>() : recordedFigures(folder);
  const simulate = await loadSimulator(folder);
  const points: Point[] = [];
  const total = traces.reduce((sum, { sizes }) => sum + sizes.length, 0);
  const startedAt = performance.now();
  for (const trace of traces) {
    const small = smallCaches(trace);
    for (const size of trace.sizes) {
      const leftMs = ((performance.now() - startedAt) / points.length) * (total - points.length);
      const left = points.length === 0 ? '' : `, ${Math.ceil(leftMs / 1_000)} s left`;
      onProgress(`[${points.length + 1}/${total}${left}] ${pointOf(trace.name, size)}`);
      const recorded = caffeine.get(pointOf(trace.name, size));
      points.push({
        trace: trace.name,
        size,
        recorded: trace.recorded,
        hits: { ...replay(trace, size, simulate), ...small, 'Caffeine 3.2.2': recorded },
      });
    }
  }
  return points;
}

/** Zipf traffic with a scan of 20,000 cold keys behind every 30,000 requests, and without. */
export function scanCosts(): readonly ScanCost[] {
  const normal = zipfRequests({
    keys: NORMAL_KEYS,
    requests: 1_000_000,
    seed: 42,
    exponent: 0.9,
  });
  const scanned = withScans(normal, 30_000, 20_000);
  return [10_000, 25_000].map((size) => {
    const options = { maxEntries: size, numShards: 1 };
    return {
      size,
      without: libraryHitRatio(normal, options),
      with: libraryHitRatio(scanned, options, (key) => key < NORMAL_KEYS),
    };
  });
}

function replay(
  { requests }: Trace,
  size: number,
  simulate: Simulator | undefined,
): Pick<Point['hits'], 'library' | 'LRU' | 'optimum' | 'bit2 simulated' | '8 shards'> {
  const isLarge = size >= SHARDS * MIN_ENTRIES_PER_SHARD;
  return {
    library: libraryHitRatio(requests, { maxEntries: size, numShards: 1 }),
    LRU: hitRatio(requests, lru(size)),
    optimum: optimalHitRatio(requests, size),
    'bit2 simulated':
      simulate === undefined ? undefined : hitRatio(requests, simulate(requests, size)),
    '8 shards': isLarge
      ? libraryHitRatio(requests, { maxEntries: size, numShards: SHARDS })
      : undefined,
  };
}

/** Small caches with as many shards as they have by default, beside one shard. */
function smallCaches({
  requests,
}: Trace): Omit<Point['hits'], keyof ReturnType<typeof replay> | 'Caffeine 3.2.2'> {
  const [few, more] = SMALL.map((maxEntries) => ({
    byDefault: libraryHitRatio(requests, { maxEntries }),
    one: libraryHitRatio(requests, { maxEntries, numShards: 1 }),
  }));
  return {
    'default shards, 100 entries': few!.byDefault,
    'one shard, 100 entries': few!.one,
    'default shards, 500 entries': more!.byDefault,
    'one shard, 500 entries': more!.one,
  };
}

type Simulator = (requests: Uint32Array, size: number) => Cache;

/** A simulator of the policy beside the traces, if there is one: the model that we are to match. */
async function loadSimulator(folder: string | undefined): Promise<Simulator | undefined> {
  const file = folder === undefined ? undefined : join(folder, 'hitsim.mjs');
  if (file === undefined || !existsSync(file)) return undefined;
  const { BitTLFU } = (await import(pathToFileURL(file).href)) as SimulatorModule;
  return (requests, size) => {
    const unique = requests.reduce((most, key) => Math.max(most, key), 0) + 1;
    const policy = new BitTLFU(size, unique, { max: 3 });
    return (key) => policy.access(key);
  };
}

interface SimulatorModule {
  readonly BitTLFU: new (
    size: number,
    unique: number,
    options: { readonly max: number },
  ) => { access(key: number): boolean };
}
