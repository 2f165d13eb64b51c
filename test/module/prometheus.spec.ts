import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Gauge, register, Registry, type OpenMetricsContentType } from 'prom-client';
import { CacheHierarchy, CacheHierarchyModule, getCacheToken } from 'nestjs-cache-hierarchy';
import {
  CachePrometheusModule,
  collectCaches,
  type CachePrometheusOptions,
} from 'nestjs-cache-hierarchy/prometheus';
import { ChaosLevel, FakeClock, MapLevel } from 'nestjs-cache-hierarchy/testing';
import { MAX_TOLD_SHARDS, SHARD_FIGURES } from '../../lib/telemetry/cache-figures.js';
import { DEFAULT_PREFIX } from '../../lib/telemetry/collect-caches.js';
import { prometheusName } from '../../lib/telemetry/collected-metric.js';
import { bootAlone, closeAll } from './boot.js';

afterEach(async () => {
  await closeAll();
  register.clear();
  jest.restoreAllMocks();
});

/** The value of a series, as it is written. */
async function seriesOf(registry: Registry, series: string): Promise<number | undefined> {
  const lines = (await registry.metrics()).split('\n');
  const line = lines.find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

/** The values of all series of a metric. */
function valuesOf(text: string, name: string): number[] {
  const lines = text.split('\n').filter((line) => line.startsWith(`${DEFAULT_PREFIX}${name}{`));
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' '))));
}

function labelsIn(text: string): string[] {
  const names = [...text.matchAll(/[{,](\w+)="/g)].map(([, name]) => name!);
  return [...new Set(names)].toSorted();
}

async function bootWith(options: CachePrometheusOptions): Promise<CacheHierarchy> {
  @Module({ imports: [CacheHierarchyModule.forFeature([{ name: 'users' }])] })
  class UsersModule {}

  const app = await bootAlone({
    imports: [CacheHierarchyModule.forRoot(), CachePrometheusModule.forRoot(options), UsersModule],
  });
  await app.get<CacheHierarchy>(getCacheToken('users'), { strict: false }).get('absent');
  return app.get(CacheHierarchy);
}

describe(CachePrometheusModule.name, () => {
  it('tells of every cache of the application', async () => {
    const registry = new Registry();
    const cache = await bootWith({ registry });
    await cache.getOrSet('key', () => 1);
    await cache.getOrSet('key', () => 1);

    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="default"}')).toBe(2);
    expect(await seriesOf(registry, 'cache_hierarchy_hits_total{cache="default"}')).toBe(1);
    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="users"}')).toBe(1);
    const missed = 'cache_hierarchy_misses_total{cache="users",reason="absent"}';
    expect(await seriesOf(registry, missed)).toBe(1);
    const entries = 'cache_hierarchy_level_entries{cache="default",level="L1"}';
    expect(await seriesOf(registry, entries)).toBe(1);
  });

  it('uses the registry of prom-client unless it is told another, and leaves it at the end', async () => {
    await bootWith({});
    expect(await register.metrics()).toContain('cache_hierarchy_gets_total');

    await closeAll();

    expect((await register.metrics()).trim()).toBe('');
  });

  it('takes options from a factory', async () => {
    const registry = new Registry();
    await bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CachePrometheusModule.forRootAsync({ useFactory: () => ({ registry, prefix: 'app_' }) }),
      ],
    });

    expect(await seriesOf(registry, 'app_gets_total{cache="default"}')).toBe(0);
  });

  it('refuses bad options', () => {
    const bad = { prefix: '1 2', registry: {}, shard: true };

    expect(() => collectCaches({}, bad as unknown as CachePrometheusOptions)).toThrow(
      /prefix.*registry.*shard/s,
    );
  });

  it('tells the default cache from a named one of that name', async () => {
    const registry = new Registry();
    await bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheHierarchyModule.forFeature([{ name: 'default' }]),
        CachePrometheusModule.forRoot({ registry }),
      ],
    });

    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="default"}')).toBe(0);
    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="default (named)"}')).toBe(0);
  });
});

