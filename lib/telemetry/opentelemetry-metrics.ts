import type {
  Attributes,
  BatchObservableResult,
  Meter,
  MetricOptions,
  Observable,
} from '@opentelemetry/api';
import {
  CACHE_FIGURES,
  SHARD_FIGURES,
  type CacheFigure,
  type FigureLabels,
} from './cache-figures.js';
import type { Snapshots } from './cache-snapshots.js';

/** What the names of the instruments begin with. */
const PREFIX = 'cache_hierarchy.';

const UNITS = { seconds: 's', bytes: 'By' } as const;

const ATTRIBUTES: Readonly<Record<keyof FigureLabels, string>> = {
  level: 'cache.level',
  reason: 'cache.miss.reason',
  shard: 'cache.shard',
};

/** A figure that is read when it is collected; times are recorded one by one. */
type ReadFigure = Exclude<CacheFigure, { readonly kind: 'histogram' }>;

/** The name of a figure's instrument. */
export function instrumentName({ name }: CacheFigure): string {
  return PREFIX + name;
}

/** How an instrument of a figure is made, its name apart. */
export function instrumentOptions({ help, unit }: CacheFigure): MetricOptions {
  return { description: help, ...(unit && { unit: UNITS[unit] }) };
}

/** Observes the figures of caches, all in one step of each collection; returns what ends that. */
export function observeCaches(
  meter: Meter,
  snapshots: () => Snapshots,
  shards: boolean,
): () => void {
  const figures = (shards ? [...CACHE_FIGURES, ...SHARD_FIGURES] : CACHE_FIGURES).filter(
    (figure): figure is ReadFigure => figure.kind !== 'histogram',
  );
  const instruments = figures.map((figure) => [figure, instrumentOf(meter, figure)] as const);
  const observe = (result: BatchObservableResult): void => {
    for (const [cache, metrics] of snapshots())
      for (const [figure, instrument] of instruments)
        for (const { labels, value } of figure.read(metrics))
          result.observe(instrument, value, attributesOf(cache, labels));
  };
  const observables = instruments.map(([, instrument]) => instrument);
  meter.addBatchObservableCallback(observe, observables);
  return () => meter.removeBatchObservableCallback(observe, observables);
}

function instrumentOf(meter: Meter, figure: ReadFigure): Observable {
  const [name, options] = [instrumentName(figure), instrumentOptions(figure)];
  if (figure.kind === 'counter') return meter.createObservableCounter(name, options);
  // What adds up over processes is a sum that falls, too.
  if (figure.across === 'sum') return meter.createObservableUpDownCounter(name, options);
  return meter.createObservableGauge(name, options);
}

function attributesOf(cache: string, labels: FigureLabels): Attributes {
  const named = Object.entries(labels).map(([label, value]) => [
    ATTRIBUTES[label as keyof FigureLabels],
    value,
  ]);
  return { 'cache.name': cache, ...Object.fromEntries(named) };
}
