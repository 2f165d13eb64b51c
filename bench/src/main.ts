/**
 * The command line: `npm run bench -- [suite…] [--case <text>] [--all] [--rounds <n>]
 * [--json] [--write]`, and
 * `npm run bench -- hitratio [--traces <folder>]`, which counts hits and takes no time.
 * Tables, or with `--json` one JSON line per figure, go to standard output; progress goes to standard
 * error. `--write` puts tables and plots into `docs/benchmarks` as well.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { pageOf, provenance } from './harness/page.js';
import { Progress } from './harness/progress.js';
import { figuresOf, renderTables, type Figure } from './harness/report.js';
import { planCells, runCells } from './harness/runner.js';
import type { Case } from './harness/suite.js';
import { plottedPoints, renderHitRatios } from './hit-ratio/report.js';
import { replayAll, scanCosts, type Point } from './hit-ratio/run.js';
import { suites } from './suites.js';

const HIT_RATIO = 'hitratio';
/** Where `--write` puts its pages: commands of npm run in the project's folder. */
const PAGES = 'docs/benchmarks';

/** Fewer give no quartiles worth the name. */
const ROUNDS = 5;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    case: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: String(ROUNDS) },
    traces: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
if (positionals[0] === HIT_RATIO) {
  await reportHitRatios(options.traces);
  process.exit();
}
const rounds = Number(options.rounds);
const command = ['npm run bench --', ...positionals, options.all ? '--all' : '', '--write']
  .filter((word) => word !== '')
  .join(' ');
const unknown = positionals.filter((wanted) => !suites.some(({ name }) => name === wanted));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  const known = suites.map(({ name }) => name).join(', ');
  const usage =
    'npm run bench -- [suite…] [--case <text>] [--all] [--rounds <n>] [--json] [--write]';
  const alone = `npm run bench -- ${HIT_RATIO} [--traces <folder>] stands alone`;
  process.stderr.write(`Use: ${usage}; suites are ${known}. ${alone}.\n`);
  process.exit(1);
}

const plans = suites
  .filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  .flatMap((suite) =>
    suite.cases
      .filter(({ name }) => name.includes(options.case))
      .map((measured) => (options.all ? withPeers(measured) : measured))
      .map((measured) => ({ suite, measured, cells: planCells(suite, measured, rounds) })),
  );
const progress = new Progress(plans.flatMap(({ cells }) => cells));
if (rounds < ROUNDS)
  process.stderr.write(`${rounds} of ${ROUNDS} rounds: figures to look at only.\n`);

const written = new Map<string, Figure[]>();
for (const { suite, measured, cells } of plans) {
  const figures = figuresOf(suite, measured, await runCells(cells, () => progress.begin()));
  progress.clear();
  if (options.json) for (const figure of figures) console.log(JSON.stringify(figure));
  else console.log(renderTables(figures));
  written.set(suite.name, [...(written.get(suite.name) ?? []), ...figures]);
}
if (options.write) await writePages();

async function writePages(): Promise<void> {
  const { writePage } = await import('./harness/write-page.js');
  for (const [name, figures] of written) {
    await writePage(PAGES, name, pageOf(name, figures, provenance(command, new Date())));
  }
}

async function reportHitRatios(folder: string | undefined): Promise<void> {
  if (folder === undefined) {
    process.stderr.write('Only generated traffic is replayed: --traces <folder> adds recorded.\n');
  }
  const points = await replayAll(folder, (text) => process.stderr.write(`${text}\n`));
  const costs = scanCosts();
  if (options.json) for (const line of [...points, ...costs]) console.log(JSON.stringify(line));
  else console.log(renderHitRatios(points, costs));
  if (options.write) await writeHitRatios(renderHitRatios(points, costs), points);
}

async function writeHitRatios(tables: string, points: readonly Point[]): Promise<void> {
  const { drawHitRatios, writePage } = await import('./harness/write-page.js');
  const plot = 'hit-ratios.svg';
  const taken = provenance('npm run bench -- hitratio --traces <folder> --write', new Date());
  const parts = [
    '# Figures: hit ratios',
    taken,
    `![hits over the size of the cache](${plot})`,
    tables,
  ];
  await writePage(PAGES, 'hit-ratios', { markdown: parts.join('\n\n'), plots: [] });
  writeFileSync(join(PAGES, plot), await drawHitRatios(plottedPoints(points)));
}

function withPeers(measured: Case): Case {
  return { ...measured, subjects: { ...measured.subjects, ...measured.peers } };
}
