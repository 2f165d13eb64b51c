import { register, type Metric, type Registry } from 'prom-client';
import { OptionReader } from '../options.js';
import { emitProcessWarning } from '../report.js';
import { CACHE_FIGURES, SHARD_FIGURES } from './cache-figures.js';
import { CollectedMetric } from './collected-metric.js';
import { TELEMETRY_FAILED, tellOnce } from './telemetry-failure.js';
import { snapshotsOf, type CachesNow, type NamedCaches } from './told-caches.js';

/** What is needed of a `Registry` of prom-client, whichever text it writes. */
export type MetricRegistry = Pick<Registry, 'registerMetric' | 'removeSingleMetric'>;

/** Options of {@link collectCaches} and of `CachePrometheusModule`. Every one has a default. */
export interface CachePrometheusOptions {
  /**
   * Where the metrics are registered.
   * @default the `register` of prom-client
   */
  readonly registry?: MetricRegistry;
  /**
   * What the names of the metrics begin with: letters, digits and `_`, a letter first.
   * @default 'cache_hierarchy_'
   */
  readonly prefix?: string;
  /**
   * Whether there are metrics of single shards, too: of the first 64 of each level.
   * @default false
   */
  readonly shards?: boolean;
}

/** What the names of the metrics begin with. */
export const DEFAULT_PREFIX = 'cache_hierarchy_';

/**
 * Registers the metrics of caches with prom-client. They are read when the registry is, and cost nothing in
 * between.
 *
 * @example
 * const stop = collectCaches({ places: cache });
 * response.end(await register.metrics());
 *
 * @param caches by the names that they get as the label `cache`, or a function that gives them at the time
 * @returns takes the metrics off the registry again
 * @throws {InvalidOptionsError} for a bad option
 * @throws {Error} where the registry has metrics of these names
 */
export function collectCaches(
  caches: NamedCaches | CachesNow,
  options?: CachePrometheusOptions,
): () => void {
  const { registry, prefix, shards } = resolve(options);
  const failed = tellOnce((error) =>
    emitProcessWarning({
      code: 'CACHE_TELEMETRY_FAILED',
      message: `${TELEMETRY_FAILED} (${String(error)})`,
    }),
  );
  const snapshots = snapshotsOf(typeof caches === 'function' ? caches : () => caches, failed);
  const figures = shards ? [...CACHE_FIGURES, ...SHARD_FIGURES] : CACHE_FIGURES;
  const metrics = figures.map((figure) => new CollectedMetric(prefix, figure, snapshots));
  const names = metrics.map(({ name }) => name);
  for (const metric of metrics) registry.registerMetric(metric as unknown as Metric);
  return () => {
    for (const name of names) registry.removeSingleMetric(name);
  };
}

function resolve(options: CachePrometheusOptions | undefined): Required<CachePrometheusOptions> {
  const read = new OptionReader('CachePrometheusModule', options);
  const prefix = read.raw('prefix') ?? DEFAULT_PREFIX;
  if (typeof prefix !== 'string' || !/^[A-Za-z]\w*$/.test(prefix))
    read.reject('prefix', 'must be letters, digits and _, a letter first');
  const resolved = {
    registry: read.port<MetricRegistry>('registry', register, [
      'registerMetric',
      'removeSingleMetric',
    ]),
    prefix: prefix as string,
    shards: read.boolean('shards', false),
  };
  read.finish();
  return resolved;
}
