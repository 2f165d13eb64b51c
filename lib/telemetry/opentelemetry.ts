/** What `nestjs-cache-hierarchy/opentelemetry` exports. */
export { CacheOpenTelemetryModule } from './cache-opentelemetry.module.js';
export { instrumentCaches } from './instrument-caches.js';
export type { CacheOpenTelemetryOptions } from './instrument-caches.js';
export type { CachesNow, NamedCaches } from '../binding/named-caches.js';
