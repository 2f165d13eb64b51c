import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { codeBlocks, documents, read, root } from './documents.js';

const examples = readdirSync(join(root, 'test/docs/examples')).toSorted();
/** Specs as users write them: Jest runs those for Jest, `node-specs.spec.ts` the others. */
const specs = readdirSync(join(root, 'test/docs/specs'));
const texts = new Map([
  ...examples.map((name) => [name, read(`test/docs/examples/${name}`)] as const),
  ...specs.map((name) => [name, read(`test/docs/specs/${name}`)] as const),
]);

/** What an example says it prints: the comments behind its `console.log`s, in their order. */
function promised(text: string): string[] {
  return [...text.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(([, output]) =>
    output!.split(/, (?=\{)/),
  );
}

describe('the examples of the documentation', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(examples)('%s prints what its comments say', async (name) => {
    const printed: string[] = [];
    jest.spyOn(console, 'log').mockImplementation((...output) => {
      printed.push(format(...output));
    });

    await import(`./examples/${name.replace(/\.ts$/, '')}`);

    expect(printed).toEqual(promised(texts.get(name)!));
    expect(printed).not.toEqual([]);
  });

  it.each(documents().map(({ name }) => name))('%s shows only examples that run', (name) => {
    const shown = codeBlocks(read(name), 'ts');

    for (const code of shown) expect([...texts.values()]).toContain(code);
  });

  it('shows every example somewhere', () => {
    const shown = new Set(documents().flatMap(({ text }) => codeBlocks(text, 'ts')));

    expect([...texts].filter(([, text]) => !shown.has(text)).map(([name]) => name)).toEqual([]);
  });
});
