import { Module, type DynamicModule } from '@nestjs/common';
import { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { findCacheClass } from './cache-class.js';
import type { CacheManagerOptions } from './cache-manager-options.js';
import {
  ASYNC_OPTIONS_TYPE,
  CACHE_MANAGER_OPTIONS,
  ConfigurableModuleClass,
  OPTIONS_TYPE,
} from './cache-manager.module-definition.js';
import { HierarchyCacheManager } from './hierarchy-cache-manager.js';

/** The injection token of @nestjs/cache-manager. */
const CACHE_MANAGER = 'CACHE_MANAGER';

/**
 * Provides `CACHE_MANAGER` from the application's hierarchy, in place of the `CacheModule` of
 * @nestjs/cache-manager: whatever injects it, the `CacheInterceptor` of that package too, goes on
 * unchanged. Where the package is installed its class `Cache` injects the same. Import it beside
 * `CacheHierarchyModule`; it is global unless `isGlobal` is false.
 */
@Module({
  providers: [
    {
      provide: CACHE_MANAGER,
      inject: [CacheHierarchy, CACHE_MANAGER_OPTIONS],
      useFactory: (cache: CacheHierarchy, options: CacheManagerOptions): HierarchyCacheManager =>
        new HierarchyCacheManager(cache, options),
    },
  ],
  exports: [CACHE_MANAGER],
})
export class CacheManagerModule {
  /** Configures the provider with these options. */
  static register(options: typeof OPTIONS_TYPE = {}): Promise<DynamicModule> {
    return complete(ConfigurableModuleClass.register(options));
  }

  /** Configures the provider with options that a factory or a class supplies. */
  static registerAsync(options: typeof ASYNC_OPTIONS_TYPE): Promise<DynamicModule> {
    return complete(ConfigurableModuleClass.registerAsync(options));
  }
}

async function complete(definition: DynamicModule): Promise<DynamicModule> {
  const { providers = [] } = definition;
  const Cache = await findCacheClass();
  const alias = Cache === undefined ? [] : [{ provide: Cache, useExisting: CACHE_MANAGER }];
  return {
    ...definition,
    module: CacheManagerModule,
    providers: [...providers, ...alias],
    exports: alias.map(({ provide }) => provide),
  };
}
