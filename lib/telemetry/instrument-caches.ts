import { diag, metrics, trace, type Meter, type Tracer } from '@opentelemetry/api';
import { traceCalls } from '../hierarchy/call-tracing.js';
import { OptionReader } from '../options.js';
import { observeCaches } from './opentelemetry-metrics.js';
import { SpanTracer } from './span-tracer.js';
import { TELEMETRY_FAILED, tellOnce } from './telemetry-failure.js';
import type { CachesNow, NamedCaches } from '../binding/named-caches.js';
import { snapshotsOf } from './cache-snapshots.js';

/** Options of {@link instrumentCaches} and of `CacheOpenTelemetryModule`. Every one has a default. */
export interface CacheOpenTelemetryOptions {
  /**
   * Makes the instruments.
   * @default that of the global provider
   */
  readonly meter?: Meter;
  /**
   * Makes the spans.
   * @default that of the global provider
   */
  readonly tracer?: Tracer;
  /**
   * Whether spans of loads have the key, as `cache.key`.
   * @default false
   */
  readonly keys?: boolean;
  /**
   * Whether there are metrics of single shards, too: of the first 64 of each level.
   * @default false
   */
  readonly shards?: boolean;
}

const SCOPE = 'nestjs-cache-hierarchy';

/**
 * Observes the metrics of caches with OpenTelemetry, and makes spans of their loads and of the calls of levels
 * outside the process. Register your providers before. Where they throw, caches go on untraced; the first time
 * is told to `diag`.
 *
 * @param caches by the names that they get as the attribute `cache.name`, or a function that gives them
 * @returns ends it
 * @throws {InvalidOptionsError} for a bad option
 */
export function instrumentCaches(
  caches: NamedCaches | CachesNow,
  options?: CacheOpenTelemetryOptions,
): () => void {
  const { meter, tracer, keys, shards } = resolve(options);
  const now = typeof caches === 'function' ? caches : () => caches;
  const failed = tellOnce((error) => diag.error(TELEMETRY_FAILED, error));
  const spans = new SpanTracer({ meter, tracer, keys, caches: now, failed });
  const endMetrics = observeCaches(meter, snapshotsOf(now, failed), shards);
  const endSpans = traceCalls(spans);
  return () => {
    endMetrics();
    endSpans();
  };
}

function resolve(
  options: CacheOpenTelemetryOptions | undefined,
): Required<CacheOpenTelemetryOptions> {
  const read = new OptionReader('CacheOpenTelemetryModule', options);
  const resolved = {
    meter: read.port<Meter>('meter', metrics.getMeter(SCOPE), ['createObservableGauge']),
    tracer: read.port<Tracer>('tracer', trace.getTracer(SCOPE), ['startSpan']),
    keys: read.boolean('keys', false),
    shards: read.boolean('shards', false),
  };
  read.finish();
  return resolved;
}
