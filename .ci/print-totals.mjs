/**
 * Prints `N passed, N failed` from what the test runner reported: the sum of its runs, so that a
 * reader of the last line has the whole. Prints nothing when no test was run.
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

const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
if (runs.length > 0) {
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
}
