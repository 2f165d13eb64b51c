import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Header,
  NotFoundException,
  Param,
  Req,
  ServiceUnavailableException,
} from '@nestjs/common';
import {
  CacheHierarchy,
  CacheResponse,
  type CachedRequest,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { defer, type Deferred } from '../support/deferred.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { ADAPTERS, HttpApp, statusOf, type Reply } from './http-app.js';

let runs = 0;
let fails = false;
let gate: Deferred<void> = defer();

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settle();
}

@Controller()
class SlowController {
  constructor(private readonly cache: CacheHierarchy) {}

  @Get('stored/:id')
  @CacheResponse()
  async stored(): Promise<string> {
    const run = (runs += 1);
    await gate.promise;
    return `run ${run}`;
  }

  @Get('unstored')
  @Header('Cache-Control', 'no-store')
  @CacheResponse()
  async unstored(): Promise<string> {
    return this.stored();
  }

  @Get('failing')
  @CacheResponse()
  async failing(@Req() { headers }: CachedRequest): Promise<string> {
    runs += 1;
    await gate.promise;
    throw new NotFoundException(`for ${String(headers['x-client'])}`);
  }

  @Get('nested/:id')
  @CacheResponse()
  async nested(@Param('id') id: string): Promise<string> {
    await gate.promise;
    return this.cache.getOrSet(`inner:${id}`, () => `run ${(runs += 1)}`);
  }

  @Get('shaky')
  @CacheResponse({ ttl: '10s' })
  shaky(): string {
    runs += 1;
    if (fails) throw new ServiceUnavailableException();
    return `run ${runs}`;
  }
}

describe.each(ADAPTERS)('requests for one response at a time, on %s', (_, adapter) => {
  let app: HttpApp;
  let clock: VirtualClock;

  beforeEach(() => {
    runs = 0;
    fails = false;
    gate = defer();
  });

  afterEach(() => app.close());

  const start = async (cache: CacheHierarchyOptions = {}): Promise<void> => {
    clock = new VirtualClock();
    app = await HttpApp.start(adapter, {
      controllers: [SlowController],
      cache: { clock, ...cache },
    });
  };

  /** Sends requests and lets handlers go on when all of them wait. */
  const together = async (paths: readonly string[]): Promise<Reply[]> => {
    const before = app.get(CacheHierarchy).getMetrics().misses;
    const replies = paths.map((path, index) =>
      app.ask(path, { headers: { 'X-Client': String(index) } }),
    );
    await until(() => app.get(CacheHierarchy).getMetrics().misses >= before + paths.length);
    gate.resolve();
    return Promise.all(replies);
  };

  const ten = (path: string): string[] => Array.from({ length: 10 }, () => path);

  it('run the handler once', async () => {
    await start();
    const replies = await together(ten('/stored/1'));

    expect(runs).toBe(1);
    expect(new Set(replies.map(({ body }) => body))).toEqual(new Set(['run 1']));
    expect(replies.map(statusOf).toSorted()).toEqual([
      'fwd=miss; stored',
      ...Array.from({ length: 9 }, () => 'hit'),
    ]);
  });

  it('run it each where the response is not to be stored', async () => {
    await start();
    const replies = await together(ten('/unstored'));

    expect(new Set(replies.map(({ body }) => body)).size).toBe(10);
    expect(runs).toBe(10);
  });

  it('get each their own error', async () => {
    await start();
    const replies = await together(ten('/failing'));

    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 404));
    for (const [index, { body }] of replies.entries()) expect(body).toContain(`"for ${index}"`);
  });

  it('are not stored if the cache was cleared meanwhile', async () => {
    await start();
    const asked = app.ask('/stored/1');
    await until(() => runs > 0);
    await app.get(CacheHierarchy).clear();
    gate.resolve();
    await asked;

    expect((await app.ask('/stored/1')).body).toBe('run 2');
  });

  it('take no slot that what a handler calls needs', async () => {
    await start({ maxConcurrentLoads: 1 });
    const replies = await together(['/nested/1', '/nested/2', '/nested/3']);

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(runs).toBe(3);
  });

  it('get a response of before where the handler fails and the cache has grace', async () => {
    await start({ grace: '1m' });
    await app.ask('/shaky');
    fails = true;
    await clock.advance(12_000);
    const reply = await app.ask('/shaky');

    expect([reply.status, reply.body, reply.headers['age']]).toEqual([200, 'run 1', '12']);
    expect(runs).toBe(2);
  });

  it('never run a handler behind a response that was sent', async () => {
    await start({ eager: 0.5, grace: '1m', softTimeout: '1ms' });
    await app.ask('/shaky');
    await clock.advance(8_000);
    await app.ask('/shaky');
    await settle();

    expect(runs).toBe(1);
  });

  it('wait for their handlers as they would without a cache', async () => {
    await start({ waitTimeout: '1s', hardTimeout: '1s' });
    const asked = app.ask('/stored/1');
    await until(() => runs > 0);
    await clock.advance(60_000);
    gate.resolve();

    expect((await asked).status).toBe(200);
  });
});
