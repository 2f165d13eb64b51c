import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEADLINE_MS = 30_000;

/** Runs the application in a process of its own; one that does not end by itself is killed. */
async function run(...args: string[]): Promise<{ exit: unknown; output: string; errors: string }> {
  const nodeArgs = [
    '--import',
    './test/support/typescript-hooks.mjs',
    'test/module/closing-app.ts',
  ];
  const child = spawn(process.execPath, [...nodeArgs, ...args], {
    cwd: ROOT,
    timeout: DEADLINE_MS,
    env: { PATH: process.env.PATH },
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null, string | null]>,
  ]);
  return { exit: signal ?? code, output, errors };
}

describe('a process with a cache in it', () => {
  it.each([
    ['after the application was closed', []],
    ['after an application that listened was closed', ['--listen']],
    ['with an application that nobody closes', ['--leave-open']],
  ])(
    'ends by itself %s',
    async (_, args) => {
      expect(await run(...args)).toMatchObject({ exit: 0, output: 'place 1\n' });
    },
    2 * DEADLINE_MS,
  );
});
