import { addConsumer } from './workspace.mjs';
import { expectThat } from './expect-that.mjs';
import { run } from './run.mjs';

/** Compiles a consumer with its own strict settings and runs what came out. */
export function checkConsumer(workspace, name) {
  const consumer = addConsumer(workspace, name);
  run('node', ['../node_modules/typescript/bin/tsc', '-p', '.'], { cwd: consumer });
  const printed = run('node', ['dist/main.js'], { cwd: consumer, deadlineMs: 30_000 });
  expectThat(
    printed.trim().endsWith('loaded once, app closed'),
    `${name} printed this instead of its last line:\n${printed}`,
  );
}
