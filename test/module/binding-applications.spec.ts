import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, Param } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { Cacheable, CacheHierarchy, CacheHierarchyModule, CACHE_L1 } from 'nestjs-cache-hierarchy';
import { boot, bootAlone, closeAll, start } from './boot.js';

@Injectable()
class PlacesService {
  runs = 0;

  @Cacheable()
  async find(id: number): Promise<string> {
    this.runs += 1;
    return `place ${id}`;
  }
}

describe('@Cacheable and applications', () => {
  afterEach(closeAll);

  it.each([
    ['a class', PlacesService],
    ['a factory', { provide: PlacesService, useFactory: () => new PlacesService() }],
  ])('keeps two applications in one process apart, given %s', async (_, provider) => {
    const first = await boot({ providers: [provider] });
    const second = await boot({ providers: [provider] });

    await first.get(PlacesService).find(1);
    await second.get(PlacesService).find(1);
    await second.get(PlacesService).find(1);

    expect(first.get(PlacesService).runs).toBe(1);
    expect(second.get(PlacesService).runs).toBe(1);
    expect(second.get(CACHE_L1).size).toBe(1);
  });

  it('lets methods of an instance that no application made just run when there are several', async () => {
    const places = new PlacesService();
    await boot({});

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(2);
  });

  it('lets methods of an instance just run when there is no application', async () => {
    const places = new PlacesService();

    expect(await places.find(1)).toBe('place 1');
    expect(await places.find(1)).toBe('place 1');

    expect(places.runs).toBe(2);
  });

  it('answers calls of an instance that no application made when there is only one', async () => {
    await bootAlone({});
    const places = new PlacesService();

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('lets methods just run in an application that does not import the module', async () => {
    const places = (await bootAlone({ imports: [], providers: [PlacesService] })).get(
      PlacesService,
    );

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(2);
  });

  it('lets methods just run after the application was closed, also beside another one', async () => {
    const app = await boot({ providers: [PlacesService] });
    const places = app.get(PlacesService);
    await places.find(1);

    await app.close();
    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(3);
  });

  it('follows a value that one application after the other provides', async () => {
    const places = new PlacesService();
    const provider = { provide: PlacesService, useValue: places };
    await (await boot({ providers: [provider] })).close();
    await boot({ providers: [provider] });

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ])('answers requests to a controller on %s from the cache', async (_, adapter) => {
    @Controller('places')
    class PlacesController {
      runs = 0;

      @Cacheable()
      @Get(':id')
      async find(@Param('id') id: string): Promise<{ id: string; run: number }> {
        this.runs += 1;
        return { id, run: this.runs };
      }
    }
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      controllers: [PlacesController],
    }).compile();
    const app = await start(compiled.createNestApplication(adapter()));
    await app.listen(0, '127.0.0.1');
    const ask = async (): Promise<unknown> =>
      (await fetch(`${await app.getUrl()}/places/1`)).json();

    expect(await Promise.all([ask(), ask()])).toEqual([
      { id: '1', run: 1 },
      { id: '1', run: 1 },
    ]);
    expect(await ask()).toEqual({ id: '1', run: 1 });
  });

  it('hands the cache to a class provider before the application is initialised', async () => {
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      providers: [PlacesService],
    }).compile();
    const places = compiled.get(PlacesService);

    await places.find(1);
    await places.find(1);
    await compiled.close();

    expect(places.runs).toBe(1);
  });

  it('hands every module of an application the one cache', async () => {
    @Module({ providers: [PlacesService] })
    class PlacesModule {}
    const app = await boot({ imports: [CacheHierarchyModule.forRoot(), PlacesModule] });

    await app.get(PlacesService).find(1);

    expect(app.get(CacheHierarchy).has('PlacesService.find(1)')).toBe(true);
  });
});
