import { appendFileSync } from 'node:fs';

/**
 * A Jest reporter that appends each run's totals to the file named by `JEST_RESULTS`, one JSON line
 * a run, and does nothing where that is unset. `JEST_RUN` names a run that repeats the others' tests.
 */
export default class JestResults {
  onRunComplete(_contexts, results) {
    const file = process.env.JEST_RESULTS;
    if (file === undefined) return;
    const totals = {
      run: process.env.JEST_RUN,
      passed: results.numPassedTests,
      // A suite that could not be run holds tests that nobody counted.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    appendFileSync(file, `${JSON.stringify(totals)}\n`);
  }
}
