import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { CACHE_HIERARCHY_OPTIONS } from './cache-hierarchy.constants.js';
import type { CacheHierarchyOptions } from './hierarchy/hierarchy-options.js';

/** Implemented by the classes that `forRootAsync` takes as `useClass` or `useExisting`. */
export interface CacheHierarchyOptionsFactory {
  createCacheHierarchyOptions(): Promise<CacheHierarchyOptions> | CacheHierarchyOptions;
}

/** What the module takes beside the cache's own options. */
export interface CacheHierarchyModuleExtras {
  /**
   * Whether every module may inject the cache without importing this one. Decorated methods find
   * it either way.
   *
   * @default true
   */
  isGlobal?: boolean;
}

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CacheHierarchyOptions>({
    moduleName: 'CacheHierarchy',
    optionsInjectionToken: CACHE_HIERARCHY_OPTIONS,
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createCacheHierarchyOptions')
    .setExtras<CacheHierarchyModuleExtras>({ isGlobal: true }, makeGlobal)
    .build();

function makeGlobal(
  definition: DynamicModule,
  { isGlobal }: CacheHierarchyModuleExtras,
): DynamicModule {
  return { ...definition, global: isGlobal ?? true };
}
