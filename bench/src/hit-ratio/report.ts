import { pointOf } from './traces.js';
import type { Point, ScanCost, Subject } from './run.js';

const COLUMNS: readonly Subject[] = [
  'library',
  'bit2 simulated',
  'Caffeine 3.2.2',
  'LRU',
  'optimum',
  '8 shards',
];

/** Renders what the replays came to: a table of all points, and what they say together. */
export function renderHitRatios(points: readonly Point[], costs: readonly ScanCost[]): string {
  const rows = points.map((point) => [
    pointOf(point.trace, point.size),
    ...COLUMNS.map((column) => point.hits[column]?.toFixed(2) ?? ''),
  ]);
  return [
    '## Hits in percent of all requests',
    '',
    markdownTable(['trace and size', ...COLUMNS], rows),
    '',
    '## What they say together',
    '',
    ...summary(points, costs).map((sentence) => `- ${sentence}`),
    '',
  ].join('\n');
}

/** What a plot shows: hits over size for each trace and each of a few subjects. */
export function plottedPoints(
  points: readonly Point[],
): { trace: string; size: number; subject: string; hits: number }[] {
  const subjects = ['library', 'Caffeine 3.2.2', 'LRU', 'optimum'] as const;
  return points.flatMap(({ trace, size, hits }) =>
    subjects.flatMap((subject) => {
      const share = hits[subject];
      return share === undefined ? [] : [{ trace, size, subject, hits: share }];
    }),
  );
}

/** The sentences that the bars are about. */
export function summary(points: readonly Point[], costs: readonly ScanCost[]): readonly string[] {
  const recorded = points.filter((point) => point.recorded);
  const toModel = differences(recorded, 'library', 'bit2 simulated');
  const ratios = recorded
    .filter(({ hits }) => hits['Caffeine 3.2.2'] !== undefined)
    .map(({ hits }) => hits.library! / hits['Caffeine 3.2.2']!);
  const noLoops = points.filter(({ trace }) => !trace.includes('loop'));
  const lines = [
    describeDifferences('The library less the simulated policy, recorded traces', toModel),
    ratios.length === 0
      ? 'No figures of Caffeine at hand.'
      : `The library over Caffeine 3.2.2, mean of ${ratios.length} points: ${mean(ratios).toFixed(3)}.`,
    describeDifferences('8 shards less one, no loops', differences(noLoops, '8 shards', 'library')),
    ...[100, 500].map((size) => {
      const shards = `default shards, ${size} entries` as Subject;
      const firsts = firstOfEachTrace(points);
      const lost = differences(firsts, shards, `one shard, ${size} entries` as Subject);
      return describeDifferences(`Default shards less one at ${size} entries`, lost);
    }),
  ];
  const scans = costs.map(
    (cost) =>
      `A scan of 20,000 cold keys behind every 30,000 requests costs the others ` +
      `${(cost.without - cost.with).toFixed(2)} points at ${cost.size} entries ` +
      `(${cost.without.toFixed(2)} to ${cost.with.toFixed(2)}).`,
  );
  return [...lines, ...scans];
}

interface Difference {
  readonly point: string;
  readonly points: number;
}

function differences(points: readonly Point[], one: Subject, other: Subject): Difference[] {
  return points
    .filter(({ hits }) => hits[one] !== undefined && hits[other] !== undefined)
    .map(({ trace, size, hits }) => ({
      point: pointOf(trace, size),
      points: hits[one]! - hits[other]!,
    }));
}

function describeDifferences(what: string, all: readonly Difference[]): string {
  if (all.length === 0) return `${what}: nothing to compare.`;
  const sorted = all.toSorted((a, b) => a.points - b.points);
  const [worst, best] = [sorted[0]!, sorted.at(-1)!];
  const show = ({ point, points }: Difference): string => `${signed(points)} (${point})`;
  const average = signed(mean(all.map(({ points }) => points)));
  return `${what}: mean ${average} points over ${all.length}, worst ${show(worst)}, best ${show(best)}.`;
}

function firstOfEachTrace(points: readonly Point[]): Point[] {
  return [...new Map(points.toReversed().map((point) => [point.trace, point])).values()];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function signed(points: number): string {
  return `${points < 0 ? '-' : '+'}${Math.abs(points).toFixed(2)}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
