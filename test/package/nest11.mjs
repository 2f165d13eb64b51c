import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './run.mjs';
import { ROOT } from './workspace.mjs';

const MODULES = join(ROOT, 'node_modules');
const NEST_11 = fileURLToPath(new URL('nest11', import.meta.url));
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'coverage', '.data']);

/**
 * Lays a copy of this checkout over an installation of Nest 11. Everything that is not Nest's is linked
 * from this checkout, so only Nest is fetched.
 */
export function copyOnNest11(folder) {
  cpSync(NEST_11, folder, { recursive: true });
  run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  cpSync(ROOT, folder, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  linkTheRest(join(folder, 'node_modules'));
  return folder;
}

/** Links each package of this checkout that the folder lacks, except Nest's. */
function linkTheRest(modules) {
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
