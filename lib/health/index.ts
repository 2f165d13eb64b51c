export { CacheHealthIndicator } from './cache-health.indicator.js';
export type {
  CacheHealthDetails,
  MemoryLevelHealth,
  OutsideLevelHealth,
} from '../hierarchy/cache-health.js';
