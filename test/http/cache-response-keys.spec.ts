import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Headers,
  Param,
  Query,
  Req,
  Res,
  VersioningType,
  type INestApplication,
} from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CacheHierarchy, CacheResponse } from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';
import { ADAPTERS, HttpApp, statusOf } from './http-app.js';

let runs = 0;

interface AnyResponse {
  header(name: string, value: string): AnyResponse;
}

@Controller({ path: 'places', version: '1' })
class PlacesController {
  @Get('search')
  @CacheResponse()
  search(@Query() query: object): unknown {
    return { query, run: (runs += 1) };
  }

  @Get('keyed')
  @CacheResponse({
    key: ({ query }) => (query['fresh'] === '1' ? undefined : `q:${String(query['q'])}`),
  })
  keyed(@Query('q') q: string): unknown {
    return { q, run: (runs += 1) };
  }

  @Get('bad-key')
  @CacheResponse({ key: () => 5 as unknown as string })
  badKey(): void {}

  @Get('varying')
  @CacheResponse({ ttl: '10s' })
  varying(
    @Headers('accept-language') language: string,
    @Res({ passthrough: true }) response: AnyResponse,
  ): string {
    response.header('Vary', 'Accept-Language, Accept-Encoding');
    return `${language} ${(runs += 1)}`;
  }

  @Get('declared')
  @CacheResponse({ vary: 'X-Unit' })
  declared(@Headers('x-unit') unit: string): string {
    return `${unit} ${(runs += 1)}`;
  }

  @Get('varying-on/:names')
  @CacheResponse()
  varyingOn(
    @Param('names') names: string,
    @Res({ passthrough: true }) response: AnyResponse,
  ): string {
    response.header('Vary', names);
    return `run ${(runs += 1)}`;
  }

  @Get('version')
  @CacheResponse()
  version(): string {
    return `version 1, run ${(runs += 1)}`;
  }

  @Get('tagged/:id')
  @CacheResponse({ tags: ({ query }) => `name:${String(query['name'])}` })
  tagged(): string {
    return `run ${(runs += 1)}`;
  }

  @Get('request')
  @CacheResponse<Request & { headers: { host: string } }>({ key: ({ headers }) => headers.host })
  request(@Req() { headers }: { headers: { host: string } }): string {
    return `${headers.host} ${(runs += 1)}`;
  }
}

/** A controller of the same name, as folders for versions have it. */
const SecondVersion = ((): new () => object => {
  @Controller({ path: 'places', version: '2' })
  // oxlint-disable-next-line no-shadow -- the name is what the test is about
  class PlacesController {
    @Get('version')
    @CacheResponse()
    version(): string {
      return `version 2, run ${(runs += 1)}`;
    }
  }
  return PlacesController;
})();

function useVersions(app: INestApplication): void {
  app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version', defaultVersion: '1' });
}

const V1 = { 'X-Version': '1' };

const BEHIND_A_PROXY: readonly (readonly [string, () => AbstractHttpAdapter])[] = [
  [
    'Express',
    () => {
      const adapter = new ExpressAdapter();
      adapter.set('trust proxy', true);
      return adapter;
    },
  ],
  ['Fastify', () => new FastifyAdapter({ trustProxy: true })],
];

it.each(BEHIND_A_PROXY)(
  'behind a proxy that is trusted keys have its host on %s',
  async (_, adapter) => {
    runs = 0;
    const app = await HttpApp.start(adapter, {
      controllers: [PlacesController],
      prepare: useVersions,
    });
    const hosts: readonly Record<string, string>[] = [
      {},
      { 'X-Forwarded-Host': 'a.example' },
      { 'X-Forwarded-Host': 'b.example' },
    ];
    for (const forwarded of [...hosts, ...hosts])
      await app.ask('/places/search', { headers: { ...V1, Host: 'proxy.example', ...forwarded } });
    await app.close();

    expect(runs).toBe(3);
  },
);

