/** What `nestjs-cache-hierarchy/prometheus` exports. */
export { CachePrometheusModule } from './cache-prometheus.module.js';
export { collectCaches } from './collect-caches.js';
export type { CachePrometheusOptions, MetricRegistry } from './collect-caches.js';
export type { CachesNow, NamedCaches } from '../binding/named-caches.js';
