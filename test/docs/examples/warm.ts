import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy({ l1: { maxEntries: 1_000 } });
const asked: number[] = [];

async function* allKeys(): AsyncGenerator<string> {
  for (let id = 0; id < 250; id++) yield `place:${id}`; // stands for a cursor of a database
}

async function findPlaces(keys: readonly string[]): Promise<Map<string, string>> {
  asked.push(keys.length);
  return new Map(keys.map((key) => [key, `the row of ${key}`]));
}

console.log(await cache.warm(allKeys(), findPlaces, { ttl: '1h' })); // { done: 250, found: 250, failed: 0 }
console.log(asked); // [ 100, 100, 50 ]
console.log(cache.peek('place:7')); // the row of place:7
await cache.close();
