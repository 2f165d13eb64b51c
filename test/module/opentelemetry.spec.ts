import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  context,
  diag,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Context,
  type ContextManager,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { CacheHierarchy, CacheHierarchyModule, getCacheToken } from 'nestjs-cache-hierarchy';
import {
  CacheOpenTelemetryModule,
  instrumentCaches,
  type CacheOpenTelemetryOptions,
} from 'nestjs-cache-hierarchy/opentelemetry';
import { ChaosLevel, FakeClock, MapLevel } from 'nestjs-cache-hierarchy/testing';
import { bootAlone, closeAll } from './boot.js';

/** The context goes along with what is awaited. */
class StorageContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => run.call(self, ...args));
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

let spans: InMemorySpanExporter;
let tracer: Tracer;
let exporter: InMemoryMetricExporter;
let provider: MeterProvider;
let meter: Meter;
let ends: (() => void)[];

beforeEach(() => {
  context.setGlobalContextManager(new StorageContextManager());
  spans = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(spans)];
  tracer = new BasicTracerProvider({ spanProcessors }).getTracer('test');
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  provider = new MeterProvider({ readers: [reader] });
  meter = provider.getMeter('test');
  ends = [];
});

afterEach(async () => {
  await closeAll();
  for (const end of ends) end();
  await provider.shutdown();
  context.disable();
});

function instrument(
  caches: Record<string, CacheHierarchy>,
  options?: CacheOpenTelemetryOptions,
): void {
  ends.push(instrumentCaches(caches, { meter, tracer, ...options }));
}

/** What is collected of one instrument: attributes and values. */
async function collected(name: string): Promise<{ attributes: object; value: unknown }[]> {
  exporter.reset();
  await provider.forceFlush();
  const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
  const found = scopes
    .flatMap(({ metrics }) => metrics)
    .find(({ descriptor }) => descriptor.name === name);
  return (found?.dataPoints ?? []).map(({ attributes, value }) => ({ attributes, value }));
}

function within<R>(span: Span, run: () => R): R {
  return context.with(trace.setSpan(context.active(), span), run);
}

function named(name: string): ReadableSpan[] {
  return spans.getFinishedSpans().filter((span) => span.name === name);
}

describe(CacheOpenTelemetryModule.name, () => {
  it('observes every cache of the application, until that is closed', async () => {
    const app = await bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheHierarchyModule.forFeature([{ name: 'users' }]),
        CacheOpenTelemetryModule.forRoot({ meter, tracer }),
      ],
    });
    const cache = app.get(CacheHierarchy);
    await cache.getOrSet('key', () => 1);
    await app.get<CacheHierarchy>(getCacheToken('users'), { strict: false }).get('absent');

    expect(await collected('cache_hierarchy.gets')).toEqual([
      { attributes: { 'cache.name': 'default' }, value: 1 },
      { attributes: { 'cache.name': 'users' }, value: 1 },
    ]);
    expect(named('cache load')).toHaveLength(1);

    await closeAll();
    await cache.getOrSet('key', () => 1);
    expect(named('cache load')).toHaveLength(1);
  });

  it('takes options from a factory, and refuses bad ones', async () => {
    await bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheOpenTelemetryModule.forRootAsync({ useFactory: () => ({ meter, tracer }) }),
      ],
    });
    expect(await collected('cache_hierarchy.hits')).toHaveLength(1);

    const bad = { meter: {}, tracer: {}, key: true } as unknown as CacheOpenTelemetryOptions;
    expect(() => instrumentCaches({}, bad)).toThrow(/meter.*tracer.*key/s);
  });
});

