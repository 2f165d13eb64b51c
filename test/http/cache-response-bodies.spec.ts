import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, UseInterceptors, type NestInterceptor } from '@nestjs/common';
import { map } from 'rxjs';
import { CacheResponse } from 'nestjs-cache-hierarchy';
import { ADAPTERS, HttpApp } from './http-app.js';

let runs = 0;
let requests = 0;
const live = { name: 'Paris', tags: ['capital'] };

/** Writes into what it is given, as some interceptors do. */
const stamping: NestInterceptor = {
  intercept: (_context, next) =>
    next.handle().pipe(
      map((body: { stamps?: number[] }) => {
        body.stamps = [...(body.stamps ?? []), (requests += 1)];
        return body;
      }),
    ),
};

/** Knows dates by their class. */
const dating: NestInterceptor = {
  intercept: (_context, next) =>
    next
      .handle()
      .pipe(map(({ at }: { at: unknown }) => ({ isDate: at instanceof Date, at: Number(at) }))),
};

@Controller()
class BodiesController {
  @Get('stamped')
  @CacheResponse()
  @UseInterceptors(stamping)
  stamped(): unknown {
    return { run: (runs += 1) };
  }

  @Get('dated')
  @CacheResponse()
  @UseInterceptors(dating)
  dated(): unknown {
    return { run: (runs += 1), at: new Date(5_000) };
  }

  @Get('live')
  @CacheResponse()
  live(): unknown {
    return live;
  }

  @Get('odd')
  @CacheResponse()
  odd(): unknown {
    return {
      run: (runs += 1),
      ...(JSON.parse('{"__proto__":{"a":1},"b":[null,1.5,"x"]}') as object),
    };
  }

  @Get('map')
  @CacheResponse()
  map(): unknown {
    return { run: (runs += 1), map: new Map([[1, 2]]), bytes: Buffer.from('ab') };
  }
}

describe.each(ADAPTERS)('the bodies of responses on %s', (_, adapter) => {
  let app: HttpApp;

  beforeEach(async () => {
    runs = 0;
    requests = 0;
    live.name = 'Paris';
    app = await HttpApp.start(adapter, { controllers: [BodiesController] });
  });

  afterEach(() => app.close());

  it('are copies: what an interceptor writes into one is in no other', async () => {
    expect(await app.bodies(['/stamped', '/stamped', '/stamped'])).toEqual([
      '{"run":1,"stamps":[1]}',
      '{"run":1,"stamps":[2]}',
      '{"run":1,"stamps":[3]}',
    ]);
  });

  it('do not follow what the handler goes on working with', async () => {
    await app.ask('/live');
    live.name = 'Lutetia';

    expect((await app.ask('/live')).body).toBe('{"name":"Paris","tags":["capital"]}');
  });

  it('have dates that are dates', async () => {
    const bodies = await app.bodies(['/dated', '/dated']);

    expect(bodies).toEqual(Array.from({ length: 2 }, () => '{"isDate":true,"at":5000}'));
    expect(runs).toBe(1);
  });

  it.each(['/odd', '/map'])('are on a hit what they were at first: %s', async (path) => {
    const [first, second] = await app.bodies([path, path]);

    expect(second).toBe(first);
    expect(runs).toBe(1);
  });
});
