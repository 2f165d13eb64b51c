import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Param,
  Redirect,
  Req,
  Res,
  Sse,
  StreamableFile,
  type INestApplication,
  type MessageEvent,
} from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { of, type Observable } from 'rxjs';
import { CacheResponse, type CachedRequest, type CacheReport } from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';
import { ADAPTERS, HttpApp, statusOf } from './http-app.js';

let runs = 0;

/** As @fastify/cookie names it. */
const WAITING_COOKIES = Symbol('fastify.reply.setCookies');

interface AnyResponse {
  [WAITING_COOKIES]?: Map<string, unknown>;
  readonly raw?: AnyResponse;
  status(code: number): AnyResponse;
  header(name: string, value: string): AnyResponse;
  send(body: string): void;
}

/** Heads that handlers give their responses, by the names in the paths. */
const HEADS: Record<string, Record<string, string>> = {
  cookie: { 'Set-Cookie': 'session=1' },
  'no-store': { 'Cache-Control': 'no-store' },
  'no-cache': { 'Cache-Control': 'No-Cache="X-Field", max-age=60' },
  private: { 'Cache-Control': 'private, max-age=60' },
  'max-age-0': { 'Cache-Control': 'max-age=0' },
  unreadable: { 'Cache-Control': 'max-age=soon' },
  expired: { Expires: '0' },
  'max-age': { 'Cache-Control': 'public, max-age=20' },
  's-maxage': { 'Cache-Control': 's-maxage=10, max-age=20' },
  expires: { Expires: new Date(1_700_000_000_000 + 31_000).toUTCString() },
  none: {},
};

interface SessionRequest {
  session: Record<string, unknown>;
}

@Controller()
class PagesController {
  @Get('head/:head')
  @CacheResponse()
  head(@Param('head') head: string, @Res({ passthrough: true }) response: AnyResponse): string {
    for (const [name, value] of Object.entries(HEADS[head]!)) response.header(name, value);
    return `run ${(runs += 1)}`;
  }

  @Get('later-cookie')
  @CacheResponse()
  laterCookie(@Res({ passthrough: true }) response: AnyResponse): string {
    response[WAITING_COOKIES] = new Map([['cart', { value: `${runs}` }]]);
    return `run ${(runs += 1)}`;
  }

  @Get('session/:use')
  @CacheResponse()
  session(@Param('use') use: string, @Req() { session }: SessionRequest): string {
    if (use === 'written') session['cart'] = runs;
    if (use === 'unreadable') session['size'] = 1n;
    return `run ${(runs += 1)}`;
  }

  @Get('own-ttl/:head')
  @CacheResponse({ ttl: '5s' })
  ownTtl(@Param('head') head: string, @Res({ passthrough: true }) response: AnyResponse): string {
    return this.head(head, response);
  }

  @Get('status/:status')
  @CacheResponse()
  status(
    @Param('status') status: string,
    @Res({ passthrough: true }) response: AnyResponse,
  ): string {
    response.status(Number(status));
    return `run ${(runs += 1)}`;
  }

  @Get('file')
  @CacheResponse()
  file(): StreamableFile {
    return new StreamableFile(Buffer.from(`run ${(runs += 1)}`));
  }

  @Get('pieces')
  @CacheResponse()
  pieces(): AsyncIterable<string> {
    const run = (runs += 1);
    return (async function* pieces() {
      yield await Promise.resolve(`run ${run}`);
    })();
  }

  @Get('nested')
  @CacheResponse()
  nested(): unknown {
    return { run: (runs += 1), rest: Readable.from(['x']) };
  }

  @Get('raw')
  @CacheResponse()
  raw(@Res() response: AnyResponse): void {
    response.send(`run ${(runs += 1)}`);
  }

  @Sse('events')
  @CacheResponse()
  events(): Observable<MessageEvent> {
    return of({ data: `run ${(runs += 1)}` });
  }

  @Get('redirected')
  @Redirect('/elsewhere', 302)
  @CacheResponse()
  redirected(): void {
    runs += 1;
  }

  @Get('observed')
  @CacheResponse()
  observed(): Observable<string> {
    return of('first', `run ${(runs += 1)}`);
  }

  @Get('request-id')
  @CacheResponse()
  requestId(@Req() _request: CachedRequest): string {
    return `run ${(runs += 1)}`;
  }
}

/** Does what middleware often does: a header for each response, another one with a cookie. */
function addMiddleware(app: INestApplication): void {
  let count = 0;
  app.use(
    (
      _request: unknown,
      response: { setHeader(name: string, value: string): void },
      next: () => void,
    ) => {
      count += 1;
      response.setHeader('X-Request-Id', String(count));
      response.setHeader('Set-Cookie', `visit=${count}`);
      next();
    },
  );
}

/** Gives each request a session, as a middleware does that writes its cookie when the response is sent. */
function addSessions(app: INestApplication): void {
  const addSession = (request: object, _response: object, next: () => void): void => {
    (request as SessionRequest).session = {};
    next();
  };
  const adapter = app.getHttpAdapter();
  if (adapter.getType() === 'express') app.use(addSession);
  else (adapter as FastifyAdapter).getInstance().addHook('onRequest', addSession);
}

