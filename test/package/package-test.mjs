/**
 * Proves the package as its users get it: packs it, installs the tarball in a temporary folder and
 * uses it from there, with ES modules and with CommonJS. Takes what the package needs beside itself
 * from this checkout, so it runs offline. Stops at the first check that fails.
 */
import { checkBareImport, checkDeepImport, checkExit } from './behaviour.mjs';
import { checkConsumer } from './consumers.mjs';
import {
  checkFileList,
  checkLeaves,
  checkLinks,
  checkManifest,
  checkPublint,
  checkSourceMaps,
} from './contents.mjs';
import { checkDeclarations, checkExportedNames } from './declarations.mjs';
import { createWorkspace } from './workspace.mjs';

const checks = {
  'publint has nothing to say': checkPublint,
  'the manifest exports types and default': checkManifest,
  'the main entry loads nothing that has its own': checkLeaves,
  'the tarball holds what users need and nothing else': checkFileList,
  'every link of the README and the documentation leads to a packed file': checkLinks,
  'every source map finds its source': checkSourceMaps,
  'values exported at run time and declared are the same': checkExportedNames,
  'the declarations compile strictly and hold nothing internal': checkDeclarations,
  'no module but the entries can be imported': checkDeepImport,
  'a bare import registers nothing global': checkBareImport,
  'a process that imported the package exits by itself': checkExit,
  'an ES module consumer compiles, runs and exits': (it) => checkConsumer(it, 'consumer-esm'),
  'a CommonJS consumer compiles, runs and exits': (it) => checkConsumer(it, 'consumer-cjs'),
  'it does so with the module resolution of older compilers': (it) =>
    checkConsumer(it, 'consumer-cjs', 'tsconfig.node10.json'),
};

let workspace;
try {
  workspace = await step('packs and installs', () => createWorkspace());
  console.log(`Beside it: Nest ${workspace.nestVersion}, Node ${process.versions.node}.`);
  for (const [name, check] of Object.entries(checks)) await step(name, () => check(workspace));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  workspace?.remove();
}

async function step(name, run) {
  const startedAt = performance.now();
  try {
    const result = await run();
    console.log(`ok     ${name} (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    console.log(`FAILED ${name}`);
    throw error;
  }
}
