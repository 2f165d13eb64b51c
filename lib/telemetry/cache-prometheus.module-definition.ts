import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { CachePrometheusOptions } from './collect-caches.js';

/** Injection token of the options as they were given to the module. */
export const CACHE_PROMETHEUS_OPTIONS = Symbol.for('nestjs-cache-hierarchy:prometheus-options');

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CachePrometheusOptions>({
    moduleName: 'CachePrometheus',
    optionsInjectionToken: CACHE_PROMETHEUS_OPTIONS,
  })
    .setClassMethodName('forRoot')
    .build();
