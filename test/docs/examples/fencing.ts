import { setImmediate as turn } from 'node:timers/promises';
import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
let price = 10;

const early = cache.getOrSet('price', async () => {
  const read = price; // the query has its answer …
  await turn(); // … which is still on its way when the price changes
  return read;
});
price = 12;
await cache.delete('price');

console.log(await early); // 10
console.log(cache.peek('price')); // undefined
console.log(await cache.getOrSet('price', async () => price)); // 12
await cache.close();
