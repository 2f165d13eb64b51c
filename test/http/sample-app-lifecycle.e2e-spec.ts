import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SampleAppPackage } from './sample-app-package.js';
import type { SampleAppProcess } from './sample-app-process.js';

const CITIES = 135_233;

// Processes start here, and each wait for one has its own, shorter deadline.
jest.setTimeout(600_000);

let built: SampleAppPackage;

beforeAll(async () => {
  built = await SampleAppPackage.build();
});

afterAll(() => built.remove());

async function countPlaces(url: string): Promise<number> {
  const response = await fetch(`${url}/statistics`);
  const { data } = (await response.json()) as { data: { places: number }[] };
  return data.reduce((sum, { places }) => sum + places, 0);
}

describe('sample-app on its embedded database', () => {
  let first: { app: SampleAppProcess; leftLock: boolean };
  let app: SampleAppProcess;
  let url: string;

  beforeAll(async () => {
    const killed = built.start();
    await killed.said(/Loading the cities: +[3-6]\d %/);
    await killed.ended('SIGKILL');
    first = { app: killed, leftLock: await built.isLocked() };

    app = built.start();
    url = await app.url();
  });

  it('holds every city after it was killed while it loaded them', async () => {
    expect(first.app.output).not.toContain('100 %');
    expect(app.output).toContain('100 %');
    expect(await countPlaces(url)).toBe(CITIES);
  });

  it('takes over the lock that the killed one left behind', () => {
    expect(first.leftLock).toBe(true);
    expect(app.output).not.toContain('is in use');
  });

  it('refuses a second process its data, with advice', async () => {
    const second = built.start();
    const exit = await second.ended();

    expect(exit.code).toBe(1);
    expect(second.output).toMatch(/is in use by process \d+ .*PLACES_DATA_DIR=/);
    expect((await fetch(`${url}/statistics/DE`)).status).toBe(200);
  });

  it('ends by SIGTERM with code 0 and frees its port and its data', async () => {
    // Browsers hold such connections, on which they never ask for anything.
    const silent = connect(Number(new URL(url).port), 'localhost');
    silent.on('error', () => {});
    await once(silent, 'connect');

    const exit = await app.ended('SIGTERM');
    silent.destroy();

    expect(exit).toEqual({ code: 0, signal: null });
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    expect(await built.isLocked()).toBe(false);
  });

  it('starts again with all data, and loads nothing', async () => {
    // Nobody listens there: what the application says of it the next test reads.
    app = built.start({ REDIS_URL: 'redis://me:secret@127.0.0.1:1' });
    url = await app.url();

    expect(app.output).not.toContain('Loading');
    expect(await countPlaces(url)).toBe(CITIES);
  });

  it('says which Redis it shares its cache through, why it can not be reached, and no password', async () => {
    await app.said(/no connection to Redis yet: .*ECONNREFUSED/);

    expect(app.output).toContain('Shares its cache through Redis at 127.0.0.1:1\n');
    expect(app.output).not.toMatch(/secret|me:/);
  });

  it('ends by SIGINT, with code 0', async () => {
    expect(await app.ended('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('ends with code 1 and advice where its port is taken', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;

    const late = built.start({ PORT: String(port) });
    const exit = await late.ended();
    other.close();

    expect(exit.code).toBe(1);
    expect(late.output).toContain(`Port ${port} is taken.`);
    expect(await built.isLocked()).toBe(false);
  });

  it('names every setting that can not be used, of the environment and of its .env', async () => {
    const envFile = join(built.folder, 'sample-app/.env');
    const original = await readFile(envFile, 'utf8');
    await writeFile(envFile, 'DATABASE_URL=mysql://me:secret@host\nPORT=1');

    const late = built.start({ PORT: '99999' });
    const exit = await late.ended();
    await writeFile(envFile, original);

    expect(exit.code).toBe(1);
    expect(late.output).toContain('PORT must be a whole number from 0 to 65535, got "99999".');
    expect(late.output).toContain('DATABASE_URL must look like postgres://');
    expect(late.output).not.toContain('secret');
  });
});
