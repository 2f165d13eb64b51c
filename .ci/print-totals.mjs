/**
 * Prints `N passed, N failed` from what the test runner reported, so that a reader of the last line has
 * the whole: each test once, and what failed anywhere. Runs with a name repeat the same tests elsewhere:
 * each has a line of its own before. Prints nothing when no test was run.
 *
 * `node .ci/print-totals.mjs <file of the Jest reporter>`
 */
import { existsSync, readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const runs = existsSync(file)
  ? readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  : [];

const repeated = runs.filter(({ run }) => run !== undefined);
const counted = runs.filter(({ run }) => run === undefined);
for (const totals of repeated) console.log(`${totals.run}: ${show(totals)}`);
if (runs.length > 0) {
  const [passed, skipped] = [sum(counted, 'passed'), sum(counted, 'skipped')];
  console.log(show({ passed, failed: sum(runs, 'failed'), skipped }));
}

function sum(some, name) {
  return some.reduce((total, run) => total + run[name], 0);
}

function show({ passed, failed, skipped }) {
  const left = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${passed} passed, ${failed} failed${left}`;
}
