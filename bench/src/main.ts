/**
 * The command line: `npm run bench -- [suite…] [--rounds <n>] [--json]`. Tables, or with `--json` one
 * JSON line per figure, go to standard output; progress goes to standard error.
 */
import { parseArgs } from 'node:util';

import { Progress } from './harness/progress.js';
import { figuresOf, renderTable } from './harness/report.js';
import { planCells, runCells } from './harness/runner.js';
import { suites } from './suites.js';

/** Fewer give no quartiles worth the name. */
const ROUNDS = 5;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: String(ROUNDS) },
  },
});
const rounds = Number(options.rounds);
const unknown = positionals.filter((wanted) => !suites.some(({ name }) => name === wanted));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  const known = suites.map(({ name }) => name).join(', ');
  const advice = `Use: npm run bench -- [suite…] [--rounds <n>] [--json]; suites are ${known}.`;
  process.stderr.write(`${advice}\n`);
  process.exit(1);
}

const plans = suites
  .filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  .flatMap((suite) =>
    suite.cases.map((measured) => ({
      suite,
      measured,
      cells: planCells(suite, measured, rounds),
    })),
  );
const progress = new Progress(plans.flatMap(({ cells }) => cells));
if (rounds < ROUNDS)
  process.stderr.write(`${rounds} of ${ROUNDS} rounds: figures to look at only.\n`);

for (const { suite, measured, cells } of plans) {
  const figures = figuresOf(suite, measured, await runCells(cells, () => progress.begin()));
  progress.clear();
  for (const figure of figures) if (options.json) console.log(JSON.stringify(figure));
  if (!options.json) console.log(renderTable(figures));
}
