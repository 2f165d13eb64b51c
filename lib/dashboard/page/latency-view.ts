import type { TimeHistogram } from '../dashboard-state.js';
import {
  byId,
  el,
  rowsIn,
  setAttribute,
  setProperty,
  setText,
  setTitle,
  termRow,
  type Row,
} from './dom.js';
import { levelClass } from './flow-view.js';
import { formatCount, formatMs, formatPercent, NOTHING, plural } from './format.js';
import { barsOf, meanMs, quantile, type Bar } from './latency.js';
import type { Shown, View } from './view.js';

interface Times {
  readonly name: string;
  readonly level: string;
  readonly histogram: TimeHistogram;
  readonly boundsMs: readonly number[];
}

/** How long loads and the answers of levels outside the process take. */
export function latencyView(): View {
  const show = rowsIn(byId('latency'), timesRow);
  return (shown) => show(timesOf(shown));
}

function timesOf({ hello, cache, detail }: Shown): readonly Times[] {
  const boundsMs = hello.latencyBucketsMs;
  const outside = detail.levels.flatMap(({ name, answerTimes }) => {
    const level = levelClass(Math.max(0, cache.levels.indexOf(name)));
    const histogram = answerTimes;
    return histogram === undefined
      ? []
      : [{ name: `Answers of ${name}`, level, histogram, boundsMs }];
  });
  return [{ name: 'Loads', level: 'loader', histogram: detail.loadTimes, boundsMs }, ...outside];
}

function timesRow(): Row<Times> {
  const name = el('h3');
  const summary = el('p', { class: 'visually-hidden' });
  const bars = el('div', { class: 'bars', attributes: { 'aria-hidden': 'true' } });
  const figures = el('dl', { class: 'figures' });
  const element = el('article', {}, name, summary, bars, figures);
  const showBars = rowsIn(bars, barRow);
  const showFigures = rowsIn(figures, termRow);
  return {
    element,
    show: (times) => {
      setAttribute(element, 'data-level', times.level);
      setText(name, times.name);
      const all = barsOf(times.histogram, times.boundsMs);
      bars.hidden = all.length === 0;
      showBars(all.map((bar) => ({ bar, most: Math.max(...all.map(({ share }) => share)) })));
      setText(summary, summaryOf(all));
      showFigures(figuresOf(times));
    },
  };
}

function figuresOf({ histogram, boundsMs }: Times): { term: string; text: string }[] {
  const approximate = (q: number): string => {
    const found = quantile(histogram, boundsMs, q);
    if (found === undefined) return NOTHING;
    return `${found.isMore ? '>' : '≈'}\u00a0${formatMs(found.ms)}`;
  };
  return [
    { term: 'p50', text: approximate(0.5) },
    { term: 'p95', text: approximate(0.95) },
    { term: 'p99', text: approximate(0.99) },
    { term: 'mean', text: formatMs(meanMs(histogram)) },
    { term: 'count', text: formatCount(histogram.count) },
    { term: 'sum', text: formatMs(histogram.sumMs) },
  ];
}

function summaryOf(bars: readonly Bar[]): string {
  const most = bars.toSorted((one, other) => other.count - one.count)[0];
  if (most === undefined) return 'Nothing was timed yet.';
  return `Most often ${rangeOf(most)}: ${formatPercent(most.share)} of all.`;
}

function rangeOf({ fromMs, toMs }: Bar): string {
  return toMs === undefined
    ? `more than ${formatMs(fromMs)}`
    : `${formatMs(fromMs)} to ${formatMs(toMs)}`;
}

function barRow(): Row<{ bar: Bar; most: number }> {
  const label = el('span');
  const element = el('div', {}, el('i'), label);
  return {
    element,
    show: ({ bar, most }) => {
      setTitle(
        element,
        `${rangeOf(bar)}: ${plural(bar.count, 'time')}, ${formatPercent(bar.share)}`,
      );
      setText(label, bar.toMs === undefined ? '∞' : boundLabel(bar.toMs));
      setProperty(element, '--height', `${(bar.share / most) * 100}%`);
      setAttribute(element, 'data-empty', String(bar.count === 0));
    },
  };
}

/** `0.1`, `5`, `2s`: as short as a bar is narrow. */
function boundLabel(ms: number): string {
  return ms < 1_000 ? String(ms) : `${ms / 1_000}s`;
}
