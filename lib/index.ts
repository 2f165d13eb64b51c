export { CacheHierarchyModule } from './cache-hierarchy.module.js';
export type { CacheHierarchyOptionsFactory } from './cache-hierarchy.module-definition.js';
export type { NamedCacheAsyncOptions } from './cache-hierarchy.feature.js';
export {
  CACHE_HIERARCHY_OPTIONS,
  CACHE_L1,
  CACHE_L2,
  getCacheToken,
} from './cache-hierarchy.constants.js';
export { cacheHierarchyConfig } from './config/cache-hierarchy.config.js';
export { cacheHierarchyEnvSchema, validateCacheHierarchyEnv } from './config/env-schema.js';
export type { CacheHierarchyEnvSchema, EnvSchemaResult } from './config/env-schema.js';
export type { NamedCacheOptions, NamedCacheSettings } from './config/named-options.js';

export { CacheConfig } from './decorators/cache-config.decorator.js';
export type { CacheConfigOptions } from './decorators/cache-config.decorator.js';
export { CacheEvict } from './decorators/cache-evict.decorator.js';
export type { CacheEvictOptions } from './decorators/cache-evict.decorator.js';
export { CachePut } from './decorators/cache-put.decorator.js';
export type { CachePutOptions } from './decorators/cache-put.decorator.js';
export { Cacheable } from './decorators/cacheable.decorator.js';
export type { CacheableOptions } from './decorators/cacheable.decorator.js';
export { Caching } from './decorators/caching.decorator.js';
export type { CachingOptions } from './decorators/caching.decorator.js';
export type {
  CacheableDecorator,
  CacheMethodDecorator,
  CacheMethodDecorators,
} from './decorators/decorated.js';
export { InjectCache } from './decorators/inject-cache.decorator.js';
export { cacheKeyOf } from './binding/cache-key-of.js';

export { CacheResponse } from './http/cache-response.decorator.js';
export type { CachedRequest, CacheResponseOptions } from './http/cache-response-options.js';
export { CacheResponseInterceptor } from './http/cache-response.interceptor.js';

export { CacheCleanupScheduler } from './cleanup/cache-cleanup.scheduler.js';
export type { SweeperStatus } from './memory/sweeper.js';

export { CacheHierarchy } from './hierarchy/cache-hierarchy.js';
export type { HierarchyMetrics } from './hierarchy/cache-hierarchy.js';
export type { CoherenceMetrics } from './hierarchy/coherence.js';
export { LATENCY_BUCKETS_MS } from './hierarchy/latency-histogram.js';
export type { LatencyMetrics } from './hierarchy/latency-histogram.js';
export { metricsSince } from './hierarchy/metrics-since.js';
export { MetricsWindow } from './hierarchy/metrics-window.js';
export type { MetricsWindowOptions, WindowMetrics } from './hierarchy/metrics-window.js';
export type { CacheNamespace } from './hierarchy/cache-namespace.js';
export type { CacheView } from './hierarchy/cache-view.js';
export type { BatchLoadContext, BatchLoader } from './hierarchy/batch-load.js';
export type {
  DeleteOptions,
  HoldOptions,
  LoadOptions,
  StoreOptions,
} from './hierarchy/call-options.js';
export type { PolicyOptions } from './hierarchy/policy.js';
export type { WarmOptions, WarmProgress } from './hierarchy/warm-up.js';
export type { InspectedEntry } from './hierarchy/inspected-entry.js';
export type { Isolation } from './hierarchy/isolation.js';
export type { LoadContext } from './hierarchy/loader-context.js';
export type { LowerLevelMetrics } from './hierarchy/lower-level.js';
export { CACHE_CHANNELS } from './hierarchy/cache-events.js';
export type {
  CacheEvent,
  DiscardReason,
  HitEvent,
  InvalidatedEvent,
  LoadDiscardedEvent,
  LoadFailedEvent,
  MissEvent,
  MissReason,
  StoredEvent,
} from './hierarchy/cache-events.js';
export type { CacheHierarchyOptions } from './hierarchy/hierarchy-options.js';

export type {
  Ack,
  CacheLevel,
  DeleteMode,
  LevelEntry,
  LevelName,
  Maybe,
  WriteOutcome,
} from './levels/cache-level.js';

export { ConsistentHash } from './memory/consistent-hash.js';
export type { ConsistentHashOptions } from './memory/consistent-hash.js';
export { EnhancedAsyncTTLCache } from './memory/enhanced-async-ttl-cache.js';
export type { CacheMetrics, EntryOptions } from './memory/enhanced-async-ttl-cache.js';
export type { CacheLoadContext } from './memory/loader-context.js';
export type { CacheOptions, LevelOptions } from './memory/cache-options.js';
export type { ShardMetrics } from './memory/cache-shard.js';
export type { RemovalListener, RemovalReason } from './memory/removal-notifier.js';
export { hashText } from './memory/hash.js';
export type { Hash } from './memory/hash.js';
export type { TableMetrics } from './memory/table-metrics.js';
export type { LockMetrics, LockWaits } from './memory/shard-lock-manager.js';

export type { Clock } from './clock.js';
export type { ByteSize } from './byte-sizes.js';
export { parseDuration } from './durations.js';
export type { Duration } from './durations.js';
export {
  CacheError,
  CacheLevelError,
  InvalidArgumentError,
  InvalidOptionsError,
  LoadTimeoutError,
  LockTimeoutError,
} from './errors.js';
export type { OptionProblem } from './errors.js';
export type { CacheReport, Report } from './report.js';
