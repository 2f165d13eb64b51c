import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import type { CacheManagerOptions } from './cache-manager-options.js';

/** Injection token of the options as they were given to the module. */
export const CACHE_MANAGER_OPTIONS = Symbol.for('nestjs-cache-hierarchy:cache-manager-options');

/** Implemented by the classes that `registerAsync` takes as `useClass` or `useExisting`. */
export interface CacheManagerOptionsFactory {
  createCacheOptions(): Promise<CacheManagerOptions> | CacheManagerOptions;
}

/** What the module takes beside the options. */
export interface CacheManagerModuleExtras {
  /**
   * Whether every module may inject `CACHE_MANAGER` without importing this one.
   *
   * @default true
   */
  isGlobal?: boolean;
}

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CacheManagerOptions>({
    moduleName: 'CacheManager',
    optionsInjectionToken: CACHE_MANAGER_OPTIONS,
  })
    .setFactoryMethodName('createCacheOptions')
    .setExtras<CacheManagerModuleExtras>({ isGlobal: true }, makeGlobal)
    .build();

function makeGlobal(
  definition: DynamicModule,
  { isGlobal }: CacheManagerModuleExtras,
): DynamicModule {
  return { ...definition, global: isGlobal ?? true };
}