describe(collectCaches.name, () => {
  it('writes times as histograms in seconds', async () => {
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    const registry = new Registry();
    collectCaches({ places: cache }, { registry });
    await cache.getOrSet('key', () => 1);

    const { loadTimes } = cache.getMetrics();
    const name = 'cache_hierarchy_load_duration_seconds';
    const text = await registry.metrics();
    const buckets = [...text.matchAll(/load_duration_seconds_bucket\{le="?([^",]+).*\} (\d+)/g)];

    expect(text).toContain(`# TYPE ${name} histogram`);
    expect(await seriesOf(registry, `${name}_count{cache="places"}`)).toBe(1);
    expect(await seriesOf(registry, `${name}_sum{cache="places"}`)).toBe(loadTimes.sumMs / 1_000);
    expect(buckets).toHaveLength(loadTimes.buckets.length);
    expect(buckets[0]![1]).toBe('0.0001');
    expect(buckets.at(-1)!.slice(1)).toEqual(['+Inf', '1']);
    expect(text).toContain('cache_hierarchy_level_answer_duration_seconds_count');
  });

  it('writes OpenMetrics, too', async () => {
    await using cache = new CacheHierarchy();
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const stop = collectCaches({ places: cache }, { registry });
    await registry.metrics();
    const text = await registry.metrics();

    expect(text).toContain('# TYPE cache_hierarchy_gets counter');
    expect(text).toContain('cache_hierarchy_gets_total{cache="places"} 0');
    stop();
    expect((await registry.metrics()).trim()).toBe('# EOF');
  });

  it('shows one moment in all figures, and another in the next collection', async () => {
    await using cache = new CacheHierarchy();
    const registry = new Registry();
    let asked = 0;
    collectCaches(() => ({ [`at${(asked += 1)}`]: cache }), { registry });

    const first = await registry.metrics();
    const second = await registry.metrics();

    expect([first.includes('at2'), second.includes('at1'), asked]).toEqual([false, false, 2]);
  });

  it('has counters that never fall: a read under way is no miss that is taken back', async () => {
    const remote = new ChaosLevel({ level: new MapLevel(), delay: 20 });
    await using cache = new CacheHierarchy({ remote });
    await remote.write(new Map([['key', entryOf('there')]]));
    const registry = new Registry();
    collectCaches({ places: cache }, { registry });
    const reading = cache.get('key');
    const counters = async (): Promise<Map<string, number>> => {
      const metrics = (await registry.getMetricsAsJSON()) as unknown as Counter[];
      return new Map(
        metrics
          .filter(({ type }) => type === 'counter')
          .flatMap(({ name, values }) =>
            values.map(({ labels, value }) => [name + JSON.stringify(labels), value] as const),
          ),
      );
    };

    const before = await counters();
    expect(await reading).toBe('there');

    for (const [series, value] of await counters())
      expect([series, value >= before.get(series)!]).toEqual([series, true]);
  });

  it('starts its counters anew after resetMetrics, which a rate takes for a restart', async () => {
    await using cache = new CacheHierarchy();
    const registry = new Registry();
    collectCaches({ places: cache }, { registry });
    await cache.get('key');
    cache.resetMetrics();

    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="places"}')).toBe(0);
    registry.resetMetrics();
    await cache.get('key');
    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="places"}')).toBe(1);
  });

  it('tells of single shards only when it is asked to, and of a bounded number', async () => {
    await using cache = new CacheHierarchy({ l1: { numShards: 100, maxEntries: 100_000 } });
    const [plain, sharded] = [new Registry(), new Registry()];
    collectCaches({ places: cache }, { registry: plain });
    collectCaches({ places: cache }, { registry: sharded, shards: true });

    expect(await plain.metrics()).not.toContain('_shard_');
    const text = await sharded.metrics();
    const shards = text.split('\n').filter((line) => /shard_entries\{.*level="L1"/.test(line));
    expect(shards).toHaveLength(MAX_TOLD_SHARDS);
  });

  it('tells of shards what comes to that of their level', async () => {
    const clock = new FakeClock();
    await using cache = new CacheHierarchy({
      clock,
      report: () => {},
      l1: { numShards: 4, maxEntries: 20, maxBytes: 1_000, weigh: () => 10, cleanupInterval: '1m' },
      l2: false,
    });
    const registry = new Registry();
    collectCaches({ places: cache }, { registry, shards: true });
    for (let at = 0; at < 10; at++) await cache.set(`short ${at}`, at, { ttl: '1s' });
    await clock.advance(120_000);
    for (let at = 0; at < 30; at++) await cache.getOrSet(`key ${at}`, () => at);
    for (let at = 0; at < 30; at++) await cache.get(`key ${at}`);

    const text = await registry.metrics();

    const sums = SHARD_FIGURES.filter(({ labels }) => labels.includes('level')).map((figure) => {
      const name = prometheusName(figure);
      const ofShards = valuesOf(text, name).reduce((sum, value) => sum + value, 0);
      return [name, ofShards, valuesOf(text, name.replace('shard', 'level'))[0]];
    });
    expect(sums.map(([name, , ofLevel]) => [name, ofLevel, ofLevel])).toEqual(sums);
    expect(Object.fromEntries(sums)).toMatchObject({
      shard_entries: 20,
      shard_memory_bytes: 200,
      shard_stores_total: 40,
      shard_evictions_total: 10,
      shard_expirations_total: 10,
    });
  });

  it('has no label made of keys, values or tags, whatever those are', async () => {
    const hostile = ['<script>alert("1")</script>', 'k'.repeat(1_000), '"} 1\\', 'ключ'];
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    const registry = new Registry();
    collectCaches({ places: cache }, { registry, shards: true });
    const lines = (text: string): number => text.split('\n').length;
    await cache.update('warm', () => 1);
    const before = await registry.metrics();
    for (const key of hostile) {
      await cache.getOrSet(key, () => key, { tags: key.slice(0, 200) });
      await cache.namespace('ns').update(key, () => key);
      await cache.invalidateTags(key.slice(0, 200));
    }

    const after = await registry.metrics();

    expect(lines(after)).toBeLessThanOrEqual(lines(before) + MAX_TOLD_SHARDS);
    expect(labelsIn(after)).toEqual(['cache', 'le', 'level', 'reason', 'shard']);
    for (const key of hostile) expect(after).not.toContain(key);
  });

  it('has no lag before everything was known once', async () => {
    let lagMs = Infinity;
    const feed = {
      groups: 1,
      maxStaleMs: 1_000,
      groupOf: () => 0,
      isProven: () => true,
      provenAgoMs: () => lagMs,
      stop: () => {},
    };
    const remote = Object.assign(new MapLevel(), { follow: () => feed });
    await using cache = new CacheHierarchy({ remote });
    const registry = new Registry();
    collectCaches({ places: cache }, { registry });
    const lag = 'cache_hierarchy_coherence_lag_seconds{cache="places"}';
    expect(await seriesOf(registry, lag)).toBeUndefined();

    lagMs = 500;

    expect(await seriesOf(registry, lag)).toBe(0.5);
  });

  it('leaves out what throws, and tells so once', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue();
    await using cache = new CacheHierarchy();
    const broken = Object.create(cache) as CacheHierarchy;
    broken.getMetrics = () => {
      throw new Error('broken');
    };
    const registry = new Registry();
    let caches = (): Record<string, CacheHierarchy> => ({ broken, places: cache });
    collectCaches(() => caches(), { registry });

    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="places"}')).toBe(0);
    caches = () => {
      throw new Error('none');
    };
    expect(await registry.metrics()).not.toContain('places');

    const told = warn.mock.calls.map(([, options]) => options);
    expect(told).toMatchObject([{ code: 'CACHE_TELEMETRY_FAILED' }]);
  });

  it('registers nothing where the registry has a metric of one of the names', () => {
    const registry = new Registry();
    const name = 'cache_hierarchy_coherence_proven';
    const own = new Gauge({ name, help: 'of somebody else', registers: [registry] });

    expect(() => collectCaches({}, { registry })).toThrow(
      `must have no metric of these names: register the caches once, or with a registry or a prefix of their own, got one with ${name}`,
    );
    expect(registry.getMetricsAsArray()).toEqual([own]);
    expect(() => collectCaches({}, { registry, prefix: 'other_' })).not.toThrow();
  });

  it('takes off its own metrics, once', async () => {
    const registry = new Registry();
    const stop = collectCaches({}, { registry });
    stop();
    await using cache = new CacheHierarchy();
    collectCaches({ places: cache }, { registry });

    stop();

    expect(await seriesOf(registry, 'cache_hierarchy_gets_total{cache="places"}')).toBe(0);
  });
});

interface Counter {
  readonly name: string;
  readonly type: string;
  readonly values: readonly { readonly labels: object; readonly value: number }[];
}

function entryOf(value: string) {
  return { value, bornAt: performance.now(), freshUntil: Infinity, staleUntil: Infinity };
}
