import { cpus } from 'node:os';

import type { Figure } from './report.js';

/** A page of figures, ready to be written, and the plots that it shows. */
export interface Page {
  readonly markdown: string;
  readonly plots: readonly Plot[];
}

/** What one plot shows: the figures of one case, once for each subject. */
export interface Plot {
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

/** A subject's median over the rounds, and its quartiles. */
export interface Bar {
  readonly subject: string;
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

/** Says where and how figures were taken. */
export function provenance(command: string, date: Date): string {
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`;
  const day = date.toISOString().slice(0, 10);
  return `Taken on ${day} with \`${command}\`, Node ${process.version}, ${machine}. How: [Benchmarks](README.md).`;
}

/** Makes the page of a suite: for each case a plot and a table. */
export function pageOf(suite: string, figures: readonly Figure[], taken: string): Page {
  const cases = [...new Set(figures.map((figure) => figure.case))];
  const sections = cases.map((name, at) => {
    const own = figures.filter((figure) => figure.case === name);
    return { name, own, plot: plotOf(`${suite}-${at + 1}.svg`, name, own) };
  });
  const parts = sections.flatMap(({ name, own, plot }) => [
    `## ${capitalised(name)}`,
    `![${name}](${plot.file})`,
    tableOf(own),
  ]);
  return {
    markdown: [`# Figures: ${suite}`, taken, ...parts].join('\n\n').concat('\n'),
    plots: sections.map(({ plot }) => plot),
  };
}

function plotOf(file: string, title: string, figures: readonly Figure[]): Plot {
  const bySubject = new Map(figures.map((figure) => [figure.subject, figure]));
  const bars = Array.from(bySubject.values(), ({ subject, median, iqr: [from, to] }) => ({
    subject,
    median,
    from,
    to,
  }));
  return { file, title, unit: figures[0]!.unit, bars };
}

/** One row for each subject, with its ratio to each yardstick in a column of its own. */
function tableOf(figures: readonly Figure[]): string {
  const compared = figures.filter(({ subject, against }) => subject !== against);
  const yardsticks = [...new Set(compared.map(({ against }) => against))];
  const subjects = [...new Set(figures.map(({ subject }) => subject))];
  const head = ['subject', `median (${figures[0]!.unit})`, 'quartiles'];
  const rows = subjects.map((subject) => {
    const own = figures.filter((figure) => figure.subject === subject);
    const { median, iqr } = own[0]!;
    const ratios = yardsticks.map((yardstick) => {
      const figure = own.find(({ against }) => against === yardstick && against !== subject);
      return figure === undefined ? '' : showRatio(figure);
    });
    return [subject, show(median), iqr.map(show).join(' to ')].concat(ratios);
  });
  const columns = [...head, ...yardsticks.map((yardstick) => `x ${yardstick}`)];
  const rule = columns.map((_, column) => (column === 0 ? '---' : '--:'));
  return [columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function showRatio({ ratio, ratioIqr: [from, to] }: Figure): string {
  return `${ratio.toPrecision(3)} (${from.toPrecision(3)} to ${to.toPrecision(3)})`;
}

function show(value: number): string {
  return value >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
