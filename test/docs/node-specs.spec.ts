import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { root } from './documents.js';

const folder = 'test/docs/specs';
const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.node-test.ts'));
const DEADLINE_MS = 30_000;

describe('the specs of the documentation for the runner of Node', () => {
  it.each(names)(
    '%s passes there',
    async (name) => {
      const hooks = ['--import', './test/support/typescript-hooks.mjs'];
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...hooks, '--test-reporter=tap', `${folder}/${name}`],
        { cwd: root, timeout: DEADLINE_MS, env: { PATH: process.env.PATH } },
      );

      expect(stdout).toMatch(/^# pass [1-9]/m);
      expect(stdout).toMatch(/^# fail 0$/m);
    },
    2 * DEADLINE_MS,
  );
});
