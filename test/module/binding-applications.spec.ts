import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Cacheable, CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { boot, bootAlone, closeAll } from './boot.js';

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

  it('lets methods of an instance that no application made just run when there are several', async () => {
    const places = new PlacesService();
    await boot({});

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(2);
  });

  it('answers calls of an instance that no application made when there is only one', async () => {
    await bootAlone({});
    const places = new PlacesService();

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
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

  it('answers calls of a provider in a module that can not inject the cache', async () => {
    @Module({ providers: [PlacesService], exports: [PlacesService] })
    class PlacesModule {}
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ isGlobal: false }), PlacesModule],
    });
    const places = app.get(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });
});
