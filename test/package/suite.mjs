import { spawnSync } from 'node:child_process';

import { expectThat } from './expect-that.mjs';

const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--maxWorkers=100%'];

/** What is no other on another Node or Nest: pages in a browser, and what benches come to. */
const LEFT_OUT = ['/node_modules/', '/test/dashboard/.*\\.e2e-spec', '/test/unit/bench-'];

/** The whole of the long searches is what `npm test` runs. */
const SEARCH_SHARE = '0.1';

/**
 * Runs specs of a checkout, every one by default but what is left out everywhere, and shows what Jest prints.
 *
 * @param {string} root the checkout
 * @param {string} program the Node to run it on
 * @param {string} name what the totals of this run are called
 * @param {object} [which]
 * @param {readonly string[]} [which.specs] their paths
 * @param {readonly string[]} [which.leftOut] patterns of paths that are left out here, too
 */
export function runSuite(root, program, name, { specs = [], leftOut = [] } = {}) {
  const ignored = `--testPathIgnorePatterns=${[...LEFT_OUT, ...leftOut].join('|')}`;
  const { status, signal } = spawnSync(program, [...JEST, ...specs, ignored], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, SEARCH_SHARE, JEST_RUN: name },
  });
  expectThat(status === 0, `${name}: ${signal ?? `exit code ${status}`}.`);
}
