/** What `nestjs-cache-hierarchy/cache-manager` exports. */
export { CacheManagerModule } from './cache-manager.module.js';
export type {
  CacheManagerModuleExtras,
  CacheManagerOptionsFactory,
} from './cache-manager.module-definition.js';
export type { CacheManagerOptions } from './cache-manager-options.js';
export { HierarchyCacheManager } from './hierarchy-cache-manager.js';
export type { HierarchyStore } from './hierarchy-store.js';
export type { CacheManagerEntry, CacheManagerEvents, RawValue } from './cache-manager-events.js';
export type { WrapOptions } from './wrap-call.js';
