import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './run.mjs';
import { ROOT } from './workspace.mjs';

const MODULES = join(ROOT, 'node_modules');
const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'coverage', '.data']);

/**
 * Lays a copy of this checkout over an installation of Nest 11. Everything that is not Nest's is linked
 * from this checkout, so only Nest is fetched.
 */
export function copyOnNest11(folder) {
  return copyOn('nest11', folder, (name) => name !== '@nestjs');
}

/** Lays one over an installation of the older versions of the Redis clients. */
export function copyOnOlderClients(folder) {
  return copyOn('clients5', folder, () => true);
}

/**
 * @param {string} versions the folder beside this one that says what is fetched
 * @param {(name: string) => boolean} isLinked whether what is not fetched is taken from this checkout
 */
function copyOn(versions, folder, isLinked) {
  cpSync(fileURLToPath(new URL(versions, import.meta.url)), folder, { recursive: true });
  run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  cpSync(ROOT, folder, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  linkTheRest(join(folder, 'node_modules'), isLinked);
  return folder;
}

/** Links each package of this checkout that the folder lacks. */
function linkTheRest(modules, isLinked) {
  const names = readdirSync(MODULES)
    .filter((name) => !name.startsWith('.') && isLinked(name))
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
