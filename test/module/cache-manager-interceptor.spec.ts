import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheInterceptor, CacheKey, CacheTTL } from '@nestjs/cache-manager';
import {
  Controller,
  Get,
  Param,
  Post,
  UseInterceptors,
  type INestApplication,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { CacheManagerModule } from 'nestjs-cache-hierarchy/cache-manager';
import { closeAll, start } from './boot.js';

@Controller('places')
@UseInterceptors(CacheInterceptor)
@CacheTTL(90_000)
class PlacesController {
  calls = 0;

  @Get('counted')
  @CacheKey('counted')
  @CacheTTL(0)
  count() {
    return { calls: ++this.calls };
  }

  @Get('none')
  none() {
    this.calls += 1;
    return null;
  }

  @Get(':id')
  find(@Param('id') id: string) {
    return { id, calls: ++this.calls };
  }

  @Post(':id')
  change(@Param('id') id: string) {
    return { id, calls: ++this.calls };
  }
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('the CacheInterceptor of @nestjs/cache-manager on %s', (_, createAdapter) => {
  let app: INestApplication;

  beforeEach(async () => {
    const testing = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot(), CacheManagerModule.register()],
      controllers: [PlacesController],
    }).compile();
    app = await start(testing.createNestApplication(createAdapter()));
    await app.listen(0);
  });

  afterEach(closeAll);

  async function ask(path: string, method = 'GET'): Promise<[cache: string | null, body: unknown]> {
    const response = await fetch(`${await app.getUrl()}/places/${path}`, { method });
    const text = await response.text();
    return [response.headers.get('x-cache'), text === '' ? null : JSON.parse(text)];
  }

  function entries() {
    return app.get(CacheHierarchy).namespace('cache-manager');
  }

  it('answers from the hierarchy, URL by URL', async () => {
    expect(await ask('1')).toEqual(['MISS', { id: '1', calls: 1 }]);
    expect(await ask('1')).toEqual(['HIT', { id: '1', calls: 1 }]);
    expect(await ask('2')).toEqual(['MISS', { id: '2', calls: 2 }]);

    await entries().delete('/places/1');
    expect(await ask('1')).toEqual(['MISS', { id: '1', calls: 3 }]);
  });

  it('keeps what @CacheKey and @CacheTTL say', async () => {
    await ask('1');
    await ask('counted');

    const lifetimes = await Promise.all(
      ['/places/1', 'counted'].map(
        async (key) => (await entries().inspect(key)).at(-1)!.freshForMs,
      ),
    );

    expect(await ask('counted')).toEqual(['HIT', { calls: 2 }]);
    expect(lifetimes).toEqual([expect.closeTo(90_000, -4), Infinity]);
  });

  it('caches a URL of any length', async () => {
    const long = 'a'.repeat(3_000);

    await ask(`1?filter=${long}`);

    expect((await ask(`1?filter=${long}`))[0]).toBe('HIT');
    expect((await ask(`1?filter=${long}b`))[0]).toBe('MISS');
  });

  it('leaves other methods and null alone, as it always did', async () => {
    await ask('1', 'POST');
    expect(await ask('1', 'POST')).toEqual([null, { id: '1', calls: 2 }]);
    await ask('none');
    expect((await ask('none'))[0]).toBe('MISS');
  });
});
