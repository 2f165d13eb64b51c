import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Head,
  Header,
  HttpCode,
  Module,
  NotFoundException,
  Param,
  Post,
  Res,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
} from '@nestjs/common';
import { CacheHierarchy, CacheResponse } from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';
import { ADAPTERS, HttpApp, statusOf } from './http-app.js';

let runs = 0;
let admits = true;

/** The methods that the responses of both adapters have. */
interface AnyResponse {
  status(code: number): AnyResponse;
  header(name: string, value: string): AnyResponse;
}

class Door implements CanActivate {
  canActivate(): boolean {
    if (!admits) throw new UnauthorizedException();
    return true;
  }
}

@Controller('places')
class PlacesController {
  @Get('all')
  @CacheResponse({ ttl: '5s', tags: ['places', 'lists'] })
  all(): unknown {
    return [{ run: (runs += 1) }];
  }

  @Get('one/:id')
  @CacheResponse({ tags: ({ params }) => `place:${params['id']}` })
  one(@Param('id') id: string): unknown {
    return { id, run: (runs += 1) };
  }

  @Get('head')
  @Header('X-Fixed', 'decorator')
  @HttpCode(203)
  @CacheResponse()
  head(@Res({ passthrough: true }) response: AnyResponse): string {
    response.header('X-Run', String((runs += 1))).header('Link', '</places>; rel=up');
    return 'text';
  }

  @Get('gone')
  @CacheResponse()
  gone(@Res({ passthrough: true }) response: AnyResponse): unknown {
    response.status(410);
    return { run: (runs += 1) };
  }

  @Get('none')
  @CacheResponse()
  none(): never {
    runs += 1;
    throw new NotFoundException('no such place');
  }

  @Get('guarded')
  @UseGuards(Door)
  @CacheResponse()
  guarded(): unknown {
    return { run: (runs += 1) };
  }

  @Get('nothing/:kind')
  @CacheResponse()
  nothing(@Param('kind') kind: string): unknown {
    runs += 1;
    return { null: null, undefined: undefined, empty: '', false: false, zero: 0 }[kind];
  }

  @Post('all')
  @CacheResponse()
  add(): unknown {
    return { run: (runs += 1) };
  }

  @Head('explicit')
  @CacheResponse()
  explicit(): void {
    runs += 1;
  }

  @Get('plain')
  plain(): unknown {
    return { run: (runs += 1) };
  }
}

