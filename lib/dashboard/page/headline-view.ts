import type { CacheDetail } from '../dashboard-state.js';
import { byId, el, rowsIn, setAttribute, setText, type Row } from './dom.js';
import { flowOf } from './flow.js';
import {
  formatBytes,
  formatCompact,
  formatCount,
  formatMs,
  formatPercent,
  formatRate,
  plural,
} from './format.js';
import { hitRatioOf, sumOf } from './series.js';
import type { Shown, View } from './view.js';

const MINUTE = 60_000;

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly state?: 'up' | 'degraded' | 'down';
}

/** The figures at the top. */
export function headlineView(): View {
  const show = rowsIn(byId('headline'), figureRow);
  return (shown) => show(figuresOf(shown));
}

function figuresOf({ state, cache, detail }: Shown): readonly Figure[] {
  const { totals } = detail;
  const minute = state.recent(MINUTE);
  const last = minute.at(-1);
  const lately = minute.slice(-10);
  const seconds = Math.max(1, lately.length);
  const { savedMs } = flowOf(totals, cache.levels, detail);
  const inFlight = last === undefined ? 0 : last.inFlight;
  return [
    {
      name: 'Hit ratio',
      value: formatPercent(hitRatioOf(minute)),
      note: `last minute, ${formatPercent(hitRatioOf([totals]))} overall`,
    },
    {
      name: 'Reads a second',
      value: formatRate(sumOf(lately, 'reads') / seconds),
      note: `over 10 s, ${formatCompact(totals.reads)} overall`,
    },
    {
      name: 'Loads a second',
      value: formatRate(sumOf(lately, 'loads') / seconds),
      note: `over 10 s, ${formatCount(inFlight)} running`,
    },
    {
      name: 'Time saved',
      value: formatMs(savedMs),
      note: savedMs === undefined ? 'nothing loaded yet' : 'of loading, overall',
    },
    {
      name: 'Entries',
      value: formatCompact(last?.entries ?? 0),
      note: last === undefined || last.bytes === 0 ? 'in memory' : formatBytes(last.bytes),
    },
    { name: 'Health', ...healthOf(detail) },
  ];
}

const HEALTH = { up: 'Up', degraded: 'Degraded', down: 'Down' } as const;

function healthOf({ health, levels }: CacheDetail): Omit<Figure, 'name'> {
  const down = levels.filter(({ state }) => state === 'down').map(({ name }) => name);
  const note =
    down.length > 0
      ? `${down.join(', ')} ${down.length === 1 ? 'does' : 'do'} not answer`
      : `${plural(levels.length, 'level')} of ${formatCount(levels.length)} up`;
  return { value: HEALTH[health], note, state: health };
}

function figureRow(): Row<Figure> {
  const name = el('dt');
  const value = el('dd', { class: 'value' });
  const note = el('dd', { class: 'note' });
  const element = el('div', { class: 'tile' }, name, value, note);
  return {
    element,
    show: (figure) => {
      setText(name, figure.name);
      setText(value, figure.value);
      setText(note, figure.note);
      setAttribute(element, 'data-health', figure.state ?? 'none');
    },
  };
}
