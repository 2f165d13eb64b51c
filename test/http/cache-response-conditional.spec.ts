import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Res, UseInterceptors, type NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { map } from 'rxjs';
import { CacheHierarchy, CacheResponse, CacheResponseInterceptor } from 'nestjs-cache-hierarchy';
import { ADAPTERS, HttpApp, statusOf } from './http-app.js';

let name = 'Paris';
let runs = 0;
let label = 'a';

interface AnyResponse {
  status(code: number): AnyResponse;
  header(name: string, value: string): AnyResponse;
}

/** Makes of a list what has its length: it fails for no list. */
const counted: NestInterceptor = {
  intercept: (_context, next) =>
    next.handle().pipe(map((list: unknown[]) => ({ count: list.length, list }))),
};

/** Makes something else of the same data. */
const labelled: NestInterceptor = {
  intercept: (_context, next) => next.handle().pipe(map((data: object) => ({ ...data, label }))),
};

@Controller()
class PlacesController {
  @Get('place')
  @CacheResponse()
  place(@Res({ passthrough: true }) response: AnyResponse): unknown {
    runs += 1;
    response.header('Link', '</places>');
    return { name };
  }

  @Get('tagged')
  @CacheResponse()
  tagged(@Res({ passthrough: true }) response: AnyResponse): unknown {
    runs += 1;
    response.header('ETag', '"own"');
    return { name };
  }

  @Get('gone')
  @CacheResponse()
  gone(@Res({ passthrough: true }) response: AnyResponse): unknown {
    response.status(410);
    return { name };
  }

  @Get('labelled')
  @CacheResponse()
  @UseInterceptors(labelled)
  labelled(): object {
    return { name };
  }

  @Get('list')
  @CacheResponse()
  @UseInterceptors(counted)
  list(): string[] {
    return [name];
  }
}

describe.each(ADAPTERS)('entity tags of responses on %s', (_, adapter) => {
  let app: HttpApp;

  beforeEach(async () => {
    name = 'Paris';
    runs = 0;
    label = 'a';
    app = await HttpApp.start(adapter, { controllers: [PlacesController] });
  });

  afterEach(() => app.close());

  const ask = (path: string, tag?: string, method = 'GET'): ReturnType<HttpApp['ask']> =>
    app.ask(path, { method, headers: tag === undefined ? {} : { 'If-None-Match': tag } });

  it('stay the same while the content does, also over an invalidation', async () => {
    const [first, hit] = [await ask('/place'), await ask('/place')];
    await app.get(CacheHierarchy).clear();
    const again = await ask('/place');
    await app.get(CacheHierarchy).clear();
    name = 'Lutetia';
    const other = await ask('/place');

    expect(first.headers['etag']).toMatch(/^W\/"[\w-]{27}"$/);
    expect([hit.headers['etag'], again.headers['etag']]).toEqual(
      Array.from({ length: 2 }, () => first.headers['etag']),
    );
    expect(other.headers['etag']).not.toBe(first.headers['etag']);
  });

  it('that the client has are a 304 without a body, on hits and when stored anew', async () => {
    const tag = (await ask('/place')).headers['etag']!;
    const hit = await ask('/place', tag);
    await app.get(CacheHierarchy).clear();
    const stored = await ask('/place', tag);

    expect([hit, stored].map(({ status, body }) => [status, body])).toEqual([
      [304, ''],
      [304, ''],
    ]);
    expect([hit, stored].map(statusOf)).toEqual(['hit', 'fwd=miss; stored']);
    for (const { headers } of [hit, stored]) {
      expect(headers).toMatchObject({ etag: tag, 'cache-control': 'no-cache', link: '</places>' });
    }
  });

  it.each([
    ['strong', (tag: string) => tag.replace('W/', '')],
    ['among others', (tag: string) => `"a", ${tag}, W/"b"`],
    ['any', () => '*'],
  ])('are compared weakly: %s', async (_kind, named) => {
    const tag = (await ask('/place')).headers['etag']!;

    expect((await ask('/place', named(tag))).status).toBe(304);
  });

  it.each(['"other"', 'W/"other"', 'garbage', ''])(
    'of another content, %s, are none',
    async (tag) => {
      await ask('/place');

      expect((await ask('/place', tag)).status).toBe(200);
    },
  );

  it('are those of the handler where it has some', async () => {
    const first = await ask('/tagged');
    const hit = await ask('/tagged', '"own"');

    expect([first.headers['etag'], hit.headers['etag'], hit.status]).toEqual([
      '"own"',
      '"own"',
      304,
    ]);
  });

  it('count for HEAD', async () => {
    const tag = (await ask('/place')).headers['etag']!;

    expect((await ask('/place', tag, 'HEAD')).status).toBe(304);
  });

  it('do not make a 304 of another status than 200', async () => {
    const tag = (await ask('/gone')).headers['etag']!;

    expect((await ask('/gone', tag)).status).toBe(410);
  });

  it('tell of what the handler returned, whatever interceptors outside make of it', async () => {
    const first = await ask('/labelled');
    label = 'b';
    const [conditional, whole] = [
      await ask('/labelled', first.headers['etag']),
      await ask('/labelled'),
    ];

    expect(conditional.status).toBe(304);
    expect([first.body, whole.body]).toEqual([
      '{"name":"Paris","label":"a"}',
      '{"name":"Paris","label":"b"}',
    ]);
    expect(whole.headers['etag']).toBe(first.headers['etag']);
  });

  it('tell of what interceptors make, where the cache is outside of them', async () => {
    await app.close();
    const outside = { provide: APP_INTERCEPTOR, useClass: CacheResponseInterceptor };
    app = await HttpApp.start(adapter, { controllers: [PlacesController], providers: [outside] });

    const first = await ask('/labelled');
    label = 'b';
    await app.get(CacheHierarchy).clear();
    const second = await ask('/labelled', first.headers['etag']);

    expect([second.status, second.body]).toEqual([200, '{"name":"Paris","label":"b"}']);
  });

  it('leave interceptors outside a body to work on', async () => {
    const first = await ask('/list');
    const second = await ask('/list', first.headers['etag']);

    expect([first.body, second.status, second.body]).toEqual([
      '{"count":1,"list":["Paris"]}',
      304,
      '',
    ]);
  });
});
