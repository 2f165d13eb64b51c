import { setTimeout as sleep } from 'node:timers/promises';
import { CacheHierarchy, LoadTimeoutError } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy({ ttl: '5m', grace: '1h' });
const slow = () => sleep(200, 'new'); // stands for a slow query

const messageOf = (error: LoadTimeoutError) => error.message;

await cache.set('report', 'old');
await cache.expire('report'); // from now on it is a stale value
console.log(await cache.getOrSet('report', slow, { softTimeout: '20ms' })); // old
console.log(await cache.getOrSet('list', slow, { waitTimeout: '20ms' }).catch(messageOf)); // The load of key "list" did not end within waitTimeout (20 ms).
console.log(await cache.getOrSet('map', slow, { hardTimeout: '20ms' }).catch(messageOf)); // The load of key "map" did not end within hardTimeout (20 ms).
console.log(cache.getMetrics().staleServed); // 1
await cache.close();
