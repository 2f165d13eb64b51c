import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { DashboardRoute, DashboardSettings } from './dashboard-options.js';

/** Injection token of what a dashboard shows and does, as it was given to the module. */
export const CACHE_DASHBOARD_OPTIONS = Symbol.for('nestjs-cache-hierarchy:dashboard-options');

/** Injection token of the clock and the files of the page; override it in tests. */
export const DASHBOARD_SURROUNDINGS = Symbol.for('nestjs-cache-hierarchy:dashboard-surroundings');

export const { ConfigurableModuleClass, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<DashboardSettings>({
    moduleName: 'CacheDashboard',
    optionsInjectionToken: CACHE_DASHBOARD_OPTIONS,
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createCacheDashboardOptions')
    .build();

/** What `forRootAsync` takes: the path and the guard are given beside what makes the other options. */
export type CacheDashboardAsyncOptions = typeof ASYNC_OPTIONS_TYPE & DashboardRoute;
