import { describe, expect, it } from '@jest/globals';
import { pageOf, provenance } from '../../bench/src/harness/page.js';
import type { Figure } from '../../bench/src/harness/report.js';

function figure(subject: string, median: number, against: string, ratio: number): Figure {
  const head = { suite: 'engine', case: 'read hit', unit: 'ns/op', rounds: 5 };
  return {
    ...head,
    subject,
    median,
    iqr: [median - 1, median + 1],
    ratio,
    ratioIqr: [ratio, ratio],
    against,
  };
}

const FIGURES = [
  figure('ours', 100, 'lru-cache', 0.5),
  figure('ours', 100, 'Map', 2),
  figure('lru-cache', 1_200, 'Map', 4),
  figure('Map', 50.4, 'lru-cache', 0.25),
];

describe(pageOf.name, () => {
  const page = pageOf('engine', FIGURES, 'Taken somewhere.');

  it('has for each case a table with a row for each subject and a column for each yardstick', () => {
    expect(page.markdown.split('\n').filter((line) => line.startsWith('|'))).toEqual([
      '| subject | median (ns/op) | quartiles | x lru-cache | x Map |',
      '| --- | --: | --: | --: | --: |',
      '| ours | 100 | 99 to 101 | 0.500 (0.500 to 0.500) | 2.00 (2.00 to 2.00) |',
      '| lru-cache | 1,200 | 1,199 to 1,201 |  | 4.00 (4.00 to 4.00) |',
      '| Map | 50.4 | 49.4 to 51.4 | 0.250 (0.250 to 0.250) |  |',
    ]);
  });

  it('shows the plot of each case, with a bar for each subject', () => {
    expect(page.markdown).toContain('![read hit](engine-1.svg)');
    expect(page.plots).toEqual([
      {
        file: 'engine-1.svg',
        title: 'read hit',
        unit: 'ns/op',
        bars: [
          { subject: 'ours', median: 100, from: 99, to: 101 },
          { subject: 'lru-cache', median: 1_200, from: 1_199, to: 1_201 },
          { subject: 'Map', median: 50.4, from: 49.4, to: 51.4 },
        ],
      },
    ]);
  });

  it('says where and how the figures were taken', () => {
    expect(page.markdown).toContain('Taken somewhere.');
    expect(provenance('npm run bench', new Date(0))).toMatch(
      /^Taken on 1970-01-01 with `npm run bench`, Node v\d+.*, \d+ cores/,
    );
  });
});
