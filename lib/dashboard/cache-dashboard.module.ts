import { Module, type DynamicModule } from '@nestjs/common';
import { CacheRegistry, CacheRegistryModule } from '../binding/cache.registry.js';
import { systemClock } from '../clock.js';
import {
  CACHE_DASHBOARD_OPTIONS,
  ConfigurableModuleClass,
  DASHBOARD_SURROUNDINGS,
  type CacheDashboardAsyncOptions,
} from './cache-dashboard.module-definition.js';
import { CacheDashboard, type DashboardSurroundings } from './cache-dashboard.js';
import { dashboardController } from './dashboard.controller.js';
import {
  resolveOptions,
  resolveRoute,
  resolveSettings,
  type CacheDashboardOptions,
  type DashboardSettings,
  type ResolvedRoute,
} from './dashboard-options.js';

const SURROUNDINGS: DashboardSurroundings = {
  clock: systemClock,
  pageFolder: new URL('./page/', import.meta.url),
};

/**
 * Serves a page that shows what every cache of the application does, live. Import it beside
 * `CacheHierarchyModule`, once, and say who may see it.
 */
@Module({})
export class CacheDashboardModule {
  /**
   * Serves the dashboard with these options.
   *
   * @throws {InvalidOptionsError} for a bad option: everybody may see it only where `guard: null` says so
   */
  static forRoot(options: CacheDashboardOptions): DynamicModule {
    const { mutations, revealKeys, ...route } = resolveOptions(options);
    const definition = ConfigurableModuleClass.forRoot({ mutations, revealKeys });
    return withDashboard(definition, route, options.imports);
  }

  /**
   * Serves the dashboard with options that a factory or a class supplies; `path` and `guard` are given beside it.
   *
   * @throws {InvalidOptionsError} for a bad path or guard
   */
  static forRootAsync(options: CacheDashboardAsyncOptions): DynamicModule {
    const { path: _path, guard: _guard, ...rest } = options;
    return withDashboard(ConfigurableModuleClass.forRootAsync(rest), resolveRoute(options));
  }
}

function withDashboard(
  definition: DynamicModule,
  route: ResolvedRoute,
  imports: DynamicModule['imports'] = [],
): DynamicModule {
  return {
    ...definition,
    module: CacheDashboardModule,
    imports: [CacheRegistryModule, ...(definition.imports ?? []), ...imports],
    controllers: [dashboardController(route)],
    providers: [
      ...(definition.providers ?? []),
      { provide: DASHBOARD_SURROUNDINGS, useValue: SURROUNDINGS },
      {
        provide: CacheDashboard,
        inject: [CacheRegistry, CACHE_DASHBOARD_OPTIONS, DASHBOARD_SURROUNDINGS],
        useFactory: (
          registry: CacheRegistry,
          settings: DashboardSettings,
          surroundings: DashboardSurroundings,
        ): CacheDashboard => {
          registry.assertRoot(CacheDashboardModule.name);
          return new CacheDashboard(registry, resolveSettings(settings, route), surroundings);
        },
      },
    ],
  };
}
