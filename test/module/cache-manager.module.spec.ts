import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Cache, CACHE_MANAGER } from '@nestjs/cache-manager';
import { CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import {
  CacheManagerModule,
  HierarchyCacheManager,
  type CacheManagerOptions,
  type CacheManagerOptionsFactory,
} from 'nestjs-cache-hierarchy/cache-manager';
import { bootAlone, closeAll } from './boot.js';

@Injectable()
class OptionsService implements CacheManagerOptionsFactory {
  createCacheOptions(): CacheManagerOptions {
    return { cacheId: 'mine' };
  }
}

@Module({ providers: [OptionsService], exports: [OptionsService] })
class OptionsModule {}

@Injectable()
class PlacesService {
  constructor(
    @Inject(CACHE_MANAGER) readonly byToken: Cache,
    readonly byClass: Cache,
  ) {}
}

@Module({ providers: [PlacesService] })
class PlacesModule {}

describe(CacheManagerModule.name, () => {
  afterEach(closeAll);

  it('gives every module CACHE_MANAGER over the hierarchy, by token and by class', async () => {
    const app = await bootAlone({
      imports: [CacheHierarchyModule.forRoot(), CacheManagerModule.register(), PlacesModule],
    });
    const { byToken, byClass } = app.get(PlacesService);

    await byToken.set('place', 'Paris');

    expect(byToken).toBeInstanceOf(HierarchyCacheManager);
    expect(byClass).toBe(byToken);
    expect(app.get(CacheHierarchy).namespace('cache-manager').peek('place')).toBe('Paris');
  });

  it('is found by its own module only where isGlobal is false', async () => {
    const booting = bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheManagerModule.register({ isGlobal: false }),
        PlacesModule,
      ],
    });

    await expect(booting).rejects.toThrow(/can't resolve dependencies of the PlacesService/);
  });

  it.each<[string, () => Promise<DynamicModule>]>([
    ['register', () => CacheManagerModule.register({ cacheId: 'mine' })],
    [
      'registerAsync by useFactory',
      () =>
        CacheManagerModule.registerAsync({
          imports: [OptionsModule],
          inject: [OptionsService],
          useFactory: async (service: OptionsService) => service.createCacheOptions(),
        }),
    ],
    [
      'registerAsync by useClass',
      () => CacheManagerModule.registerAsync({ useClass: OptionsService }),
    ],
    [
      'registerAsync by useExisting',
      () =>
        CacheManagerModule.registerAsync({ imports: [OptionsModule], useExisting: OptionsService }),
    ],
  ])('takes its options from %s', async (_, register) => {
    const app = await bootAlone({ imports: [CacheHierarchyModule.forRoot(), register()] });

    expect(app.get<Cache>(CACHE_MANAGER).cacheId()).toBe('mine');
  });

  it('stops the start where an option is wrong', async () => {
    const booting = bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheManagerModule.register({ stores: [] } as CacheManagerOptions),
      ],
    });

    await expect(booting).rejects.toThrow(/stores: must be left out/);
  });
});
