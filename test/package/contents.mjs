import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';

import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { expectThat } from './expect-that.mjs';
import { ENTRIES, listFiles, readJson } from './workspace.mjs';

/**
 * Sources are in the package because source maps and declaration maps point to them, the documentation because the
 * README does.
 */
const FOLDERS = {
  dist: /\.(js|d\.ts|js\.map|d\.ts\.map)$/,
  docs: /\.(md|png|svg)$/,
  lib: /\.ts$/,
};
const FILES = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'dist/dashboard/page/dashboard.css',
  'dist/dashboard/page/dashboard.js',
  'dist/dashboard/page/index.html',
  'docs/grafana/alerts.yaml',
  'docs/grafana/dashboard.json',
  'package.json',
];

export async function checkPublint({ installed, tarball }) {
  const { messages } = await publint({
    pack: { tarball: toArrayBuffer(readFileSync(tarball)) },
    strict: true,
  });
  const manifest = readJson(join(installed, 'package.json'));
  if (messages.length === 0) return;
  throw new Error(messages.map((message) => formatMessage(message, manifest)).join('\n'));
}

export function checkManifest({ installed }) {
  const { exports, type, sideEffects, dependencies, typesVersions } = readJson(
    join(installed, 'package.json'),
  );
  expectThat(type === 'module', 'package.json must say "type": "module".');
  expectThat(sideEffects === false, 'package.json must say "sideEffects": false.');
  expectThat(dependencies === undefined, 'The package must have no dependencies, only peers.');
  for (const name of ENTRIES) checkEntry(name, exports[name], installed);
  for (const name of ENTRIES.filter((entry) => entry !== '.')) {
    // What TypeScript reads where it does not look at `exports`.
    const [types] = typesVersions['*'][name.slice(2)] ?? [];
    const said = `typesVersions of ${name} must be the types of its exports, got ${types}.`;
    expectThat(types === exports[name].types, said);
  }
}

function checkEntry(name, entry, installed) {
  const conditions = Object.keys(entry).join(', ');
  expectThat(
    conditions === 'types, default',
    `exports["${name}"] must be types and default, in this order, got ${conditions}.`,
  );
  for (const path of Object.values(entry)) {
    expectThat(
      existsSync(join(installed, path)),
      `exports["${name}"] names ${path}, which is missing.`,
    );
  }
}

const LEAVES = [
  'adapters/',
  'dashboard/',
  'health/',
  'redis/',
  'schedule/',
  'telemetry/',
  'testing/',
];

/** What has its own entry must not come with the main one. */
export function checkLeaves({ installed }) {
  for (const leaf of LEAVES) {
    const importers = listFiles(join(installed, 'dist'))
      .filter((file) => file.endsWith('.js') && !file.startsWith(leaf))
      .filter((file) => readFileSync(join(installed, 'dist', file), 'utf8').includes(`/${leaf}`));
    expectThat(importers.length === 0, `${leaf} must not be imported by ${importers.join(', ')}.`);
  }
}

export function checkFileList({ installed }) {
  const files = listFiles(installed);
  const missing = FILES.filter((file) => !files.includes(file));
  expectThat(missing.length === 0, `The tarball lacks ${missing.join(', ')}.`);
  const stray = files.filter((file) => {
    const [folder] = file.split('/');
    return !FILES.includes(file) && !FOLDERS[folder]?.test(file);
  });
  expectThat(stray.length === 0, `The tarball must not hold ${stray.join(', ')}.`);
}

/** The project has no public address that a link could lead to instead. */
export function checkLinks({ installed }) {
  const files = listFiles(installed);
  const pages = files.filter((file) => file.endsWith('.md'));
  expectThat(pages.includes('docs/README.md'), 'The tarball has no documentation.');
  for (const page of pages) {
    const text = readFileSync(join(installed, page), 'utf8').replaceAll(/^```.*?^```/gms, '');
    for (const [, link] of text.matchAll(/\]\(([^)\s#]+)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const target = posix.join(posix.dirname(page), link);
      expectThat(files.includes(target), `${page} links to ${link}, which is not in the tarball.`);
    }
  }
}

export function checkSourceMaps({ installed }) {
  const maps = listFiles(installed).filter((file) => file.endsWith('.map'));
  expectThat(maps.length > 0, 'The tarball has no source maps.');
  for (const map of maps) {
    const path = join(installed, map);
    for (const source of readJson(path).sources) {
      const target = resolve(dirname(path), source);
      expectThat(existsSync(target), `${map} points to ${source}, which is not in the tarball.`);
    }
  }
}

function toArrayBuffer({ buffer, byteOffset, byteLength }) {
  return buffer.slice(byteOffset, byteOffset + byteLength);
}
