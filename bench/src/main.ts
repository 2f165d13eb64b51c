/**
 * The command line: `npm run bench -- [suite…] [--case <text>] [--all] [--rounds <n>] [--json]`, and
 * `npm run bench -- hitratio [--traces <folder>]`, which counts hits and takes no time.
 * Tables, or with `--json` one JSON line per figure, go to standard output; progress goes to standard
 * error.
 */
import { parseArgs } from 'node:util';

import { Progress } from './harness/progress.js';
import { figuresOf, renderTables } from './harness/report.js';
import { planCells, runCells } from './harness/runner.js';
import type { Case } from './harness/suite.js';
import { renderHitRatios } from './hit-ratio/report.js';
import { replayAll, scanCosts } from './hit-ratio/run.js';
import { suites } from './suites.js';

const HIT_RATIO = 'hitratio';

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
  },
});
if (positionals[0] === HIT_RATIO) {
  await reportHitRatios(options.traces);
  process.exit();
}
const rounds = Number(options.rounds);
const unknown = positionals.filter((wanted) => !suites.some(({ name }) => name === wanted));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  const known = suites.map(({ name }) => name).join(', ');
  const usage = 'npm run bench -- [suite…] [--case <text>] [--all] [--rounds <n>] [--json]';
  process.stderr.write(`Use: ${usage}; suites are ${known}, ${HIT_RATIO}.\n`);
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

for (const { suite, measured, cells } of plans) {
  const figures = figuresOf(suite, measured, await runCells(cells, () => progress.begin()));
  progress.clear();
  if (options.json) for (const figure of figures) console.log(JSON.stringify(figure));
  else console.log(renderTables(figures));
}

async function reportHitRatios(folder: string | undefined): Promise<void> {
  if (folder === undefined) {
    process.stderr.write('Only generated traffic is replayed: --traces <folder> adds recorded.\n');
  }
  const points = await replayAll(folder, (text) => process.stderr.write(`${text}\n`));
  const costs = scanCosts();
  if (options.json) for (const line of [...points, ...costs]) console.log(JSON.stringify(line));
  else console.log(renderHitRatios(points, costs));
}

function withPeers(measured: Case): Case {
  return { ...measured, subjects: { ...measured.subjects, ...measured.peers } };
}
