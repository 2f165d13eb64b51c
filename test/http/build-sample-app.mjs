// Compiles the current lib and sample-app into a package of their own, in a second and without a
// look at dist: node test/http/build-sample-app.mjs <folder>. It strips types as jest does; whether
// they are right is for the typecheck to say.
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transformFile } from '@swc/core';
import jestConfig from '../../jest.config.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = process.argv[2];
const [, swcOptions] = jestConfig.transform['^.+\\.ts$'];

await Promise.all([
  compile('lib', 'dist'),
  compile('sample-app/src', 'sample-app/dist'),
  ...['package.json', 'sample-app/.env', 'sample-app/page'].map(copy),
]);
await promisify(execFile)(process.execPath, [
  join(root, 'lib/dashboard/build-page.mjs'),
  join(target, 'dist/dashboard/page'),
]);
await symlink(join(root, 'node_modules'), join(target, 'node_modules'), 'junction');

async function compile(from, to) {
  const names = await readdir(join(root, from), { recursive: true });
  const sources = names.filter(
    (name) =>
      name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.startsWith('dashboard/page/'),
  );
  await Promise.all(
    sources.map(async (name) => {
      const { code } = await transformFile(join(root, from, name), swcOptions);
      const output = join(target, to, name.replace(/\.ts$/, '.js'));
      await mkdir(dirname(output), { recursive: true });
      await writeFile(output, code);
    }),
  );
}

async function copy(name) {
  await cp(join(root, name), join(target, name), { recursive: true });
}
