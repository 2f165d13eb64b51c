import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildPage } from './page-fixture.js';

const MAX_SCRIPT_BYTES = 120_000;

describe('the build of the page', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await buildPage();
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each(['dashboard.js', 'dashboard.css'])('keeps the licence of what is in %s', async (name) => {
    const text = await readFile(join(folder, name), 'utf8');

    expect(text).toMatch(/^\/\*! With uplot:\s+The MIT License[^]*Leon Sorokin/);
  });

  it('is small', async () => {
    const script = await readFile(join(folder, 'dashboard.js'));

    expect(script.byteLength).toBeLessThan(MAX_SCRIPT_BYTES);
  });

  it('leaves to the server what leads to the assets, and nothing else', async () => {
    const html = await readFile(join(folder, 'index.html'), 'utf8');

    expect(html.match(/\{\{base\}\}[\w.]+/g)).toEqual([
      '{{base}}dashboard.css',
      '{{base}}dashboard.js',
    ]);
    expect(html.match(/\{\{/g)).toHaveLength(2);
  });
});
