import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './run.mjs';

/** Longer than any import, shorter than any timer of ours. */
const EXIT_DEADLINE_MS = 20_000;

export function checkDeepImport(workspace) {
  runProbe(workspace, 'deep-import.mjs');
}

export function checkBareImport(workspace) {
  runProbe(workspace, 'bare-import.mjs');
}

export function checkExit(workspace) {
  runProbe(workspace, 'unstopped-caches.mjs');
}

/** Runs a file of `probes/` where the package is installed; it must succeed and exit by itself. */
function runProbe({ folder }, file) {
  copyFileSync(fileURLToPath(new URL(`probes/${file}`, import.meta.url)), join(folder, file));
  run('node', [file], { cwd: folder, deadlineMs: EXIT_DEADLINE_MS });
}
