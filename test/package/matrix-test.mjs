/**
 * Proves the package on each version of Nest and of Node that it supports: packs it, type-checks and runs
 * an application with ES modules and one with CommonJS on each of them together, and runs the suite on each
 * Nest and on each Node. Nest 11 and what there is of Node beside the one that runs this are fetched into a
 * temporary folder. `npm test` is the suite on Nest 12 and this Node, so that is not run again. The older
 * versions of the Redis clients are fetched, too: they are tried with what is said of the level and of its
 * connections.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compileConsumer, runConsumer } from './consumers.mjs';
import { checkDeclarations, checkExportedNames } from './declarations.mjs';
import { MatrixTable } from './matrix-table.mjs';
import { fetchNodes, OWN_NODE } from './nodes.mjs';
import { copyOnNest11, copyOnOlderClients } from './older-versions.mjs';
import { run } from './run.mjs';
import { runSuite } from './suite.mjs';
import { createWorkspace, PACKAGE, readJson, ROOT } from './workspace.mjs';

const TSC = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noEmit'];
const CLIENT_SPECS = ['client-options', 'connections', 'fleet', 'redis-leases', 'redis-level'].map(
  (name) => `test/redis/${name}.spec.ts`,
);
const APPS = { 'ES modules': 'consumer-esm', CommonJS: 'consumer-cjs' };

const folder = realpathSync(mkdtempSync(join(tmpdir(), `${PACKAGE}-matrix-`)));
try {
  const nodes = fetchNodes(join(folder, 'nodes'));
  const table = new MatrixTable(nodes.map(({ name }) => name));
  const roots = [ROOT, copyOnNest11(join(folder, 'nest11'))];
  for (const root of roots) tryPackage(table, root, nodes);
  for (const root of roots) trySuite(table, root, nodes);
  tryClients(table, copyOnOlderClients(join(folder, 'clients5')));
  console.log(`\n${table.print()}`);
  for (const { name, missing } of nodes) if (missing) console.log(`${name}: ${missing}`);
  if (table.failed) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What it declares is checked once, what it does on each Node. */
function tryPackage(table, root, nodes) {
  const nest = nestOf(root);
  const workspace = createWorkspace(join(root, 'node_modules'));
  try {
    table.try(`${nest}, types`, OWN_NODE.name, () => {
      // What is built here is compiled by that already.
      if (root !== ROOT) run('node', TSC, { cwd: root });
      checkDeclarations(workspace);
      checkExportedNames(workspace);
      for (const app of Object.values(APPS)) compileConsumer(workspace, app);
    });
    for (const [name, app] of Object.entries(APPS)) {
      onEach(nodes, table, `${nest}, ${name}`, ({ program }) =>
        runConsumer(workspace, app, program),
      );
    }
  } finally {
    workspace.remove();
  }
}

/** The suite takes minutes, so each other Node runs it once: the first of them on Nest 11, the rest on Nest 12. */
function trySuite(table, root, nodes) {
  const nest = nestOf(root);
  const row = `${nest}, suite`;
  if (root === ROOT) table.note(row, OWN_NODE.name, 'npm test');
  const [first, ...rest] = nodes.filter((node) => node !== OWN_NODE);
  const ofNest11 = first.missing === undefined ? first : OWN_NODE;
  const tried = root === ROOT ? rest : [ofNest11];
  // Nest has no part in the interleavings, and beside `npm test` one other Node is enough for them.
  const leftOut = root === ROOT ? ['/test/interleaving/'] : [];
  onEach(tried, table, row, ({ name, program }) =>
    runSuite(root, program, `${nest}, ${name}`, { leftOut }),
  );
}

/** The specs make the clients, so their types are those that the level takes. */
function tryClients(table, root) {
  const clients = ['ioredis', 'redis'].map((name) => `${name} ${versionOf(root, name)}`).join(', ');
  const config = { extends: './tsconfig.json', include: ['test/redis'] };
  writeFileSync(join(root, 'tsconfig.redis.json'), JSON.stringify(config));
  table.try(`${clients}, types`, OWN_NODE.name, () => {
    run('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.redis.json'], { cwd: root });
  });
  table.try(`${clients}, level`, OWN_NODE.name, () => {
    runSuite(root, OWN_NODE.program, clients, { specs: CLIENT_SPECS });
  });
}

function nestOf(root) {
  return `Nest ${versionOf(root, '@nestjs/core')}`;
}

function versionOf(root, name) {
  return readJson(join(root, 'node_modules', name, 'package.json')).version;
}

function onEach(nodes, table, row, check) {
  for (const node of nodes) {
    if (node.missing) table.note(row, node.name, 'skipped');
    else table.try(row, node.name, () => check(node));
  }
}
