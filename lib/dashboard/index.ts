/** What `nestjs-cache-hierarchy/dashboard` exports. */
export { CacheDashboardModule } from './cache-dashboard.module.js';
export type { CacheDashboardAsyncOptions } from './cache-dashboard.module-definition.js';
export type {
  CacheDashboardOptions,
  DashboardRoute,
  DashboardSettings,
} from './dashboard-options.js';