describe('the instruments', () => {
  it('are observed with bounded attributes, whatever keys are', async () => {
    const hostile = ['<script>', 'k'.repeat(1_000)];
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    instrument({ places: cache }, { shards: true });
    for (const key of hostile) await cache.getOrSet(key, () => key, { tags: key.slice(0, 200) });

    await provider.forceFlush();
    const text = JSON.stringify(exporter.getMetrics());
    const attributes = [...text.matchAll(/"(cache\.[\w.]+)":/g)].map(([, name]) => name!);

    for (const key of hostile) expect(text).not.toContain(key);
    expect([...new Set(attributes)].toSorted()).toEqual([
      'cache.level',
      'cache.miss.reason',
      'cache.name',
      'cache.shard',
    ]);
  });

  it('are sums where those of several processes add up', async () => {
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    instrument({ places: cache }, { shards: true });
    await provider.forceFlush();

    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const kinds = { rises: [] as string[], sum: [] as string[], gauge: [] as string[] };
    for (const { dataPointType, descriptor, ...data } of scopes.flatMap(({ metrics }) => metrics)) {
      const isMonotonic = 'isMonotonic' in data && data.isMonotonic;
      const kind = isMonotonic ? 'rises' : dataPointType === DataPointType.GAUGE ? 'gauge' : 'sum';
      kinds[kind].push(descriptor.name.replace('cache_hierarchy.', ''));
    }

    expect(kinds.sum.toSorted()).toEqual([
      'in.flight',
      'level.entries',
      'level.memory',
      'level.unconfirmed',
      'loads.waiting',
      'shard.entries',
      'shard.memory',
    ]);
    expect(kinds.gauge.toSorted()).toEqual([
      'level.circuit.open',
      'level.cleanup.longest.slice',
      'level.down',
    ]);
    expect(kinds.rises).toContain('gets');
  });

  it('record how long loads and answers take, in seconds', async () => {
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    instrument({ places: cache });
    await cache.getOrSet('key', () => 1);

    const [load] = await collected('cache_hierarchy.load.duration');
    expect(load).toMatchObject({ attributes: { 'cache.name': 'places' }, value: { count: 1 } });
    const [answer] = await collected('cache_hierarchy.level.answer.duration');
    expect(answer).toMatchObject({
      attributes: { 'cache.name': 'places', 'cache.level': 'remote' },
      value: { count: 2 },
    });
  });

  it('are left alone once it has ended', async () => {
    await using cache = new CacheHierarchy();
    const end = instrumentCaches({ places: cache }, { meter, tracer });
    await cache.get('key');
    expect(await collected('cache_hierarchy.gets')).toMatchObject([{ value: 1 }]);
    end();
    await cache.get('key');

    expect(await collected('cache_hierarchy.gets')).toMatchObject([{ value: 1 }]);
  });
});

describe('what throws', () => {
  const fail = (): never => {
    throw new Error('telemetry is broken');
  };
  let told: unknown[][];
  let caches: () => Record<string, CacheHierarchy>;

  beforeEach(() => {
    told = [];
    const rest = { warn: () => {}, info: () => {}, debug: () => {}, verbose: () => {} };
    diag.setLogger({ ...rest, error: (...args) => void told.push(args) });
  });

  afterEach(() => {
    diag.disable();
  });

  function breakSpans(method: 'setStatus' | 'end'): void {
    const sound = tracer;
    tracer = Object.assign(Object.create(tracer) as Tracer, {
      startSpan: (name: string) => Object.assign(sound.startSpan(name), { [method]: fail }),
    });
  }

  it.each<[what: string, breakIt: () => void]>([
    ['the function that gives the caches', () => (caches = fail)],
    ['the start of a span', () => (tracer.startSpan = fail)],
    ['the status of a span', () => breakSpans('setStatus')],
    ['the end of a span', () => breakSpans('end')],
    ['a histogram', () => (meter.createHistogram = () => ({ record: fail }))],
    [
      'the context',
      () => {
        context.disable();
        context.setGlobalContextManager(Object.assign(new StorageContextManager(), { with: fail }));
      },
    ],
  ])('fails no call, and is told once: %s', async (_, breakIt) => {
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    caches = () => ({ places: cache });
    breakIt();
    ends.push(instrumentCaches(() => caches(), { meter, tracer }));
    let loads = 0;
    const load = async (): Promise<number> => (loads += 1);
    const away = new RangeError('away');

    expect(await cache.getOrSet('a', load)).toBe(1);
    expect(await cache.getOrSet('b', load)).toBe(2);
    await expect(cache.getOrSet('c', () => Promise.reject(away))).rejects.toBe(away);
    await cache.l1.clear();
    expect(await cache.get('a')).toBe(1);

    expect([loads, cache.getMetrics().lower.remote!.failures]).toEqual([2, 0]);
    expect(told).toEqual([[expect.stringContaining('Telemetry'), expect.any(Error)]]);
  });

  it('leaves the figures of other caches alone', async () => {
    await using cache = new CacheHierarchy();
    await using broken = new CacheHierarchy();
    broken.getMetrics = fail;
    instrument({ broken, places: cache });

    expect(await collected('cache_hierarchy.gets')).toEqual([
      { attributes: { 'cache.name': 'places' }, value: 0 },
    ]);
    expect(told).toHaveLength(1);
  });
});