describe.each(ADAPTERS)('the keys of responses on %s', (_, adapter) => {
  let app: HttpApp;
  let clock: VirtualClock;

  beforeEach(async () => {
    runs = 0;
    const controllers = [PlacesController, SecondVersion];
    clock = new VirtualClock();
    app = await HttpApp.start(adapter, { controllers, prepare: useVersions, cache: { clock } });
  });

  afterEach(() => app.close());

  const run = async (path: string, headers: Record<string, string> = {}): Promise<string> =>
    (await app.ask(path, { headers: { ...V1, ...headers } })).body;

  it('know no order of parameters, but one of the values of a parameter', async () => {
    await run('/places/search?b=2&a=1');
    await run('/places/search?a=1&b=2');
    expect(runs).toBe(1);

    await run('/places/search?a=1&a=2');
    await run('/places/search?a=2&a=1');
    expect(runs).toBe(3);

    await run('/places/search?a[]=1&a%5B%5D=2');
    await run('/places/search?a%5B%5D=2&a[]=1');
    expect(runs).toBe(5);

    await run('/places/search?a+b=1&a%20b=2');
    await run('/places/search?a%20b=2&a+b=1');
    expect(runs).toBe(7);

    await run('/places/search?%E0=1&%E1=2');
    await run('/places/search?%E1=2&%E0=1');
    expect(runs).toBe(9);
  });

  it.each([
    ['another value', '/places/search?a=1', '/places/search?a=2'],
    ['another path', '/places/tagged/1', '/places/tagged/2'],
    ['no query', '/places/search?a=1', '/places/search'],
    ['a value that looks like more', '/places/search?a=1%26b%3D2', '/places/search?a=1&b=2'],
    ['a broken escape', '/places/search?a=1', '/places/search?%E0=1'],
  ])('differ for %s', async (_name, one, other) => {
    await run(one);
    await run(other);

    expect(runs).toBe(2);
  });

  it('differ for hosts, and not for ports and letter case', async () => {
    const hosts = ['a.example', 'A.example', 'a.example:8080', 'b.example'];
    for (const Host of [...hosts, ...hosts]) await run('/places/search', { Host });

    expect(runs).toBe(2);
  });

  it('know the host that somebody claims to speak for only where a proxy is trusted', async () => {
    const claim = { Host: 'a.example', 'X-Forwarded-Host': 'b.example' };
    expect(await run('/places/search', { Host: 'a.example' })).toBe(
      await run('/places/search', claim),
    );
  });

  it('differ for versions on one URL, also of controllers of one name', async () => {
    expect(await run('/places/version', { 'X-Version': '1' })).toBe('version 1, run 1');
    expect(await run('/places/version', { 'X-Version': '2' })).toBe('version 2, run 2');
    expect(await run('/places/version', { 'X-Version': '1' })).toBe('version 1, run 1');
  });

  it('hold a query that is longer than a key may be', async () => {
    const long = `/places/search?q=${'x'.repeat(2_000)}`;
    expect(await run(long)).toBe(await run(long));
    await run(`${long}y`);

    expect(runs).toBe(2);
  });

  it('can be made by the route of what matters, and of nothing for what is not cached', async () => {
    await run('/places/keyed?q=rome&nonce=1');
    await run('/places/keyed?q=rome&nonce=2');
    expect(runs).toBe(1);

    await run('/places/keyed?q=rome&fresh=1');
    const bypassed = await app.ask('/places/keyed?q=rome&fresh=1', { headers: V1 });
    expect([runs, statusOf(bypassed)]).toEqual([3, 'fwd=bypass']);
  });

  it('refuse what the route makes that is no text', async () => {
    expect((await app.ask('/places/bad-key', { headers: V1 })).status).toBe(500);
  });

  it('know the request of the adapter', async () => {
    await run('/places/request', { Host: 'a.example' });
    await run('/places/request?other', { Host: 'a.example' });

    expect(runs).toBe(1);
  });

  it('have what a response varies on', async () => {
    const ask = (language: string): Promise<string> =>
      run('/places/varying', { 'Accept-Language': language });

    expect(await ask('fr')).toBe('fr 1');
    expect(await ask('fr')).toBe('fr 1');
    expect(await ask('de')).toBe('de 2');
    expect(await ask('fr')).toBe('fr 1');
    expect(await ask('de')).toBe('de 2');
    expect(runs).toBe(2);
  });

  it('have what the route says that its response varies on, which is sent', async () => {
    const replies = [];
    for (const unit of ['km', 'mi', 'km']) {
      replies.push(await app.ask('/places/declared', { headers: { ...V1, 'X-Unit': unit } }));
    }

    expect(replies.map(({ body }) => body)).toEqual(['km 1', 'mi 2', 'km 1']);
    for (const { headers } of replies) expect(headers['vary']).toContain('x-unit');
  });

  it('do not answer those who vary while the first is under way', async () => {
    const languages = ['fr', 'de', 'fr', 'de'];
    const bodies = await Promise.all(
      languages.map((language) => run('/places/varying', { 'Accept-Language': language })),
    );

    expect(bodies.map((body) => body.slice(0, 2))).toEqual(languages);
    expect(runs).toBeLessThanOrEqual(3);
  });

  it('forget what was stored before it was known to vary, when it is cleared', async () => {
    await run('/places/varying', { 'Accept-Language': 'fr' });
    await run('/places/varying', { 'Accept-Language': 'de' });
    await app.get(CacheHierarchy).namespace('http').clear();

    expect(await run('/places/varying', { 'Accept-Language': 'fr' })).toBe('fr 3');
  });

  it('give what was stored before it was known to vary no longer life', async () => {
    await run('/places/varying', { 'Accept-Language': 'fr' });
    await clock.advance(7_000);
    await run('/places/varying', { 'Accept-Language': 'de' });
    expect(await run('/places/varying', { 'Accept-Language': 'fr' })).toBe('fr 1');

    await clock.advance(3_000);
    expect(await run('/places/varying', { 'Accept-Language': 'fr' })).toBe('fr 3');
    expect(await run('/places/varying', { 'Accept-Language': 'de' })).toBe('de 2');
  });

  it.each(['*', Array.from({ length: 17 }, (_name, index) => `x-${index}`).join(', ')])(
    'are not made of too much: %s',
    async (names) => {
      const path = `/places/varying-on/${encodeURIComponent(names)}`;
      await run(path);

      expect(await run(path)).toBe('run 2');
    },
  );

  it('are without what was sent: a digest stands for it', async () => {
    await run('/places/varying', { 'Accept-Language': 'secret' });
    await run('/places/varying', { 'Accept-Language': 'other' });
    const keys = [...app.get(CacheHierarchy).l1.entries()].map(([key]) => key);

    expect(keys.filter((key) => key.includes('vary:'))).toHaveLength(1);
    expect(keys.filter((key) => /secret|other/.test(key))).toEqual([]);
  });

  it('do without a tag that can not be one: the request is not cached', async () => {
    const path = `/places/tagged/1?name=${'x'.repeat(300)}`;
    const replies = [await app.ask(path, { headers: V1 }), await app.ask(path, { headers: V1 })];

    expect(replies.map(({ status, body }) => [status, body])).toEqual([
      [200, 'run 1'],
      [200, 'run 2'],
    ]);
    expect(statusOf(replies[1]!)).toBe('fwd=bypass');
  });
});
