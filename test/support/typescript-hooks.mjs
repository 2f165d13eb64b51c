/**
 * Module hooks that let `node --import` this file run the TypeScript sources as Jest does, for tests
 * of what a whole process does.
 */
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformFile } from '@swc/core';
import jestConfig from '../../jest.config.js';

const [, swcOptions] = jestConfig.transform['^.+\\.ts$'];
const root = new URL('../../', import.meta.url).href;
const ownNames = Object.entries(jestConfig.moduleNameMapper).filter(([, path]) =>
  path.startsWith('<rootDir>'),
);

// The hooks run in a thread of their own, which loads this file once more.
if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, nextResolve) {
  const isSource = context.parentURL?.endsWith('.ts') && /^\.{1,2}\/.*\.js$/.test(specifier);
  if (isSource) return nextResolve(specifier.replace(/\.js$/, '.ts'), context);
  return nextResolve(sourceOf(specifier) ?? specifier, context);
}

/** Finds the source of what the package exports, which is not built here. */
function sourceOf(specifier) {
  const [pattern, path] = ownNames.find(([name]) => new RegExp(name).test(specifier)) ?? [];
  return pattern && specifier.replace(new RegExp(pattern), path.replace('<rootDir>/', root));
}

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const { code } = await transformFile(fileURLToPath(url), swcOptions);
  return { format: 'module', source: code, shortCircuit: true };
}
