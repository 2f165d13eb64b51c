import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param, Res, ServiceUnavailableException } from '@nestjs/common';
import { CacheResponse } from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';
import { ADAPTERS, HttpApp, statusOf, type Reply } from './http-app.js';

interface AnyResponse {
  getHeader(name: string): string | string[];
  removeHeader(name: string): void;
  readonly raw?: Pick<AnyResponse, 'removeHeader'>;
  header(name: string, value: string | string[]): void;
}

let runs = 0;
let fails = false;

/** What handlers do to the head of a response, by the name in the path. */
const CHANGES: Record<string, (response: AnyResponse) => void> = {
  nothing: () => {},
  removes: (response) => (response.raw ?? response).removeHeader('X-Trace'),
  replaces: (response) => response.header('X-Trace', 'handler'),
  adds: (response) =>
    response.header('X-Trace', `${String(response.getHeader('X-Trace'))}, handler`),
  'adds-lines': (response) =>
    response.header('Link', [...[response.getHeader('Link')].flat(), '</c>', '</d>']),
  shortens: (response) => response.header('Link', ['</a>']),
};

@Controller()
class HeadsController {
  @Get('change/:change')
  @CacheResponse()
  change(
    @Param('change') change: string,
    @Res({ passthrough: true }) response: AnyResponse,
  ): number {
    CHANGES[change]!(response);
    return (runs += 1);
  }

  @Get('half')
  @CacheResponse({ ttl: '10s' })
  half(@Res({ passthrough: true }) response: AnyResponse): number {
    response.header('X-Kind', 'whole');
    if (!fails) return (runs += 1);
    response.header('X-Debug', 'failed');
    response.header('X-Trace', 'failed');
    response.header('Set-Cookie', 'half=1');
    response.removeHeader('Link');
    throw new ServiceUnavailableException();
  }

  @Get('says/:words')
  @CacheResponse()
  says(@Param('words') words: string, @Res({ passthrough: true }) response: AnyResponse): number {
    if (fails) throw new ServiceUnavailableException();
    response.header('Cache-Control', words);
    return (runs += 1);
  }

  @Get('aged')
  @CacheResponse()
  aged(@Res({ passthrough: true }) response: AnyResponse): number {
    response.header('Age', '50');
    response.header('Cache-Control', 'max-age=60');
    return (runs += 1);
  }
}

describe.each(ADAPTERS)('the head of a stored response on %s', (_, adapter) => {
  let app: HttpApp;
  let clock: VirtualClock;
  let requests = 0;

  beforeEach(async () => {
    runs = 0;
    requests = 0;
    fails = false;
    clock = new VirtualClock();
    app = await HttpApp.start(adapter, {
      controllers: [HeadsController],
      cache: { clock, ttl: '100s', grace: '1h', l2: false, report: () => {} },
      prepare: (nest) => {
        nest.use((_request: unknown, response: SetsHeaders, next: () => void) => {
          requests += 1;
          response.setHeader('X-Trace', `request ${requests}`);
          response.setHeader('Link', ['</a>', '</b>']);
          response.setHeader('Set-Cookie', [`visit=${requests}`]);
          next();
        });
      },
    });
  });

  afterEach(() => app.close());

  it.each<[string, string | undefined, string]>([
    ['nothing', 'request 2', '</a>, </b>'],
    ['removes', undefined, '</a>, </b>'],
    ['replaces', 'handler', '</a>, </b>'],
    ['adds', 'request 2, handler', '</a>, </b>'],
    ['adds-lines', 'request 2', '</a>, </b>, </c>, </d>'],
    ['shortens', 'request 2', '</a>'],
  ])('has what the handler did to it: %s', async (change, trace, link) => {
    const miss = await app.ask(`/change/${change}`);
    const hit = await app.ask(`/change/${change}`);

    expect([statusOf(miss), statusOf(hit)]).toEqual(['fwd=miss; stored', 'hit']);
    expect(traceAndLink(miss)).toEqual([trace?.replace('2', '1'), link]);
    expect(traceAndLink(hit)).toEqual([trace, link]);
  });

  it('has nothing of a handler that has failed and is stood in for', async () => {
    await app.ask('/half');
    await clock.advance(11_000);
    fails = true;

    const stale = await app.ask('/half');

    expect([stale.status, stale.body, statusOf(stale)]).toEqual([200, '1', 'hit']);
    expect(stale.headers['x-kind']).toBe('whole');
    expect(stale.headers).not.toHaveProperty('x-debug');
    expect(traceAndLink(stale)).toEqual(['request 2', '</a>, </b>']);
    expect(stale.headers['set-cookie']).toEqual(['visit=2']);
  });

  it.each([
    ['max-age=10', 200],
    ['max-age=10, must-revalidate', 503],
    ['max-age=10, proxy-revalidate', 503],
    ['s-maxage=10', 503],
  ])('says with "%s" whether it is an answer when it has expired: %i', async (words, status) => {
    const path = `/says/${encodeURIComponent(words)}`;
    await app.ask(path);
    await clock.advance(9_000);
    fails = true;
    const fresh = await app.ask(path);
    await clock.advance(3_000);

    expect(fresh.status).toBe(200);
    expect((await app.ask(path)).status).toBe(status);
  });

  it('counts the age that it had when it came', async () => {
    await app.ask('/aged');
    await clock.advance(9_000);
    const hit = await app.ask('/aged');
    await clock.advance(1_000);
    const later = await app.ask('/aged');

    expect([hit.body, hit.headers.age]).toEqual(['1', '59']);
    expect([later.body, later.headers.age]).toEqual(['2', '50']);
  });
});

interface SetsHeaders {
  setHeader(name: string, value: string | string[]): void;
}

function traceAndLink({ headers }: Reply): unknown[] {
  return [headers['x-trace'], headers['link']];
}
