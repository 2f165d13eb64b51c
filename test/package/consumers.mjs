import { join } from 'node:path';

import { addConsumer } from './workspace.mjs';
import { expectThat } from './expect-that.mjs';
import { run } from './run.mjs';

/** Compiles a consumer with its own strict settings, or others of its folder, and runs what came out. */
export function checkConsumer(workspace, name, config = 'tsconfig.json') {
  compileConsumer(workspace, name, config);
  runConsumer(workspace, name);
}

export function compileConsumer(workspace, name, config = 'tsconfig.json') {
  const consumer = addConsumer(workspace, name);
  run('node', ['../node_modules/typescript/bin/tsc', '-p', config], { cwd: consumer });
}

/** Runs a consumer that is compiled. */
export function runConsumer({ folder }, name, program = process.execPath) {
  const printed = run(program, ['dist/main.js'], { cwd: join(folder, name), deadlineMs: 30_000 });
  expectThat(
    printed.trim().endsWith('loaded once, app closed'),
    `${name} printed this instead of its last line:\n${printed}`,
  );
}
