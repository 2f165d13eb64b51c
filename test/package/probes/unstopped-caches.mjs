/** Nobody stops these caches: their timers must not keep the process alive. */
import { CacheHierarchy, EnhancedAsyncTTLCache } from 'nestjs-cache-hierarchy';

const level = new EnhancedAsyncTTLCache({ ttl: '1h', cleanupInterval: '1m' });
await level.set('place:1', 'Lisbon');

const cache = new CacheHierarchy();
await cache.getOrSet('place:1', async () => 'Lisbon');