describe.each(ADAPTERS)(`${CacheResponse.name} on %s`, (_, adapter) => {
  let app: HttpApp;
  let clock: VirtualClock;

  beforeEach(async () => {
    runs = 0;
    admits = true;
    clock = new VirtualClock();
    app = await HttpApp.start(adapter, { controllers: [PlacesController], cache: { clock } });
  });

  afterEach(() => app.close());

  it('answers the second request with what the first got', async () => {
    const first = await app.ask('/places/all');
    const second = await app.ask('/places/all');

    expect([first.body, second.body]).toEqual(['[{"run":1}]', '[{"run":1}]']);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect([first, second].map(statusOf)).toEqual(['fwd=miss; stored', 'hit']);
  });

  it('replays the status and the headers that the handler set', async () => {
    const first = await app.ask('/places/head');
    const second = await app.ask('/places/head');

    expect([first, second].map(({ status }) => status)).toEqual([203, 203]);
    expect(second.headers).toMatchObject({
      'x-fixed': 'decorator',
      'x-run': '1',
      link: '</places>; rel=up',
    });
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect((await app.bodies(['/places/head']))[0]).toBe('text');
  });

  it('replays a status that the handler chose', async () => {
    const replies = [await app.ask('/places/gone'), await app.ask('/places/gone')];

    expect(replies.map(({ status, body }) => [status, body])).toEqual([
      [410, '{"run":1}'],
      [410, '{"run":1}'],
    ]);
  });

  it('tells the age of what it replays', async () => {
    const first = await app.ask('/places/all');
    await clock.advance(3_900);
    const second = await app.ask('/places/all');

    expect([first.headers['age'], second.headers['age']]).toEqual([undefined, '3']);
  });

  it('runs the handler again after the ttl', async () => {
    await app.ask('/places/all');
    await clock.advance(5_000);

    expect((await app.ask('/places/all')).body).toBe('[{"run":2}]');
  });

  it('runs the handler again after one of its tags was invalidated', async () => {
    const paths = ['/places/all', '/places/one/1', '/places/one/2'];
    await app.bodies(paths);

    await app.get(CacheHierarchy).invalidateTags(['lists', 'place:2']);

    expect(await app.bodies(paths)).toEqual([
      '[{"run":4}]',
      '{"id":"1","run":2}',
      '{"id":"2","run":5}',
    ]);
  });

  it('keeps responses in a namespace that can be cleared', async () => {
    await app.ask('/places/all');
    await app.get(CacheHierarchy).namespace('http').clear();

    expect((await app.ask('/places/all')).body).toBe('[{"run":2}]');
  });

  it('lets guards run on hits', async () => {
    await app.ask('/places/guarded');
    admits = false;

    expect((await app.ask('/places/guarded')).status).toBe(401);
    expect(runs).toBe(1);
  });

  it('leaves a NotFoundException a 404, and stores none', async () => {
    const replies = [await app.ask('/places/none'), await app.ask('/places/none')];

    expect(replies.map(({ status }) => status)).toEqual([404, 404]);
    expect(replies[1]!.body).toContain('no such place');
    expect(runs).toBe(2);
  });

  it.each(['null', 'undefined', 'empty', 'false', 'zero'])('takes %s as a body', async (kind) => {
    const first = await app.ask(`/places/nothing/${kind}`);
    const second = await app.ask(`/places/nothing/${kind}`);

    expect(runs).toBe(1);
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
  });

  it('answers a HEAD from the entry of the GET, and stores none', async () => {
    const missed = await app.ask('/places/all', { method: 'HEAD' });
    const stored = await app.ask('/places/all');
    const hit = await app.ask('/places/all', { method: 'HEAD' });

    expect([missed, stored, hit].map(statusOf)).toEqual(['fwd=miss', 'fwd=miss; stored', 'hit']);
    expect([hit.status, hit.body, hit.headers['etag']]).toEqual([200, '', stored.headers['etag']]);
    expect(runs).toBe(2);
  });

  it('stores nothing of a route for HEAD', async () => {
    await app.ask('/places/explicit', { method: 'HEAD' });
    await app.ask('/places/explicit', { method: 'HEAD' });

    expect(runs).toBe(2);
  });

  it('leaves other methods and other routes alone', async () => {
    const post = [
      await app.ask('/places/all', { method: 'POST' }),
      await app.ask('/places/all', { method: 'POST' }),
    ];
    const plain = [await app.ask('/places/plain'), await app.ask('/places/plain')];

    expect(runs).toBe(4);
    for (const { headers } of [...post, ...plain]) expect(headers['cache-status']).toBeUndefined();
  });

  it.each([
    ['with a length', { 'Content-Length': '12' }],
    ['in pieces', { 'Transfer-Encoding': 'chunked' }],
  ])('does not cache what is asked for with a body %s', async (_name, sent) => {
    const headers = { 'Content-Type': 'application/json', ...sent };
    const reply = await app.ask('/places/all', { headers, body: '{"page": 12}' });

    expect(statusOf(reply)).toBe('fwd=bypass');
    expect(statusOf(await app.ask('/places/all'))).toBe('fwd=miss; stored');
  });

  it('runs every handler once the cache is closed', async () => {
    await app.ask('/places/all');
    await app.get(CacheHierarchy).close();
    const reply = await app.ask('/places/all');

    expect([reply.body, reply.headers['cache-status']]).toEqual(['[{"run":2}]', undefined]);
  });
});

describe.each(ADAPTERS)(`${CacheResponse.name} in an application on %s`, (_, adapter) => {
  it.each([
    ['without a cache', false, 2],
    ['with a cache that is switched off', { enabled: false }, 2],
    ['whose cache is not global', { isGlobal: false }, 1],
  ] as const)('%s', async (_name, cache, expected) => {
    runs = 0;
    @Module({ controllers: [PlacesController] })
    class PlacesModule {}
    const app = await HttpApp.start(adapter, { imports: [PlacesModule], cache });

    await app.bodies(['/places/all', '/places/all']);
    await app.close();

    expect(runs).toBe(expected);
  });
});
