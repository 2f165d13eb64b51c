import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeWithRedis, RedisServer } from '../redis/redis-server.js';
import { codeBlocks, documents, read, root } from './documents.js';

const examples = readdirSync(join(root, 'test/docs/examples')).toSorted();
/** Specs as users write them: Jest runs those for Jest, `node-specs.spec.ts` the others. */
const specs = readdirSync(join(root, 'test/docs/specs'));
const texts = new Map([
  ...examples.map((name) => [name, read(`test/docs/examples/${name}`)] as const),
  ...specs.map((name) => [name, read(`test/docs/specs/${name}`)] as const),
]);

/** Whether an example asks a server, which it is told of by its environment. */
function needsRedis(name: string): boolean {
  return texts.get(name)!.includes('REDIS_URL');
}

/** What an example says it prints: the comments behind its `console.log`s, in their order. */
function promised(text: string): string[] {
  return [...text.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(([, output]) =>
    output!.split(/, (?=\{)/),
  );
}

async function printsWhatItSays(name: string): Promise<void> {
  const printed: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((...output) => {
    printed.push(format(...output));
  });

  await import(`./examples/${name.replace(/\.ts$/, '')}`);

  expect(printed).toEqual(promised(texts.get(name)!));
  expect(printed).not.toEqual([]);
}

afterEach(() => {
  jest.restoreAllMocks();
});

describeWithRedis('the examples of the documentation that need Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
    process.env['REDIS_URL'] = `redis://127.0.0.1:${server.port}`;
  });

  afterAll(async () => {
    delete process.env['REDIS_URL'];
    await server.stop();
  });

  it.each(examples.filter(needsRedis))('%s prints what its comments say', printsWhatItSays);
});

describe('the examples of the documentation', () => {
  const alone = examples.filter((name) => !needsRedis(name));

  it.each(alone)('%s prints what its comments say', printsWhatItSays);

  it.each(documents().map(({ name }) => name))('%s shows only examples that run', (name) => {
    const shown = codeBlocks(read(name), 'ts');

    for (const code of shown) expect([...texts.values()]).toContain(code);
  });

  it('shows every example somewhere', () => {
    const shown = new Set(documents().flatMap(({ text }) => codeBlocks(text, 'ts')));

    expect([...texts].filter(([, text]) => !shown.has(text)).map(([name]) => name)).toEqual([]);
  });
});
