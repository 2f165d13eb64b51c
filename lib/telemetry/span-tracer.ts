import {
  context,
  SpanStatusCode,
  trace,
  type Attributes,
  type Histogram,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { CallTracer, TracedCall } from '../hierarchy/call-tracing.js';
import { LATENCY_BUCKETS_MS } from '../hierarchy/latency-histogram.js';
import { NAMESPACE_SEPARATOR } from '../memory/cache-key.js';
import { CACHE_FIGURES } from './cache-figures.js';
import { instrumentName, instrumentOptions } from './opentelemetry-metrics.js';
import type { Failed } from './telemetry-failure.js';
import type { CachesNow } from '../binding/named-caches.js';

/** What a {@link SpanTracer} is made of. */
export interface SpanTracerPorts {
  readonly tracer: Tracer;
  readonly meter: Meter;
  readonly caches: CachesNow;
  /** Whether spans of loads have the key. */
  readonly keys: boolean;
  /** Hears what has failed; it does not throw. */
  readonly failed: Failed;
}

/**
 * Makes a span of each load and of each call of a level outside the process, within the context of the
 * caller who began it; what these call is within the span. How long they take is recorded, too.
 */
export class SpanTracer implements CallTracer {
  readonly #ports: SpanTracerPorts;
  readonly #loads: Histogram;
  readonly #answers: Histogram;

  constructor(ports: SpanTracerPorts) {
    this.#ports = ports;
    this.#loads = histogramOf(ports.meter, 'load.duration');
    this.#answers = histogramOf(ports.meter, 'level.answer.duration');
  }

  traces(cache: CacheHierarchy): boolean {
    return this.#nameOf(cache) !== undefined;
  }

  async trace(call: TracedCall, run: () => Promise<string | undefined>): Promise<void> {
    const { tracer } = this.#ports;
    const attributes = this.#attributesOf(call);
    const name = ['cache', call.operation, call.level].filter(Boolean).join(' ');
    const span = tracer.startSpan(name, { attributes: { ...attributes, ...this.#keysOf(call) } });
    const startedAt = performance.now();
    const errorType = await context.with(trace.setSpan(context.active(), span), run);
    const seconds = (performance.now() - startedAt) / 1_000;
    try {
      if (errorType !== undefined) noteError(span, errorType);
    } finally {
      span.end();
    }
    if (call.level === undefined) this.#loads.record(seconds, attributes);
    else if (errorType === undefined) this.#answers.record(seconds, attributes);
  }

  failed(error: unknown): void {
    this.#ports.failed(error);
  }

  #attributesOf({ cache, level }: TracedCall): Attributes {
    return {
      'cache.name': this.#nameOf(cache)!,
      ...(level !== undefined && { 'cache.level': level }),
    };
  }

  #keysOf({ keys }: TracedCall): Attributes {
    if (keys === undefined) return {};
    const isShown = this.#ports.keys && keys.length === 1;
    return {
      'cache.load.keys': keys.length,
      ...(isShown && { 'cache.key': keys[0]!.replaceAll(NAMESPACE_SEPARATOR, '/') }),
    };
  }

  #nameOf(cache: CacheHierarchy): string | undefined {
    return Object.entries(this.#ports.caches()).find(([, one]) => one === cache)?.[0];
  }
}

function noteError(span: Span, type: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', type);
}

function histogramOf(meter: Meter, name: string): Histogram {
  const figure = CACHE_FIGURES.find((one) => one.name === name)!;
  const explicitBucketBoundaries = LATENCY_BUCKETS_MS.map((bound) => bound / 1_000);
  return meter.createHistogram(instrumentName(figure), {
    ...instrumentOptions(figure),
    advice: { explicitBucketBoundaries },
  });
}
