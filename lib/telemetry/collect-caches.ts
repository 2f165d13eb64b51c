import { register, type Metric, type Registry } from 'prom-client';
import { InvalidOptionsError } from '../errors.js';
import { OptionReader } from '../options.js';
import { emitProcessWarning } from '../report.js';
import { CACHE_FIGURES, SHARD_FIGURES } from './cache-figures.js';
import { CollectedMetric } from './collected-metric.js';
import { TELEMETRY_FAILED, tellOnce } from './telemetry-failure.js';
import type { CachesNow, NamedCaches } from '../binding/named-caches.js';
import { snapshotsOf } from './cache-snapshots.js';

/** What is needed of a `Registry` of prom-client, whichever text it writes. */
export type MetricRegistry = Pick<
  Registry,
  'registerMetric' | 'getSingleMetric' | 'removeSingleMetric'
>;

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

const SUBJECT = 'CachePrometheusModule';

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
 * @returns takes these metrics off the registry again
 * @throws {InvalidOptionsError} for a bad option, and where the registry has a metric of one of the names: then
 * none is registered
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
  const named = metrics.map((metric) => [metric.name, metric as unknown as Metric] as const);
  const taken = named.map(([name]) => name).find((name) => registry.getSingleMetric(name));
  if (taken !== undefined) throw takenError(taken);
  for (const [, metric] of named) registry.registerMetric(metric);
  return () => {
    for (const [name, metric] of named)
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
  };
}

function takenError(name: string): InvalidOptionsError {
  const message =
    'must have no metric of these names: register the caches once, or with a registry or a prefix of ' +
    `their own, got one with ${name}`;
  return new InvalidOptionsError(SUBJECT, [{ option: 'registry', message }]);
}

function resolve(options: CachePrometheusOptions | undefined): Required<CachePrometheusOptions> {
  const read = new OptionReader(SUBJECT, options);
  const prefix = read.raw('prefix') ?? DEFAULT_PREFIX;
  if (typeof prefix !== 'string' || !/^[A-Za-z]\w*$/.test(prefix))
    read.reject('prefix', 'must be letters, digits and _, a letter first');
  const resolved = {
    registry: read.port<MetricRegistry>('registry', register, [
      'registerMetric',
      'getSingleMetric',
      'removeSingleMetric',
    ]),
    prefix: prefix as string,
    shards: read.boolean('shards', false),
  };
  read.finish();
  return resolved;
}
