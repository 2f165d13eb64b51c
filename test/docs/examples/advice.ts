import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const told: string[] = [];

const cache = new CacheHierarchy({
  ttl: '10m',
  negativeTtl: '1h',
  report: ({ code, message }) => told.push(code, message),
});

console.log(told[0]); // CACHE_NEGATIVE_TTL_ABOVE_TTL
console.log(told[1]); // CacheHierarchy: negativeTtl ('1h') is above ttl ('10m'): null, which often stands for what does not exist yet, lives longer than other values. Write a negativeTtl below ttl.
await cache.close();
