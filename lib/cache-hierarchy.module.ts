import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { DiscoveryModule } from '@nestjs/core';
import { CacheBinder } from './binding/cache.binder.js';
import { announceCache, retireCache } from './binding/live-caches.js';
import {
  CACHE_HIERARCHY_OPTIONS,
  CACHE_L1,
  CACHE_L2,
  CACHE_MERGED_OPTIONS,
  CACHE_SWEEPER,
} from './cache-hierarchy.constants.js';
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
import { isDataSourceError } from './config/stale-on.js';
import { CacheHierarchy } from './hierarchy/cache-hierarchy.js';
import { ResponseCaching } from './http/response-caching.js';
import type { CacheHierarchyOptions } from './hierarchy/hierarchy-options.js';
import type { Sweeper } from './memory/sweeper.js';

/**
 * Gives an application its cache. Import it once, in the root module, through `forRoot` or
 * `forRootAsync`; it is global unless `isGlobal` is false.
 *
 * Options win over the environment, field by field, and the environment wins over the defaults.
 * Whatever is wrong with either stops the start. Nothing runs before the application is
 * initialised; the sweeper stops when it begins to close, and the cache closes last, so that
 * requests which are still answered are answered. From then on decorated methods just run.
 */
@Module({
  imports: [DiscoveryModule, ConfigModule.forFeature(cacheHierarchyConfig)],
  providers: [
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
      provide: ResponseCaching,
      inject: [CacheHierarchy, CACHE_MERGED_OPTIONS],
      useFactory: (cache: CacheHierarchy, options: CacheHierarchyOptions) =>
        new ResponseCaching(cache, options),
    },
    CacheCleanupScheduler,
    CacheBinder,
  ],
  exports: [CacheHierarchy, CACHE_L1, CACHE_L2, CacheCleanupScheduler],
})
export class CacheHierarchyModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(private readonly cache: CacheHierarchy) {
    super();
  }

  /** Configures the cache with these options, over those of the environment. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Configures the cache with options that a factory or a class supplies, over the environment's. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  /** Called by Nest last, when no request is answered any more. */
  async onApplicationShutdown(): Promise<void> {
    retireCache(this.cache);
    // A test may have put a double in its place that has only what the test calls.
    await (this.cache as Partial<CacheHierarchy>).close?.();
  }
}

function openCache(options: CacheHierarchyOptions, sweeper: Sweeper): CacheHierarchy {
  const cache = new CacheHierarchy(options, { sweeper, staleOn: isDataSourceError });
  announceCache(cache);
  return cache;
}
