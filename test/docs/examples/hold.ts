import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
const primary = { stock: 3 };
const replica = { ...primary }; // follows the primary a moment later

const stock = () => cache.getOrSet('stock', async () => replica.stock);
console.log(await stock(), cache.has('stock')); // 3 true

primary.stock = 2;
await cache.delete('stock', { hold: '5s' }); // longer than the replica lags
console.log(await stock(), cache.has('stock')); // 3 false

replica.stock = primary.stock;
console.log(await stock(), cache.has('stock')); // 2 false

await cache.set('stock', primary.stock); // who knows the value need not wait
console.log(await stock(), cache.has('stock')); // 2 true
await cache.close();
