import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CacheOpenTelemetryOptions } from './instrument-caches.js';

/** Injection token of the options as they were given to the module. */
export const CACHE_OPENTELEMETRY_OPTIONS = Symbol.for(
  'nestjs-cache-hierarchy:opentelemetry-options',
);

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CacheOpenTelemetryOptions>({
    moduleName: 'CacheOpenTelemetry',
    optionsInjectionToken: CACHE_OPENTELEMETRY_OPTIONS,
  })
    .setClassMethodName('forRoot')
    .build();
