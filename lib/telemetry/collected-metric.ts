import { LATENCY_BUCKETS_MS, type LatencyMetrics } from '../hierarchy/latency-histogram.js';
import type { CacheFigure, FigureLabels } from './cache-figures.js';
import type { Snapshots } from './cache-snapshots.js';

/** A sample, as a registry of prom-client writes it. */
interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** The name where it is not that of the metric. */
  readonly metricName?: string;
}

/**
 * A metric as a registry of prom-client takes it, whose values are made when they are asked for. Those of
 * prom-client keep values of their own, and their histograms have to see every time one by one.
 */
export class CollectedMetric {
  /** A registry that writes OpenMetrics takes `_total` from it. */
  name: string;
  readonly help: string;
  readonly type: CacheFigure['kind'];
  readonly aggregator: CacheFigure['across'];
  readonly #figure: CacheFigure;
  readonly #snapshots: () => Snapshots;

  constructor(prefix: string, figure: CacheFigure, snapshots: () => Snapshots) {
    this.name = prefix + prometheusName(figure);
    this.help = figure.help;
    this.type = figure.kind;
    this.aggregator = figure.across;
    this.#figure = figure;
    this.#snapshots = snapshots;
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#samples() };
  }

  /** Called by `resetMetrics` of the registry: the counters are the caches' own, and stay. */
  reset(): void {}

  #samples(): Sample[] {
    const figure = this.#figure;
    return this.#snapshots().flatMap(([cache, metrics]) => {
      if (figure.kind !== 'histogram')
        return figure.read(metrics).map(({ labels, value }) => ({
          labels: { cache, ...labels },
          value,
        }));
      return figure
        .read(metrics)
        .flatMap(({ labels, value }) => this.#samplesOf({ cache, ...labels }, value));
    });
  }

  #samplesOf(
    labels: FigureLabels & { readonly cache: string },
    { count, sumMs, buckets }: LatencyMetrics,
  ): Sample[] {
    let below = 0;
    const samples = LATENCY_BUCKETS_MS.map((bound, at) => ({
      labels: { le: bound / 1_000, ...labels },
      value: (below += buckets[at]!),
      metricName: `${this.name}_bucket`,
    }));
    return [
      ...samples,
      { labels: { le: '+Inf', ...labels }, value: count, metricName: `${this.name}_bucket` },
      { labels, value: sumMs / 1_000, metricName: `${this.name}_sum` },
      { labels, value: count, metricName: `${this.name}_count` },
    ];
  }
}

/** The name of a figure in Prometheus, after the prefix. */
export function prometheusName({ name, unit, kind }: CacheFigure): string {
  return [name.replaceAll('.', '_'), unit, kind === 'counter' ? 'total' : undefined]
    .filter((part) => part !== undefined)
    .join('_');
}
