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

// The hooks run in a thread of their own, which loads this file once more.
if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, nextResolve) {
  const isSource = context.parentURL?.endsWith('.ts') && /^\.{1,2}\/.*\.js$/.test(specifier);
  return nextResolve(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const { code } = await transformFile(fileURLToPath(url), swcOptions);
  return { format: 'module', source: code, shortCircuit: true };
}
