import { CacheHierarchy, MetricsWindow } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy({ l2: false });
const lastMinute = new MetricsWindow({ over: '1m' });
lastMinute.add(cache.getMetrics());

for (const id of ['1', '2', '1', '1']) await cache.getOrSet(id, async () => ({ id }));

const { metrics } = lastMinute.add(cache.getMetrics());
console.log(metrics.hitRatio, metrics.missReasons.absent); // 0.5 2
console.log(metrics.loadTimes.count, metrics.levels.L1.size); // 2 2
await cache.close();
