import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { run } from './run.mjs';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const PACKAGE = 'nestjs-cache-hierarchy';

/** What can be imported of it, as `exports` of the manifest names it. */
export const ENTRIES = [
  '.',
  './cache-manager',
  './dashboard',
  './health',
  './opentelemetry',
  './prometheus',
  './redis',
  './schedule',
  './testing',
];

/**
 * What a consumer has beside the package: its peers, and what it compiles with. Nothing else can be
 * resolved, so an import that the manifest does not declare fails.
 */
const LINKED = [
  '@nestjs/common',
  '@nestjs/config',
  '@nestjs/core',
  '@nestjs/schedule',
  '@nestjs/terminus',
  '@opentelemetry/api',
  'ioredis',
  'msgpackr',
  'prom-client',
  'redis',
  'reflect-metadata',
  'rxjs',
  'typescript',
  '@types/node',
];

/**
 * A temporary folder in which the packed package is installed.
 *
 * @typedef {object} Workspace
 * @property {string} folder where consumers go
 * @property {string} tarball what `npm pack` made
 * @property {string} installed the package, as npm unpacked it
 * @property {string} nestVersion the version of Nest that is linked beside it
 * @property {() => void} remove deletes the folder
 */

/**
 * Packs the checkout and installs the tarball.
 *
 * @param {string} peers the node_modules folder that the peers are linked from
 * @returns {Workspace}
 */
export function createWorkspace(peers = join(ROOT, 'node_modules')) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `${PACKAGE}-`)));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const tarball = pack(folder);
    install(folder, tarball);
    for (const name of LINKED) link(folder, name, peers);
    const modules = join(folder, 'node_modules');
    return {
      folder,
      tarball,
      installed: join(modules, PACKAGE),
      nestVersion: readJson(join(modules, '@nestjs', 'core', 'package.json')).version,
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Copies a consumer into the workspace and returns its folder. */
export function addConsumer({ folder }, name) {
  const consumer = join(folder, name);
  cpSync(join(ROOT, 'test', 'package', name), consumer, { recursive: true });
  return consumer;
}

/** Reads a JSON file. */
export function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Lists a folder's files by their paths from there, with slashes. */
export function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

/** `prepack` builds the library first, so a stale build can not be tested. */
function pack(folder) {
  run('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  return join(folder, tarball);
}

/** Peers are left out because they are linked; without them there is nothing to fetch. */
function install(folder, tarball) {
  const flags = ['--offline', '--legacy-peer-deps', '--no-package-lock', '--no-save'];
  run('npm', ['install', ...flags, tarball], { cwd: folder });
}

function link(folder, name, peers) {
  const target = [peers, join(ROOT, 'node_modules')]
    .map((modules) => join(modules, name))
    .find((candidate) => existsSync(candidate));
  const path = join(folder, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, 'junction');
}
