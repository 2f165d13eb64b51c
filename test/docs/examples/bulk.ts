import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
const asked: string[] = [];
const rows = new Map([
  ['user:1', { name: 'Ada' }],
  ['user:2', { name: 'Grace' }],
]);

async function findUsers(keys: readonly string[]): Promise<Map<string, { name: string }>> {
  asked.push(keys.join(' and '));
  return new Map([...rows].filter(([key]) => keys.includes(key)));
}

const users = (...keys: string[]) => cache.getOrSetMany(keys, findUsers, { ttl: '5m' });

console.log((await users('user:1')).size); // 1
console.log((await users('user:1', 'user:2', 'user:9')).size); // 2
console.log((await users('user:1', 'user:2')).get('user:2')); // { name: 'Grace' }
console.log(asked); // [ 'user:1', 'user:2 and user:9' ]
await cache.close();
