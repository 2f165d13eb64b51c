import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Inject, Injectable, Logger, Module, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CACHE_HIERARCHY_OPTIONS,
  CACHE_L1,
  CACHE_L2,
  CacheHierarchy,
  CacheHierarchyModule,
  EnhancedAsyncTTLCache,
  InjectCache,
  InvalidOptionsError,
  type CacheHierarchyOptions,
  type CacheHierarchyOptionsFactory,
} from 'nestjs-cache-hierarchy';
import { bootAlone, closeAll, start } from './boot.js';

@Injectable()
class OptionsService implements CacheHierarchyOptionsFactory {
  createCacheHierarchyOptions(): CacheHierarchyOptions {
    return { l1: { numShards: 2 }, l2: false };
  }
}

@Module({ providers: [OptionsService], exports: [OptionsService] })
class OptionsModule {}

/** The number of L1's shards, by which the tests tell whose options ruled. */
function shardsOf(app: { get(token: typeof CacheHierarchy): CacheHierarchy }): number {
  return app.get(CacheHierarchy).getMetrics().levels.L1.shards.length;
}

describe(CacheHierarchyModule.name, () => {
  afterEach(closeAll);

  it('gives a cache of two levels without options', async () => {
    const app = await bootAlone({ imports: [CacheHierarchyModule.forRoot()] });

    expect(app.get(CacheHierarchy)).toBeInstanceOf(CacheHierarchy);
    expect(app.get(CACHE_L1)).toBeInstanceOf(EnhancedAsyncTTLCache);
    expect(app.get(CACHE_L2)).toBe(app.get(CacheHierarchy).l2);
    expect(shardsOf(app)).toBe(8);
  });

  it.each<[string, DynamicModule]>([
    ['forRoot', CacheHierarchyModule.forRoot({ l1: { numShards: 2 }, l2: false })],
    [
      'forRootAsync by useFactory',
      CacheHierarchyModule.forRootAsync({
        imports: [OptionsModule],
        inject: [OptionsService],
        useFactory: async (service: OptionsService) => service.createCacheHierarchyOptions(),
      }),
    ],
    ['forRootAsync by useClass', CacheHierarchyModule.forRootAsync({ useClass: OptionsService })],
    [
      'forRootAsync by useExisting',
      CacheHierarchyModule.forRootAsync({ imports: [OptionsModule], useExisting: OptionsService }),
    ],
  ])('takes its options from %s', async (_, imported) => {
    const app = await bootAlone({ imports: [imported] });

    expect(shardsOf(app)).toBe(2);
    expect(app.get(CacheHierarchy).l2).toBeNull();
    expect(app.get(CACHE_L2)).toBeNull();
  });

  it.each<[string, (isGlobal?: boolean) => DynamicModule]>([
    ['forRoot', (isGlobal) => CacheHierarchyModule.forRoot({ isGlobal })],
    [
      'forRootAsync',
      (isGlobal) => CacheHierarchyModule.forRootAsync({ useFactory: () => ({}), isGlobal }),
    ],
  ])('is global by %s unless isGlobal is false', async (_, configure) => {
    @Injectable()
    class PlacesService {
      constructor(
        readonly byClass: CacheHierarchy,
        @InjectCache() readonly byDecorator: CacheHierarchy,
        @Inject(CACHE_L1) readonly l1: EnhancedAsyncTTLCache<unknown>,
      ) {}
    }
    @Module({ providers: [PlacesService] })
    class PlacesModule {}

    const app = await bootAlone({ imports: [configure(), PlacesModule] });
    const places = app.get(PlacesService);
    const hidden = bootAlone({ imports: [configure(false), PlacesModule] });

    expect(places.byClass).toBe(app.get(CacheHierarchy));
    expect(places.byDecorator).toBe(places.byClass);
    expect(places.l1).toBe(places.byClass.l1);
    await expect(hidden).rejects.toThrow(/can't resolve dependencies of the PlacesService/);
  });

  it('takes other options and another cache from a test', async () => {
    const cache = new CacheHierarchy({ enabled: false });
    const imports = [CacheHierarchyModule.forRoot({ ttl: '5s' })];
    const reconfigured = await Test.createTestingModule({ imports })
      .overrideProvider(CACHE_HIERARCHY_OPTIONS)
      .useValue({ l1: { numShards: 3 } })
      .compile();
    const replaced = await Test.createTestingModule({ imports })
      .overrideProvider(CacheHierarchy)
      .useValue(cache)
      .compile();

    expect(shardsOf(await start(reconfigured))).toBe(3);
    expect((await start(replaced)).get(CACHE_L1)).toBe(cache.l1);
  });

  it('closes with a double of the cache that has only what a test calls', async () => {
    const compiled = await Test.createTestingModule({ imports: [CacheHierarchyModule.forRoot()] })
      .overrideProvider(CacheHierarchy)
      .useValue({ get: async () => 'double' })
      .compile();

    await expect((await start(compiled)).close()).resolves.toBeUndefined();
  });

  it.each<[string, DynamicModule]>([
    ['forRoot', CacheHierarchyModule.forRoot(badOptions())],
    ['forRootAsync', CacheHierarchyModule.forRootAsync({ useFactory: badOptions })],
  ])('stops the start with every problem of the options of %s', async (_, imported) => {
    const started = bootAlone({ imports: [imported] });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toMatchObject({
      problems: [
        { option: 'l1.numShards', message: expect.stringMatching(/whole number.*got 0/) },
        { option: 'ttl', message: expect.stringMatching(/positive number.*got -1/) },
        { option: 'size', message: expect.stringMatching(/is unknown; known are .*ttl/) },
      ],
    });
  });

  it.each([null, undefined])('refuses options that are %s', async (options) => {
    const started = bootAlone({
      imports: [
        CacheHierarchyModule.forRootAsync({
          useFactory: () => options as unknown as CacheHierarchyOptions,
        }),
      ],
    });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(`options: must be `);
    await expect(started).rejects.toThrow(`got ${options}`);
  });

  it('refuses a forRootAsync whose options nothing supplies', () => {
    expect(() => CacheHierarchyModule.forRootAsync({})).toThrow(
      /forRootAsync has 1 problem.*\n {2}- useFactory: must be there, or useClass or useExisting/,
    );
  });

  it('logs what the cache reports as a warning', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});

    await bootAlone({
      imports: [CacheHierarchyModule.forRoot({ l1: { maxEntries: 100, numShards: 50 } })],
    });

    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/50 shards for 100 entries/));
    warn.mockRestore();
  });

  it('leaves reports to the report of the options', async () => {
    const reports: string[] = [];

    await bootAlone({
      imports: [
        CacheHierarchyModule.forRoot({
          l1: { maxEntries: 100, numShards: 50 },
          report: ({ code }) => reports.push(code),
        }),
      ],
    });

    expect(reports).toEqual(['CACHE_SMALL_SHARDS']);
  });
});

function badOptions(): CacheHierarchyOptions {
  return { l1: { numShards: 0 }, ttl: -1, size: 5 } as CacheHierarchyOptions;
}
