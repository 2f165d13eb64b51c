/**
 * Builds the page of the dashboard into a folder: its script, with uPlot in it, its style sheet, its HTML.
 *
 * `node lib/dashboard/build-page.mjs <folder>`
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const page = fileURLToPath(new URL('./page/', import.meta.url));
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say which folder the page goes to.');

const licence = await licenceOf('uplot');
const options = {
  bundle: true,
  minify: true,
  target: ['chrome111', 'firefox115', 'safari16.4'],
  banner: { js: licence, css: licence },
  logLevel: 'warning',
};
await mkdir(folder, { recursive: true });
await build({
  ...options,
  entryPoints: [join(page, 'main.ts')],
  outfile: join(folder, 'dashboard.js'),
  format: 'esm',
  tsconfig: join(page, 'tsconfig.json'),
});
await build({
  ...options,
  entryPoints: [join(page, 'dashboard.css')],
  outfile: join(folder, 'dashboard.css'),
});
const html = await readFile(join(page, 'index.html'), 'utf8');
await writeFile(join(folder, 'index.html'), html.replace(/<!--.*?-->\n/s, ''));

/** The licence wants to be in every copy; the head comment of the file is not one that minifying keeps. */
async function licenceOf(name) {
  const entry = createRequire(import.meta.url).resolve(name);
  const text = await readFile(join(dirname(entry), '..', 'LICENSE'), 'utf8');
  return `/*! With ${name}:\n\n${text.trim()}\n*/`;
}
