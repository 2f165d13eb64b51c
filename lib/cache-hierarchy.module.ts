import { Inject, Module, Optional, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { DiscoveryModule } from '@nestjs/core';
import { CacheBinder } from './binding/cache.binder.js';
import { CacheRegistry, CacheRegistryModule } from './binding/cache.registry.js';
import { announceCache } from './binding/live-caches.js';
import {
  CACHE_ANNOUNCEMENT,
  CACHE_HIERARCHY_OPTIONS,
  CACHE_L1,
  CACHE_L2,
  CACHE_MERGED_OPTIONS,
  CACHE_MODULE_CONFIGURED,
  CACHE_SWEEPER,
} from './cache-hierarchy.constants.js';
import {
  asyncFeatureOf,
  featureOf,
  type NamedCacheAsyncOptions,
} from './cache-hierarchy.feature.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  OPTIONS_TYPE,
} from './cache-hierarchy.module-definition.js';
import { CacheCleanupScheduler } from './cleanup/cache-cleanup.scheduler.js';
import { createSweeper } from './cleanup/create-sweeper.js';
import { cacheHierarchyConfig } from './config/cache-hierarchy.config.js';
import { logReport } from './config/log-report.js';
import { resolveModuleOptions } from './config/module-options.js';
import type { NamedCacheOptions } from './config/named-options.js';
import { isDataSourceError } from './config/stale-on.js';
import { InvalidOptionsError } from './errors.js';
import { CacheHierarchy } from './hierarchy/cache-hierarchy.js';
import { ResponseCaching } from './http/response-caching.js';
import type { CacheHierarchyOptions } from './hierarchy/hierarchy-options.js';
import type { Sweeper } from './memory/sweeper.js';

/** What `forRoot` and `forRootAsync` give beside the options. */
const ROOT = {
  imports: [CacheRegistryModule, DiscoveryModule, ConfigModule.forFeature(cacheHierarchyConfig)],
  providers: [
    { provide: CACHE_MODULE_CONFIGURED, useValue: true },
    {
      provide: CACHE_MERGED_OPTIONS,
      inject: [CACHE_HIERARCHY_OPTIONS, cacheHierarchyConfig.KEY],
      useFactory: (given: unknown, environment: CacheHierarchyOptions): CacheHierarchyOptions => ({
        report: logReport,
        ...resolveModuleOptions(given, environment),
      }),
    },
    { provide: CACHE_SWEEPER, inject: [CACHE_MERGED_OPTIONS], useFactory: createSweeper },
    {
      provide: CacheHierarchy,
      inject: [CACHE_MERGED_OPTIONS, CACHE_SWEEPER],
      useFactory: openCache,
    },
    { provide: CACHE_L1, inject: [CacheHierarchy], useFactory: ({ l1 }: CacheHierarchy) => l1 },
    { provide: CACHE_L2, inject: [CacheHierarchy], useFactory: ({ l2 }: CacheHierarchy) => l2 },
    {
      provide: CACHE_ANNOUNCEMENT,
      inject: [
        CacheRegistry,
        CacheHierarchy,
        CACHE_SWEEPER,
        CACHE_HIERARCHY_OPTIONS,
        cacheHierarchyConfig.KEY,
      ],
      useFactory: (
        registry: CacheRegistry,
        cache: CacheHierarchy,
        sweeper: Sweeper,
        given: CacheHierarchyOptions,
        environment: CacheHierarchyOptions,
      ): void => registry.open({ cache, sweeper, given, environment }),
    },
    {
      provide: ResponseCaching,
      inject: [CacheHierarchy, CACHE_MERGED_OPTIONS],
      useFactory: (cache: CacheHierarchy, options: CacheHierarchyOptions) =>
        new ResponseCaching(cache, options),
    },
    CacheCleanupScheduler,
    CacheBinder,
  ],
  exports: [CacheHierarchy, CACHE_L1, CACHE_L2, CacheCleanupScheduler],
} satisfies ModuleMetadata;

/**
 * Gives an application its caches. Import it once, in the root module, through `forRoot` or
 * `forRootAsync`; it is global unless `isGlobal` is false. Modules that want a cache of their own beside
 * the default one import `forFeature` or `forFeatureAsync`.
 *
 * Options win over the environment, field by field, and the environment wins over the defaults.
 * Whatever is wrong with either stops the start. Nothing runs before the application is
 * initialised; the sweeper stops when it begins to close, and the caches close last, so that
 * requests which are still answered are answered. From then on decorated methods just run.
 */
@Module({})
export class CacheHierarchyModule extends ConfigurableModuleClass {
  constructor(@Optional() @Inject(CACHE_MODULE_CONFIGURED) configured?: boolean) {
    super();
    if (configured !== true) throw importedAsItIs();
  }

  /** Configures the cache with these options, over those of the environment. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return withRoot(super.forRoot(options));
  }

  /**
   * Configures the cache with options that a factory or a class supplies, over the environment's.
   *
   * @throws {InvalidOptionsError} when nothing supplies them
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    if (!(options.useFactory ?? options.useClass ?? options.useExisting)) throw suppliedByNothing();
    return withRoot(super.forRootAsync(options));
  }

  /**
   * Makes named caches, each with levels and bounds of its own, and what is not said inherited from the
   * default cache. They are injected by `@InjectCache(name)` where this is imported.
   *
   * @throws {InvalidOptionsError} for names that are bad or given twice
   */
  static forFeature(caches: readonly NamedCacheOptions[]): DynamicModule {
    return { module: CacheHierarchyModule, ...featureOf(caches) };
  }

  /** The same with options that factories supply. */
  static forFeatureAsync(caches: readonly NamedCacheAsyncOptions[]): DynamicModule {
    return { module: CacheHierarchyModule, ...asyncFeatureOf(caches) };
  }
}

function withRoot(definition: DynamicModule): DynamicModule {
  return {
    ...definition,
    imports: [...ROOT.imports, ...(definition.imports ?? [])],
    providers: [...ROOT.providers, ...(definition.providers ?? [])],
    exports: ROOT.exports,
  };
}

function importedAsItIs(): InvalidOptionsError {
  const message =
    'has the class itself, which makes no cache. Import what forRoot or forRootAsync returns, once, in ' +
    'the root module; elsewhere what forFeature returns, or nothing.';
  return new InvalidOptionsError('CacheHierarchyModule', [{ option: 'imports', message }]);
}

function suppliedByNothing(): InvalidOptionsError {
  const message = 'must be there, or useClass or useExisting, to supply the options, got undefined';
  return new InvalidOptionsError('CacheHierarchyModule.forRootAsync', [
    { option: 'useFactory', message },
  ]);
}

function openCache(options: CacheHierarchyOptions, sweeper: Sweeper): CacheHierarchy {
  const cache = new CacheHierarchy(options, { sweeper, staleOn: isDataSourceError });
  announceCache(cache);
  return cache;
}
