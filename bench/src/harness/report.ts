import {
  interquartileRange,
  median,
  ratiosByRound,
  type InterquartileRange,
} from './statistics.js';
import type { Rounds } from './runner.js';
import type { Case, Sample, Suite } from './suite.js';

/** One subject of one case over all rounds, beside one yardstick. */
export interface Figure {
  readonly suite: string;
  readonly case: string;
  readonly subject: string;
  readonly median: number;
  readonly iqr: InterquartileRange;
  readonly unit: string;
  /** Below 1 the subject needs less than the yardstick: the median of the rounds' own ratios. */
  readonly ratio: number;
  readonly ratioIqr: InterquartileRange;
  readonly against: string;
  readonly rounds: number;
}

/** Makes a case's figures: one for each subject and each yardstick other than itself. */
export function figuresOf(suite: Suite, measured: Case, rounds: Rounds): readonly Figure[] {
  const main = { name: measured.name, unit: measured.unit, valueOf: (s: Sample) => s.value };
  const beside = Object.entries(measured.beside ?? {}).map(([name, unit]) => ({
    name: `${measured.name}: ${name}`,
    unit,
    valueOf: (sample: Sample) => sample.beside?.[name],
  }));
  return [main, ...beside].flatMap(({ name, unit, valueOf }) => {
    const values = Object.entries(rounds)
      .map(([subject, samples]) => [subject, samples.map(valueOf)] as const)
      .filter((entry): entry is [string, number[]] => !entry[1].includes(undefined));
    const against = measured.against.filter((subject) => values.some(([own]) => own === subject));
    return compare(values, { suite: suite.name, case: name, unit }, against);
  });
}

function compare(
  subjects: readonly (readonly [subject: string, values: readonly number[]])[],
  head: Pick<Figure, 'suite' | 'case' | 'unit'>,
  against: readonly string[],
): readonly Figure[] {
  const valuesOf = new Map(subjects);
  return subjects.flatMap(([subject, values]) =>
    yardsticksOf(subject, against).map((yardstick) => {
      const ratios = ratiosByRound(values, valuesOf.get(yardstick)!);
      return {
        suite: head.suite,
        case: head.case,
        subject,
        median: median(values),
        iqr: interquartileRange(values),
        unit: head.unit,
        ratio: median(ratios),
        ratioIqr: interquartileRange(ratios),
        against: yardstick,
        rounds: values.length,
      };
    }),
  );
}

/** Renders figures as tables for people, one for each case. */
export function renderTables(figures: readonly Figure[]): string {
  const cases = new Set(figures.map((figure) => figure.case));
  return Array.from(cases, (name) =>
    renderTable(figures.filter((figure) => figure.case === name)),
  ).join('');
}

function renderTable(figures: readonly Figure[]): string {
  const [first] = figures;
  if (first === undefined) return '';
  const rows = figures.map((figure) => [
    figure.subject,
    `${format(figure.median)} ${figure.unit}`,
    formatRange(figure.iqr),
    figure.against === figure.subject ? '' : `${figure.ratio.toPrecision(3)} x ${figure.against}`,
    figure.against === figure.subject
      ? ''
      : figure.ratioIqr.map((ratio) => ratio.toPrecision(3)).join('-'),
  ]);
  const header = ['subject', 'median', 'quartiles', 'ratio', 'quartiles'];
  const title = `${first.suite}: ${first.case} (${first.rounds} rounds)`;
  return `\n${title}\n${align([header, ...rows])}\n`;
}

/** A lone yardstick is shown beside itself, with ratio 1, so that its figure is there. */
function yardsticksOf(subject: string, against: readonly string[]): readonly string[] {
  const others = against.filter((name) => name !== subject);
  return others.length > 0 ? others : [subject];
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      `  ${row.map((text, column) => text.padEnd(widths[column]!)).join('  ')}`.trimEnd(),
    )
    .join('\n');
}

function formatRange([first, third]: InterquartileRange): string {
  return `${format(first)}-${format(third)}`;
}

/** Three significant digits: more would be noise. */
function format(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value === 0 ? '0' : String(Number(value.toPrecision(3)));
}
