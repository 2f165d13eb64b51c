import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy({ ttl: '1h', l1: { ttl: '30s' } });

const kept = async (key: string) =>
  (await cache.inspect(key)).map(({ level, freshForMs }) => [level, Math.ceil(freshForMs / 1_000)]);

await cache.set('rates', [1.1, 0.9]);
console.log(await kept('rates')); // [ [ 'L1', 30 ], [ 'L2', 3600 ] ]

await cache.getOrSet('report', async () => 'a large one', { skip: { write: ['L1'] } });
console.log(await kept('report')); // [ [ 'L2', 3600 ] ]
await cache.close();
