import { formatCompact, formatPercent, formatRate } from './format.js';
import type { HistoryColumns } from './series.js';

/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly column: Exclude<keyof HistoryColumns, 'at'>;
  /** A custom property of the style sheet. */
  readonly colour: `--${string}`;
  readonly isDashed?: boolean;
  readonly isFilled?: boolean;
}

/** What a chart shows of the history. */
export interface Kind {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The same on the vertical axis, where there is little room. */
  readonly formatShort: (value: number) => string;
  /** What the vertical axis reaches from and to for values that reach so far. */
  readonly range: (low: number, high: number) => [number, number];
}

const fromZero = (_low: number, high: number): [number, number] => [0, high > 0 ? high * 1.1 : 1];

/** The charts, from the first to the last. */
export const KINDS: readonly Kind[] = [
  {
    title: 'Hit ratio',
    lines: [{ name: 'hits of the last 10 s', column: 'hitRatio', colour: '--series-1' }],
    format: formatPercent,
    formatShort: formatPercent,
    // Down to the next ten per cent below: a fall from 99 % to 95 % must be seen.
    range: (low) => [Math.max(0, Math.floor(low * 10 - 0.01) / 10), 1],
  },
  {
    title: 'Reads a second',
    lines: [
      { name: 'reads', column: 'reads', colour: '--series-2' },
      { name: 'hits', column: 'hits', colour: '--series-1', isFilled: true },
    ],
    format: formatRate,
    formatShort: formatCompact,
    range: fromZero,
  },
  {
    title: 'Loads a second',
    lines: [
      { name: 'loads', column: 'loads', colour: '--level-loader', isFilled: true },
      { name: 'failed', column: 'failures', colour: '--bad', isDashed: true },
    ],
    format: formatRate,
    formatShort: formatCompact,
    range: fromZero,
  },
];
