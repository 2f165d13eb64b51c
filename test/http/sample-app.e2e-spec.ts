import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SampleAppPackage } from './sample-app-package.js';
import type { SampleAppProcess } from './sample-app-process.js';
import { StatementCounter } from './statement-counter.js';

const CITIES = 135_233;
const BERLIN = 2_950_159;
const LAGOS = 2_332_459;

interface Body {
  readonly source: 'database' | 'cache';
  readonly tookMs: number;
  readonly databaseMs: number;
  readonly data: unknown;
}
interface Place {
  readonly id: number;
  readonly name: string;
}
interface CountryStatistics {
  readonly places: number;
  readonly population: number;
}
interface Figures {
  readonly hits: number;
}
interface Stats {
  readonly cache: Figures & { readonly levels: Record<'L1' | 'L2', Figures> };
  readonly searches: Figures;
}

// Processes start here, and each wait for one has its own, shorter deadline.
jest.setTimeout(600_000);

let built: SampleAppPackage;

beforeAll(async () => {
  built = await SampleAppPackage.build();
});

afterAll(() => built.remove());

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url);
  return (await response.json()) as T;
}

describe('sample-app on a database whose statements are counted', () => {
  let database: Worker;
  let counter: StatementCounter;
  let app: SampleAppProcess;
  let url: string;

  beforeAll(async () => {
    const worker = join(built.folder, 'sample-app/dist/database/embedded-postgres.worker.js');
    database = new Worker(worker, { workerData: { cluster: join(built.folder, 'postgres') } });
    const [databaseUrl] = (await once(database, 'message')) as [string];
    counter = await StatementCounter.inFrontOf(Number(new URL(databaseUrl).port));

    app = built.start({ DATABASE_URL: databaseUrl.replace(/:\d+\//, `:${counter.port}/`) });
    url = await app.url();
    counter.take();
  });

  afterAll(async () => {
    await counter?.close();
    await database?.terminate();
  });

  it('loads every city', async () => {
    const { data } = await get<{ data: CountryStatistics[] }>(`${url}/statistics`);

    expect(data.reduce((sum, { places }) => sum + places, 0)).toBe(CITIES);
    counter.take();
  });

  it('answers the first nearest in the time of one statement, the second from L1 without any', async () => {
    const path = `${url}/nearest?lat=52.52&lon=13.405`;

    const cold = await get<Body>(path);
    const coldStatements = counter.take();
    const before = await get<Stats>(`${url}/stats`);
    const warm = await get<Body>(path);
    const after = await get<Stats>(`${url}/stats`);

    expect(cold.source).toBe('database');
    expect(cold.tookMs).toBeGreaterThanOrEqual(cold.databaseMs);
    expect(coldStatements).toHaveLength(1);
    expect(coldStatements[0]).toContain('asin(sqrt(');
    expect(warm).toMatchObject({ source: 'cache', data: cold.data });
    expect(after.cache.levels.L1.hits).toBe(before.cache.levels.L1.hits + 1);
    expect(after.cache.levels.L2.hits).toBe(before.cache.levels.L2.hits);
    expect(counter.take()).toEqual([]);
  });

  it('sends one statement for 50 callers of the same thing at once', async () => {
    const paths = Array.from({ length: 50 }, () => `${url}/search?q=nairobi`);

    const bodies = await Promise.all(paths.map((path) => get<{ data: Place[] }>(path)));

    expect(counter.take()).toHaveLength(1);
    expect(new Set(bodies.map(({ data }) => data[0]?.name))).toEqual(new Set(['Nairobi']));
  });

  it('keeps searches in a cache of their own', async () => {
    await get(`${url}/search?q=nairobi`);
    const before = await get<Stats>(`${url}/stats`);
    await get(`${url}/search?q=nairobi`);
    const after = await get<Stats>(`${url}/stats`);

    expect(after.searches.hits).toBe(before.searches.hits + 1);
    expect(after.cache.hits).toBe(before.cache.hits);
    expect(counter.take()).toEqual([]);
  });

  it('answers the next read after a write freshly, and from the cache what it left alone', async () => {
    const placePath = `/places/${BERLIN}`;
    const reads = [
      '/nearest?lat=52.52&lon=13.405',
      '/search?q=neuberlin',
      '/statistics/DE',
      placePath,
    ];
    const readAll = (): Promise<Body[]> =>
      Promise.all([...reads, '/statistics/FR'].map((path) => get<Body>(url + path)));
    const [, , before] = (await readAll()).map(({ data }) => data) as [
      Place[],
      Place[],
      CountryStatistics,
    ];
    expect((await readAll()).map(({ source }) => source)).toEqual(Array(5).fill('cache'));
    counter.take();

    const write = await fetch(url + placePath, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Neuberlin', population: 3_426_355 }),
    });
    const updates = counter.take();
    const after = await readAll();
    const statements = counter.take();

    expect(write.status).toBe(200);
    expect(updates).toEqual([expect.stringContaining('UPDATE places_sample.places')]);
    expect(after.map(({ source }) => source)).toEqual([
      'database',
      'database',
      'database',
      'database',
      'cache',
    ]);
    expect(statements).toHaveLength(reads.length);
    const [nearest, found, germany, place] = after.map(({ data }) => data) as [
      Place[],
      Place[],
      CountryStatistics,
      Place,
    ];
    expect(nearest.find(({ id }) => id === BERLIN)?.name).toBe('Neuberlin');
    expect(found.map(({ id }) => id)).toEqual([BERLIN]);
    expect(germany.population).toBe(before.population + 1);
    expect(place.name).toBe('Neuberlin');
  });

  it('answers 304 to who has the table by its entity tag, until a place is changed', async () => {
    const ask = (etag = ''): Promise<Response> =>
      fetch(`${url}/statistics.csv`, { headers: { 'If-None-Match': etag } });
    const rename = (name: string): Promise<Response> =>
      fetch(`${url}/places/${LAGOS}`, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ name }),
      });
    const first = await ask();
    const etag = first.headers.get('etag')!;
    counter.take();

    const second = await ask(etag);
    const statements = counter.take();
    await rename('Eko');
    const third = await ask(etag);

    expect(first.headers.get('content-type')).toContain('text/csv');
    expect(await first.text()).toMatch(/\r\nNG,\d+,\d+,"Lagos"\r\n/);
    expect([second.status, second.headers.get('cache-status')]).toEqual([
      304,
      'nestjs-cache-hierarchy; hit',
    ]);
    expect(statements).toEqual([]);
    expect(third.status).toBe(200);
    expect(await third.text()).toContain('"Eko"');
  });

  it('tells how the cache is', async () => {
    const response = await fetch(`${url}/health`);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      details: { cache: { status: 'up', levels: { L1: { state: 'up' }, L2: { state: 'up' } } } },
    });
  });

  it.each([
    ['/nearest?lat=91&lon=13', 'lat must be a number from -90 to 90; got "91"'],
    ['/nearest?lat=52', 'lon must be a number from -180 to 180; it is missing'],
    ['/nearest?lat=52&lon=13&lng=1', 'lng is unknown; known are lat, lon, limit'],
    ['/search', 'q must be a text of 1 to 100 printable characters; it is missing'],
    ['/statistics/DEU', 'country must be the two letters of a country, such as DE; got "DEU"'],
    ['/places/abc', 'id must be a whole number from 1 to 2147483647; got "abc"'],
  ])('answers %s with 400 and says what is wrong', async (path, problem) => {
    const response = await fetch(url + path);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: [problem] });
  });

  it('answers 404 for what is not there', async () => {
    expect((await fetch(`${url}/places/1`)).status).toBe(404);
    expect((await fetch(`${url}/statistics/XX`)).status).toBe(404);
  });

  it('shows a page whose links and figures work', async () => {
    const response = await fetch(`${url}/`);
    const page = await response.text();
    const links = [...page.matchAll(/href="(\/[^"]*)"/g)].map(([, path]) => path!);
    const answers = await Promise.all(links.map(async (path) => fetch(url + path)));

    expect(response.headers.get('content-type')).toContain('text/html');
    expect(links.length).toBeGreaterThan(8);
    expect(answers.map(({ status }) => status)).toEqual(links.map(() => 200));
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('answers what it has when the database is gone, and 503 for the rest', async () => {
    const cached = await get<Body>(`${url}/statistics/FR`);
    await counter.close();

    const again = await get<Body>(`${url}/statistics/FR`);
    const response = await fetch(`${url}/statistics/IT`);

    expect(again).toMatchObject({ source: 'cache', data: cached.data });
    expect(response.status).toBe(503);
    expect(app.output).toContain('The database can not be reached');
  });
});
