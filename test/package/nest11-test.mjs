/**
 * Proves that the package works on Nest 11 as well: installs that version in a temporary folder, lays
 * a copy of this checkout over it, and there checks the library's types, runs the specs and tries the
 * packed package. Everything that is not Nest's is linked from this checkout, so only Nest is fetched.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PACKAGE, ROOT } from './workspace.mjs';

const MODULES = join(ROOT, 'node_modules');
const NEST_11 = fileURLToPath(new URL('nest11', import.meta.url));
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'coverage', '.data']);
const TSC = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noEmit'];
const JEST = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];

/** What starts the sample application, and long searches through the core, which knows no Nest. */
const NOT_OF_NEST = [String.raw`\.e2e-spec\.ts$`, '/test/model/', '/test/interleaving/'];

const folder = realpathSync(mkdtempSync(join(tmpdir(), `${PACKAGE}-nest11-`)));
const modules = join(folder, 'node_modules');
try {
  cpSync(NEST_11, folder, { recursive: true });
  step('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  cpSync(ROOT, folder, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  linkTheRest();
  step('node', TSC, folder);
  step('node', [...JEST, '--testPathIgnorePatterns', ...NOT_OF_NEST], folder);
  step('node', ['test/package/package-test.mjs', '--peers', modules], ROOT);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Links each package of this checkout that the folder lacks, except Nest's. */
function linkTheRest() {
  const names = readdirSync(MODULES)
    .filter((name) => !name.startsWith('.') && name !== '@nestjs')
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(MODULES, name)).map((part) => join(name, part))
        : [name],
    );
  for (const name of names) {
    const path = join(modules, name);
    if (existsSync(path)) continue;
    mkdirSync(join(path, '..'), { recursive: true });
    symlinkSync(join(MODULES, name), path, 'junction');
  }
}

function step(command, words, cwd) {
  const startedAt = performance.now();
  const { status, signal } = spawnSync(command, words, {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    throw new Error(
      `On Nest 11, \`${command} ${words.join(' ')}\`: ${signal ?? `exit code ${status}`}.`,
    );
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`Nest 11: ${command} ${words[0]} done (${seconds} s)`);
}
