import uPlot from 'uplot';

import { byId, el, setAttribute, setText } from './dom.js';
import { formatClock, formatClockMinutes, NOTHING } from './format.js';
import { KINDS, type Kind, type Line } from './history-kinds.js';
import { historyColumns, spanOf, type HistoryColumns } from './series.js';
import type { View } from './view.js';

const PLOT_HEIGHT = 170;
const MIN_SPAN_SECONDS = 60;
/** Steps of the cursor by key: a sample, a minute. */
const KEY_STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -60,
  PageUp: 60,
  Home: -Infinity,
  End: Infinity,
};

/** Hit ratio and throughput over time, one chart above or beside the other, with one cursor. */
export function historyCharts(): View {
  const parent = byId('charts');
  const pinAll = (at: number | undefined): void => {
    for (const chart of charts) chart.pin(at);
  };
  const charts = KINDS.map((kind) => new HistoryChart(kind, parent, pinAll));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const chart of charts) chart.redraw();
  });
  return ({ state, cache, hello }) => {
    const columns = historyColumns(state.samples, cache.name, hello.intervalMs);
    for (const chart of charts) chart.show(columns);
  };
}

class HistoryChart {
  readonly #kind: Kind;
  readonly #pinAll: (at: number | undefined) => void;
  readonly #values: readonly HTMLElement[];
  readonly #time = el('span', { class: 'note' });
  readonly #summary = el('p', { class: 'visually-hidden' });
  readonly #plot = el('div', {
    class: 'plot',
    attributes: { role: 'slider', tabindex: '0', 'aria-valuenow': '0' },
  });
  readonly #uplot: uPlot;
  #columns: HistoryColumns | undefined;
  /** Time to which keys have moved the cursor of all charts, in seconds. */
  #pinnedAt: number | undefined;

  constructor(kind: Kind, parent: HTMLElement, pinAll: (at: number | undefined) => void) {
    this.#kind = kind;
    this.#pinAll = pinAll;
    this.#values = kind.lines.map(() => el('dd'));
    const legend = el('dl', { class: 'legend' });
    for (const [at, line] of kind.lines.entries()) {
      const swatch = el('i', { class: line.isDashed === true ? 'swatch dashed' : 'swatch' });
      swatch.style.setProperty('--swatch', `var(${line.colour})`);
      const term = el('dt', {}, swatch, document.createTextNode(line.name));
      legend.append(el('div', {}, this.#values[at]!, term));
    }
    const head = el('div', { class: 'line' }, el('h3', { text: kind.title }), this.#time);
    parent.append(el('article', { class: 'chart' }, head, legend, this.#plot, this.#summary));
    this.#plot.setAttribute('aria-label', `${kind.title}: move through time with the arrow keys`);
    this.#uplot = new uPlot(this.#options(), [[]], this.#plot);
    this.#plot.addEventListener('keydown', (event) => this.#onKey(event));
    this.#plot.addEventListener('blur', () => pinAll(undefined));
    new ResizeObserver(() => this.#fit()).observe(this.#plot);
  }

  show(columns: HistoryColumns): void {
    this.#columns = columns;
    const drawn = this.#kind.lines.map(({ column }) => columns[column]);
    this.#uplot.setData([columns.at, ...drawn]);
    if (this.#pinnedAt !== undefined) this.pin(this.#pinnedAt);
    this.#tell();
    setText(this.#summary, this.#summarize(columns));
  }

  /** Puts the cursor at a time, where it stays while the series moves on; takes it away for `undefined`. */
  pin(at: number | undefined): void {
    if (at === undefined && this.#pinnedAt === undefined) return;
    this.#pinnedAt = at;
    const left = at === undefined ? -10 : Math.max(0, this.#uplot.valToPos(at, 'x'));
    this.#uplot.setCursor({ left, top: PLOT_HEIGHT / 3 });
  }

  redraw(): void {
    this.#uplot.redraw(false);
  }

  #options(): uPlot.Options {
    const { lines, formatShort, range } = this.#kind;
    const axis: uPlot.Axis = {
      stroke: () => colour('--muted'),
      grid: { stroke: () => colour('--line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
      gap: 6,
    };
    return {
      width: 300,
      height: PLOT_HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'history' } },
      // Room for half of the last label of time.
      padding: [8, 28, 0, 0],
      scales: {
        x: {
          range: (_plot, from, to) => [Math.min(from ?? 0, (to ?? 0) - MIN_SPAN_SECONDS), to ?? 0],
        },
        y: { range: (_plot, low, high) => range(low ?? 0, high ?? 0) },
      },
      axes: [
        {
          ...axis,
          size: 28,
          space: 60,
          values: (_plot, splits, _axis, _space, step) =>
            splits.map((at) => (step < 60 ? formatClock : formatClockMinutes)(at * 1_000)),
          incrs: [10, 20, 30, 60, 120, 180, 300, 600],
        },
        { ...axis, size: 48, space: 36, values: (_plot, splits) => splits.map(formatShort) },
      ],
      series: [{}, ...lines.map(seriesOf)],
      hooks: { setCursor: [() => this.#tell()] },
    };
  }

  /** Tells the values under the cursor, or the newest. */
  #tell(): void {
    const columns = this.#columns;
    if (columns === undefined) return;
    const under = this.#chosen();
    const at = under ?? columns.at.length - 1;
    const texts = this.#kind.lines.map(({ column }) => {
      const value = columns[column][at];
      return typeof value === 'number' ? this.#kind.format(value) : NOTHING;
    });
    for (const [line, text] of texts.entries()) setText(this.#values[line]!, text);
    const time = columns.at[at];
    setText(
      this.#time,
      under === undefined || time === undefined ? 'now' : formatClock(time * 1_000),
    );
    this.#describe(at, texts);
  }

  /** A slider that has the focus reads its value out: it changes by the reader's hand alone. */
  #describe(at: number, texts: readonly string[]): void {
    if (document.activeElement === this.#plot && this.#pinnedAt === undefined) return;
    const times = this.#columns?.at ?? [];
    const time = times[at];
    const values = this.#kind.lines.map(({ name }, line) => `${texts[line]} ${name}`);
    const when = time === undefined ? 'no samples' : formatClock(time * 1_000);
    setAttribute(this.#plot, 'aria-valuemin', String(times[0] ?? 0));
    setAttribute(this.#plot, 'aria-valuemax', String(times.at(-1) ?? 0));
    setAttribute(this.#plot, 'aria-valuenow', String(time ?? 0));
    setAttribute(this.#plot, 'aria-valuetext', `${when}: ${values.join(', ')}`);
  }

  #summarize(columns: HistoryColumns): string {
    const { lines, format } = this.#kind;
    const parts = lines.flatMap(({ name, column }) => {
      const span = spanOf(columns[column]);
      if (span === undefined) return [];
      return [`${name} between ${format(span.low)} and ${format(span.high)}`];
    });
    return parts.length === 0 ? 'Nothing to draw yet.' : `In the time drawn: ${parts.join('; ')}.`;
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') return this.#pinAll(undefined);
    const step = KEY_STEPS[event.key];
    const times = this.#columns?.at ?? [];
    if (step === undefined || times.length === 0) return;
    event.preventDefault();
    const from = this.#chosen() ?? times.length - 1;
    const to = Math.min(times.length - 1, Math.max(0, from + step));
    this.#pinAll(times[to]);
  }

  /** Of the values under the cursor; `undefined` where there is none. */
  #chosen(): number | undefined {
    const at = this.#columns?.at.indexOf(this.#pinnedAt ?? NaN) ?? -1;
    return at === -1 ? (this.#uplot.cursor.idx ?? undefined) : at;
  }

  #fit(): void {
    const width = Math.floor(this.#plot.clientWidth);
    if (width > 0 && width !== this.#uplot.width) {
      this.#uplot.setSize({ width, height: PLOT_HEIGHT });
    }
  }
}

function seriesOf({ colour: name, isDashed, isFilled }: Line): uPlot.Series {
  const series: uPlot.Series = { stroke: () => colour(name), width: 1.5, points: { size: 4 } };
  if (isDashed === true) series.dash = [5, 4];
  if (isFilled === true) series.fill = () => `${colour(name)}2b`;
  return series;
}

/** Charts are drawn on canvas: the colours of the style sheet are read for it. */
function colour(name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