describe('the span of a load', () => {
  it('is a child of the caller who started it, and the parent of what the loader does', async () => {
    await using cache = new CacheHierarchy();
    instrument({ places: cache });
    const [first, second] = [tracer.startSpan('first'), tracer.startSpan('second')];
    const load = async (): Promise<number> => {
      await new Promise((resolve) => setImmediate(resolve));
      tracer.startSpan('query').end();
      return 1;
    };

    await Promise.all([
      within(first, () => cache.getOrSet('key', load)),
      within(second, () => cache.getOrSet('key', load)),
    ]);

    const [span, ...others] = named('cache load');
    expect(others).toEqual([]);
    expect(span!.parentSpanContext?.spanId).toBe(first.spanContext().spanId);
    expect(named('query')[0]!.parentSpanContext?.spanId).toBe(span!.spanContext().spanId);
    expect(span!.attributes).toEqual({ 'cache.name': 'places', 'cache.load.keys': 1 });
  });

  it('is the same where loaders wait for a slot', async () => {
    await using cache = new CacheHierarchy({ maxConcurrentLoads: 1 });
    instrument({ places: cache });
    const parents = ['one', 'two'].map((name) => tracer.startSpan(name));
    await Promise.all(
      parents.map((parent, at) => within(parent, () => cache.getOrSet(`key${at}`, async () => at))),
    );

    expect(named('cache load').map((span) => span.parentSpanContext?.spanId)).toEqual(
      parents.map((parent) => parent.spanContext().spanId),
    );
  });

  it('tells the class of an error, and not its text', async () => {
    await using cache = new CacheHierarchy();
    instrument({ places: cache });
    const error = Object.assign(new RangeError('of Ada'), { name: 'Ada' });
    const failing = cache.getOrSet('key', () => Promise.reject(error));
    await expect(failing).rejects.toThrow('of Ada');

    const [span] = named('cache load');
    expect(span!.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span!.attributes['error.type']).toBe('RangeError');
    expect(JSON.stringify([span!.attributes, span!.events])).not.toContain('Ada');
  });

  it('has the key only where that is asked for', async () => {
    await using cache = new CacheHierarchy();
    instrument({ places: cache }, { keys: true });
    await cache.namespace('users').getOrSet('<script>', () => 1);
    await cache.getOrSetMany(['a', 'b'], async () => new Map([['a', 1]]));

    const [single, batch] = named('cache load');
    expect(single!.attributes['cache.key']).toBe('users/<script>');
    expect(batch!.attributes).toEqual({ 'cache.name': 'places', 'cache.load.keys': 2 });
  });

  it('is not made for another cache, nor for a hit', async () => {
    await using cache = new CacheHierarchy();
    await using other = new CacheHierarchy();
    instrument({ places: cache });
    await cache.getOrSet('key', () => 1);
    spans.reset();
    await cache.getOrSet('key', () => 1);
    await other.getOrSet('key', () => 1);

    expect(spans.getFinishedSpans()).toEqual([]);
  });
});

describe('the span of a call of a level', () => {
  it('is a child of the caller, with the level', async () => {
    await using cache = new CacheHierarchy({ remote: new MapLevel() });
    instrument({ places: cache });
    const parent = tracer.startSpan('request');
    await within(parent, () => cache.get('key'));

    const [span] = named('cache read remote');
    expect(span!.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(span!.attributes).toEqual({ 'cache.name': 'places', 'cache.level': 'remote' });
  });

  it('has failed where the level has', async () => {
    const remote = new ChaosLevel({ level: new MapLevel(), failBefore: 1 });
    await using cache = new CacheHierarchy({ remote, report: () => {} });
    instrument({ places: cache });
    await cache.get('key');

    const [span] = named('cache read remote');
    expect(span!.status.code).toBe(SpanStatusCode.ERROR);
    expect(span!.attributes['error.type']).toBe('ChaosError');
  });

  it('tells a level that takes too long, and one that the end of the cache cut off', async () => {
    const clock = new FakeClock();
    const remote = Object.assign(new MapLevel(), { read: () => new Promise<never>(() => {}) });
    await using cache = new CacheHierarchy({ clock, remote, levelTimeout: 100, report: () => {} });
    instrument({ places: cache });
    const reading = cache.get('key');
    await clock.advance(100);
    await reading;
    const cutOff = cache.get('other');
    await clock.advance(1);
    await cache.close();
    await cutOff;

    const types = named('cache read remote').map(({ attributes }) => attributes['error.type']);
    expect(types).toEqual(['timeout', 'closed']);
  });

  it('is not made where the level is left alone', async () => {
    const clock = new FakeClock();
    const remote = new ChaosLevel({ level: new MapLevel(), failBefore: 1, clock });
    await using cache = new CacheHierarchy({ clock, remote, report: () => {} });
    instrument({ places: cache });
    for (let turn = 0; turn < 7; turn++) await cache.get('key');

    expect(cache.getMetrics().lower.remote).toMatchObject({ calls: 5, unsent: 2 });
    expect(named('cache read remote')).toHaveLength(5);
  });
});
