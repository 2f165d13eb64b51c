import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CACHE_HIERARCHY_OPTIONS,
  Cacheable,
  CacheCleanupScheduler,
  CacheHierarchy,
  CacheHierarchyModule,
  getCacheToken,
} from 'nestjs-cache-hierarchy';
import {
  CacheHierarchyTestingModule,
  FakeClock,
  MapLevel,
  testingOptions,
} from 'nestjs-cache-hierarchy/testing';
import { boot, bootAlone, closeAll, start } from './boot.js';

@Injectable()
class PlacesService {
  runs = 0;

  @Cacheable({ key: (id: number) => `place:${id}`, ttl: '5m' })
  async find(id: number): Promise<string> {
    this.runs += 1;
    return `place ${id}`;
  }
}

const providers = [PlacesService];

beforeEach(() => {
  delete process.env.CACHE_HIERARCHY_ENABLED;
});

afterEach(async () => {
  delete process.env.CACHE_HIERARCHY_ENABLED;
  await closeAll();
});

describe(CacheHierarchyTestingModule.name, () => {
  it('gives a cache whose time the test moves', async () => {
    const app = await boot({ imports: [CacheHierarchyTestingModule.forRoot()], providers });
    const [places, clock] = [app.get(PlacesService), app.get(FakeClock)];
    await places.find(1);
    await clock.advance('299s');
    await places.find(1);
    const before = places.runs;
    await clock.advance('1s');
    await places.find(1);

    expect([before, places.runs]).toEqual([1, 2]);
  });

  it('takes a clock and the options of a cache', async () => {
    const clock = new FakeClock();
    const options = { clock, l2: false, ttl: '1s' } as const;
    const app = await boot({ imports: [CacheHierarchyTestingModule.forRoot(options)], providers });

    expect(app.get(FakeClock)).toBe(clock);
    expect(app.get(CacheHierarchy).l2).toBeNull();
  });

  it('sweeps by that clock, and leaves no timer', async () => {
    const app = await bootAlone({ imports: [CacheHierarchyTestingModule.forRoot()], providers });
    const [cache, clock] = [app.get(CacheHierarchy), app.get(FakeClock)];
    await cache.set('key', 1, { ttl: '1s' });
    await clock.advance('61s');

    expect([cache.l1.size, cache.l2?.size]).toEqual([0, 0]);
    expect(app.get(CacheCleanupScheduler).status()).toMatchObject({ running: true, removed: 2 });
    await closeAll();
    expect(clock.pending).toBe(0);
  });

  it('gives named caches the same clock', async () => {
    const sessions = CacheHierarchyModule.forFeature([{ name: 'sessions', ttl: '20m' }]);
    const app = await boot({ imports: [CacheHierarchyTestingModule.forRoot(), sessions] });
    const cache = app.get<CacheHierarchy>(getCacheToken('sessions'));
    await cache.set('key', 1);
    await app.get(FakeClock).advance('1199s');
    const before = cache.has('key');
    await app.get(FakeClock).advance('1s');

    expect([before, cache.has('key')]).toEqual([true, false]);
  });

  it('caches nothing where it is disabled', async () => {
    const app = await boot({ imports: [CacheHierarchyTestingModule.disabled()], providers });
    const places = app.get(PlacesService);
    await places.find(1);
    await places.find(1);

    expect([places.runs, app.get(CacheHierarchy).active]).toEqual([2, false]);
  });

  it('caches where the environment has switched it off', async () => {
    process.env.CACHE_HIERARCHY_ENABLED = 'false';
    const app = await boot({ imports: [CacheHierarchyTestingModule.forRoot()], providers });

    expect(app.get(CacheHierarchy).active).toBe(true);
  });

  it('gives another application’s module its options', async () => {
    const remote = new MapLevel();
    const imports = [CacheHierarchyModule.forRoot({ remote, ttl: '1s' })];
    const options = testingOptions({ l2: false });
    const compiled = await Test.createTestingModule({ imports, providers })
      .overrideProvider(CACHE_HIERARCHY_OPTIONS)
      .useValue(options)
      .compile();
    const app = await start(compiled);
    await app.get(PlacesService).find(1);
    const cache = app.get(CacheHierarchy);
    await options.clock.advance('59s');
    const before = cache.has('place:1');
    await options.clock.advance('241s');

    expect([before, cache.has('place:1'), remote.keys]).toEqual([true, false, []]);
  });

  it.each([
    ['forRoot', () => CacheHierarchyTestingModule.forRoot({ isGlobal: false })],
    ['disabled', () => CacheHierarchyTestingModule.disabled({ isGlobal: false })],
  ])('gives the cache to who imports it, by %s, where it is not global', async (_, configure) => {
    const useFactory = (cache: CacheHierarchy): unknown => ({ cache });
    const holder = { provide: 'holder', inject: [CacheHierarchy], useFactory };
    @Module({ providers: [holder] })
    class Stranger {}
    const app = await bootAlone({ imports: [configure()], providers: [holder] });
    const strange = bootAlone({ imports: [configure(), Stranger] });

    expect(app.get('holder')).toEqual({ cache: expect.any(CacheHierarchy) });
    await expect(strange).rejects.toThrow(/can't resolve dependencies/);
  });
});
