/** What `nestjs-cache-hierarchy/schedule` exports. */
export { CACHE_CLEANUP_INTERVAL } from './registered-timer.js';
export { CacheScheduleModule } from './cache-schedule.module.js';
