import { spawnSync } from 'node:child_process';

import { expectThat } from './expect-that.mjs';

const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--maxWorkers=100%'];

/** A page is no other in the browser where another Node serves it. */
const BROWSER_SPECS = '--testPathIgnorePatterns=/node_modules/|/test/dashboard/.*\\.e2e-spec';

/** The whole of the long searches is what `npm test` runs. */
const SEARCH_SHARE = '0.1';

/**
 * Runs specs of a checkout, every one by default but those that drive a browser, and shows what Jest prints.
 *
 * @param {string} root the checkout
 * @param {string} program the Node to run it on
 * @param {string} name what the totals of this run are called
 * @param {readonly string[]} specs their paths
 */
export function runSuite(root, program, name, specs = []) {
  const { status, signal } = spawnSync(program, [...JEST, ...specs, BROWSER_SPECS], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, SEARCH_SHARE, JEST_RUN: name },
  });
  expectThat(status === 0, `${name}: ${signal ?? `exit code ${status}`}.`);
}