describe.each(ADAPTERS)('what is stored of responses on %s', (_, adapter) => {
  let app: HttpApp;
  let clock: VirtualClock;
  let reports: CacheReport[];

  beforeEach(async () => {
    runs = 0;
    reports = [];
    clock = new VirtualClock();
    app = await HttpApp.start(adapter, {
      controllers: [PagesController],
      cache: { clock, report: (report) => reports.push(report), l1: { ttl: '100s' }, l2: false },
      prepare: (nest) => {
        addMiddleware(nest);
        addSessions(nest);
      },
    });
  });

  afterEach(() => app.close());

  it.each(['cookie', 'no-store', 'no-cache', 'private', 'max-age-0', 'unreadable', 'expired'])(
    'is nothing with %s',
    async (head) => {
      const replies = [await app.ask(`/head/${head}`), await app.ask(`/head/${head}`)];

      expect(replies.map(({ body }) => body)).toEqual(['run 1', 'run 2']);
      expect(replies.map(statusOf)).toEqual(['fwd=miss', 'fwd=miss']);
    },
  );

  it.each(['later-cookie', 'session/written', 'session/unreadable'])(
    'is nothing with a cookie that is written when it is sent: %s',
    async (path) => {
      const replies = [await app.ask(`/${path}`), await app.ask(`/${path}`)];

      expect(replies.map(({ body }) => body)).toEqual(['run 1', 'run 2']);
    },
  );

  it('is a response beside a session that the handler leaves alone', async () => {
    await app.ask('/session/left');

    expect(statusOf(await app.ask('/session/left'))).toBe('hit');
  });

  it.each([
    ['s-maxage', 10],
    ['max-age', 20],
    ['expires', 30],
    ['none', 100],
  ])('lives as long as %s says', async (head, seconds) => {
    await app.ask(`/head/${head}`);
    await clock.advance(seconds * 1_000 - 1);
    expect((await app.ask(`/head/${head}`)).body).toBe('run 1');

    await clock.advance(1);
    expect((await app.ask(`/head/${head}`)).body).toBe('run 2');
  });

  it('lives as long as the route says, before all', async () => {
    for (const head of ['max-age', 's-maxage', 'max-age-0']) {
      runs = 0;
      await app.ask(`/own-ttl/${head}`);
      await clock.advance(4_999);
      expect((await app.ask(`/own-ttl/${head}`)).body).toBe('run 1');
      await clock.advance(1);
      expect((await app.ask(`/own-ttl/${head}`)).body).toBe('run 2');
    }
  });

  it('is nothing that is not to be stored, whatever lifetime the route says', async () => {
    await app.ask('/own-ttl/no-store');

    expect((await app.ask('/own-ttl/no-store')).body).toBe('run 2');
  });

  it('is sent on with the words of the handler, and asks clients to come back without', async () => {
    const said = [await app.ask('/head/max-age'), await app.ask('/head/max-age')];
    const silent = [await app.ask('/head/none'), await app.ask('/head/none')];

    for (const { headers } of said) expect(headers['cache-control']).toBe('public, max-age=20');
    for (const { headers } of silent) expect(headers['cache-control']).toBe('no-cache');
  });

  it.each([
    [200, true],
    [203, true],
    [404, true],
    [410, true],
    [201, false],
    [302, false],
    [401, false],
    [429, false],
    [500, false],
    [503, false],
  ])('with the status %i: %s', async (status, stored) => {
    await app.ask(`/status/${status}`);
    const second = await app.ask(`/status/${status}`);

    expect([second.status, second.body]).toEqual([status, stored ? 'run 1' : 'run 2']);
  });

  it.each(['/file', '/pieces', '/nested', '/raw', '/events', '/redirected'])(
    'is nothing of %s',
    async (path) => {
      const first = await app.ask(path);
      const second = await app.ask(path);

      expect(runs).toBe(2);
      expect([second.status, second.body]).toEqual([
        first.status,
        first.body.replace(/run"?:? ?1/, (run) => run.replace('1', '2')),
      ]);
    },
  );

  it.each(['/raw', '/events', '/redirected'])(
    'is nothing of %s, which is reported once',
    async (path) => {
      await app.ask(path);
      await app.ask(path);

      expect(reports.map(({ code }) => code)).toEqual(['CACHE_RESPONSE_UNSEEN']);
      expect(reports[0]!.message).toMatch(/PagesController\.\w+ are not cached: it /);
    },
  );

  it('is the last value of an observable', async () => {
    expect(await app.bodies(['/observed', '/observed'])).toEqual(['run 1', 'run 1']);
  });

  it('is nothing of a request for a part', async () => {
    await app.ask('/head/none');
    const reply = await app.ask('/head/none', { headers: { Range: 'bytes=0-1' } });

    expect([statusOf(reply), runs]).toEqual(['fwd=bypass', 2]);
  });

  it('does not depend on what the client says of caching', async () => {
    await app.ask('/head/none');
    const reply = await app.ask('/head/none', { headers: { 'Cache-Control': 'no-cache' } });

    expect(statusOf(reply)).toBe('hit');
  });

  it('is without what middleware gave the first response', async () => {
    const first = await app.ask('/request-id');
    const second = await app.ask('/request-id');

    expect([first.headers['x-request-id'], second.headers['x-request-id']]).toEqual(['1', '2']);
    expect([first.headers['set-cookie'], second.headers['set-cookie']]).toEqual([
      ['visit=1'],
      ['visit=2'],
    ]);
    expect(second.body).toBe('run 1');
  });
});
