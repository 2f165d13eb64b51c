import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeWithRedis, freePort, RedisServer } from '../redis/redis-server.js';
import { SampleAppPackage } from './sample-app-package.js';
import type { SampleAppProcess } from './sample-app-process.js';

const LAGOS = 2_332_459;
const FLEET = 'fleet/main.js';

interface Body {
  readonly source: 'database' | 'cache';
  readonly data: { readonly name: string };
}

// Processes start here, and each wait for one has its own, shorter deadline.
jest.setTimeout(600_000);

let built: SampleAppPackage;

beforeAll(async () => {
  built = await SampleAppPackage.build();
});

afterAll(() => built.remove());

async function find(url: string): Promise<Body> {
  const response = await fetch(`${url}/places/${LAGOS}`);
  return (await response.json()) as Body;
}

async function rename(url: string, name: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ name });
  const response = await fetch(`${url}/places/${LAGOS}`, { method: 'PATCH', headers, body });
  expect(response.status).toBe(200);
}

describeWithRedis('a fleet of three instances of the sample-app', () => {
  let server: RedisServer;
  let fleet: SampleAppProcess;
  let urls: string[];

  beforeAll(async () => {
    server = await RedisServer.start();
    fleet = built.start({ REDIS_URL: `redis://127.0.0.1:${server.port}` }, FLEET);
    const [, listed] = await fleet.said(/look at the others: (.*)/);
    urls = listed!.trim().split(' ');
  });

  afterAll(() => server.stop());

  it('asks the database once for what each of them is asked', () => {
    const answers = [...fleet.output.matchAll(/has Berlin .* from the (\w+)/g)];

    expect(answers.map(([, source]) => source)).toEqual(['database', ...Array(5).fill('cache')]);
  });

  it('shows a change made at one at the others', async () => {
    expect(fleet.output.match(/visible at instance [23] after \d+ ms/g)).toHaveLength(4);

    for (const url of urls) await find(url);
    await rename(urls[2]!, 'Eko');
    const endsAt = Date.now() + 60_000;
    while ((await find(urls[0]!)).data.name !== 'Eko' && Date.now() < endsAt);
    expect((await find(urls[0]!)).data.name).toBe('Eko');
    await rename(urls[0]!, 'Lagos');
  });

  it('ends as a whole by SIGTERM, with code 0', async () => {
    expect(await fleet.ended('SIGTERM')).toEqual({ code: 0, signal: null });
    for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect(await built.isLocked()).toBe(false);
  });

  it('goes on without Redis, each instance on its own', async () => {
    const alone = built.start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    const url = await alone.url();

    expect((await find(url)).data.name).toBe('Lagos');
    expect((await find(url)).source).toBe('cache');
    expect(await alone.ended('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('a fleet that can not start', () => {
  it('says where it looked for Redis, and how to name another', async () => {
    const port = await freePort();
    const fleet = built.start({ REDIS_URL: `redis://me:secret@127.0.0.1:${port}` }, FLEET);
    const exit = await fleet.ended();

    expect(exit.code).toBe(1);
    expect(fleet.output).toContain(`Redis can not be reached at 127.0.0.1:${port}`);
    expect(fleet.output).toContain('REDIS_URL=redis://host:6379 npm run start:fleet');
    expect(fleet.output).not.toContain('secret');
  });

  it('names a REDIS_URL that is none', async () => {
    const fleet = built.start({ REDIS_URL: 'http://secret' }, FLEET);
    const exit = await fleet.ended();

    expect(exit.code).toBe(1);
    expect(fleet.output).toContain('REDIS_URL must look like redis://localhost:6379.');
    expect(fleet.output).not.toContain('secret');
  });
});
