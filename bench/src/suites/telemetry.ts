import { subscribe } from 'node:diagnostics_channel';
import type { CacheHierarchy } from 'nestjs-cache-hierarchy';
import type { Case, Cell, Sample, Subject, Suite } from '../harness/suite.js';
import { timeAddition, timePerOperation } from '../harness/timing.js';
import { readThroughMap } from '../subjects.js';
import { hitsWithDashboard } from '../telemetry/dashboard-case.js';
import { heldKeys, zipfRequests } from '../workload.js';
import { FLOOR } from './awaited-hit.js';

const ENTRIES = 10_000;
const HITS = 500_000;
const LOADS = 10_000;
const COLLECTIONS = 100;

/** What all others are measured beside: nobody looks. */
const ALONE = 'nothing beside it';
const COUNTERS = 'the two counters of a hit, alone';

/** Begins to look at a cache; returns what is done once in each run of the loop. */
type Look = (cache: CacheHierarchy) => Promise<(() => unknown) | undefined>;

const nobody: Look = async () => undefined;

/** A snapshot for a window. */
const window: Look = async (cache) => {
  const { MetricsWindow } = await import('nestjs-cache-hierarchy');
  const lately = new MetricsWindow({ over: '1m' });
  return () => lately.add(cache.getMetrics());
};

/** A collector of prom-client, whose registry is read. */
const prometheus: Look = async (cache) => {
  const { Registry } = await import('prom-client');
  const { collectCaches } = await import('nestjs-cache-hierarchy/prometheus');
  const registry = new Registry();
  collectCaches({ places: cache }, { registry });
  return () => registry.metrics();
};

/** OpenTelemetry with spans that are made and go nowhere. */
const openTelemetry: Look = async (cache) => {
  const { BasicTracerProvider } = await import('@opentelemetry/sdk-trace-base');
  const { instrumentCaches } = await import('nestjs-cache-hierarchy/opentelemetry');
  instrumentCaches({ places: cache }, { tracer: new BasicTracerProvider().getTracer('bench') });
  return undefined;
};

/** Somebody who listens to one of the cache's channels. */
function listener(channel: 'hit' | 'miss'): Look {
  return async () => {
    const { CACHE_CHANNELS } = await import('nestjs-cache-hierarchy');
    subscribe(CACHE_CHANNELS[channel], () => {});
    return undefined;
  };
}

/** What it costs to look at a cache. */
export const telemetry: Suite = {
  name: 'telemetry',
  cases: [
    {
      name: `awaited getOrSet hit, ${ENTRIES / 1_000}k entries, repeated keys, with telemetry on and off`,
      unit: 'ns/op',
      against: [ALONE, FLOOR],
      subjects: {
        [ALONE]: hits(nobody),
        'a snapshot each half million hits': hits(window),
        'a scrape by Prometheus each half million hits': hits(prometheus),
        'OpenTelemetry registered': hits(openTelemetry),
        'a listener to misses': hits(listener('miss')),
        'a listener to hits': hits(listener('hit')),
        [COUNTERS]: counters,
        [FLOOR]: floor,
      },
    },
    {
      name: 'getOrSet of a cold key whose loader returns at once, with telemetry on and off',
      unit: 'ns/op',
      against: [ALONE],
      subjects: {
        [ALONE]: loads(nobody),
        'OpenTelemetry registered, a span of each load': loads(openTelemetry),
        'a listener to misses': loads(listener('miss')),
      },
    },
    hitsWithDashboard(),
    collections(),
  ],
};

async function open(maxEntries: number): Promise<CacheHierarchy> {
  const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
  return new CacheHierarchy({ l1: { maxEntries }, l2: false, ttl: '10m' });
}

function hits(look: Look): Subject {
  return async ({ round }) => {
    const cache = await open(ENTRIES * 2);
    const once = await look(cache);
    return timeHits(round, (key) => cache.getOrSet(key, () => key.length), once);
  };
}

/** The least that an awaited read can cost. */
async function floor({ round }: Cell): Promise<Sample> {
  const read = await openMap();
  return timeHits(round, read, undefined);
}

/** What two counters add to that: one of the cache, and one of its shard. */
async function counters({ round }: Cell): Promise<Sample> {
  const [plain, counted] = [await openMap(), await openMap()];
  const [whole, shard] = [new Counter(), new Counter()];
  const requested = await requests(round, plain);
  for (const key of requested) await counted(key);
  return timeAddition(HITS, {
    without: async () => {
      let sum = 0;
      for (const key of requested) sum += await plain(key);
      return sum;
    },
    with: async () => {
      let sum = 0;
      for (const key of requested) {
        whole.count();
        shard.count();
        sum += await counted(key);
      }
      return sum;
    },
  });
}

function openMap(): Promise<(key: string) => Promise<number>> {
  return readThroughMap(ENTRIES * 2, async (key) => key.length);
}

/** Counts as a hierarchy and its shards do. */
class Counter {
  counted = 0;

  count(): void {
    this.counted += 1;
  }
}

async function timeHits(
  round: number,
  read: (key: string) => Promise<number>,
  once: (() => unknown) | undefined,
): Promise<Sample> {
  const requested = await requests(round, read);
  return timePerOperation(HITS, async () => {
    let sum = 0;
    for (const key of requested) sum += await read(key);
    await once?.();
    return sum;
  });
}

/** Fills what is read and returns the keys of half a million reads. */
async function requests(round: number, read: (key: string) => Promise<number>): Promise<string[]> {
  const keys = heldKeys(ENTRIES);
  for (const key of keys) await read(key);
  const ids = zipfRequests({ keys: ENTRIES, requests: HITS, seed: round });
  return Array.from(ids, (id) => keys[id]!);
}

function loads(look: Look): Subject {
  return async () => {
    const cache = await open(LOADS);
    await look(cache);
    const keys = heldKeys(LOADS);
    return timePerOperation(LOADS, async () => {
      await cache.clear();
      let sum = 0;
      for (const key of keys) sum += await cache.getOrSet(key, () => key.length);
      return sum;
    });
  };
}

/** One collection of all the figures of a cache with two levels of eight shards. */
function collections(): Case {
  return {
    name: 'one collection of the figures of a cache',
    unit: 'ms',
    against: ['a snapshot'],
    subjects: {
      'a snapshot': collection(async (cache) => () => cache.getMetrics()),
      'a snapshot for a window': collection(window),
      'a scrape by Prometheus': collection(prometheus),
    },
  };
}

function collection(look: Look): Subject {
  return async () => {
    const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
    const once = (await look(new CacheHierarchy()))!;
    const sample = await timePerOperation(COLLECTIONS, async () => {
      for (let count = 0; count < COLLECTIONS; count++) await once();
      return COLLECTIONS;
    });
    return { ...sample, value: sample.value / 1e6 };
  };
}
