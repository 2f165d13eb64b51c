import { CacheHierarchy } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy({ ttl: '5m', grace: '1h', throttle: '10s' });
let version = 1;

async function fetchRates(etag?: string): Promise<{ etag: string; usd: number } | 'unchanged'> {
  if (version === 0) throw new Error('the bank is away');
  return etag === `v${version}` ? 'unchanged' : { etag: `v${version}`, usd: 1.1 };
}

const rates = () =>
  cache.getOrSet('rates', async ({ stale, notModified }) => {
    const before = stale as { etag: string; usd: number } | undefined;
    const answer = await fetchRates(before?.etag);
    return answer === 'unchanged' ? notModified() : answer;
  });

console.log(await rates()); // { etag: 'v1', usd: 1.1 }
await cache.expire('rates'); // from now on to be asked for again, but kept
console.log(cache.has('rates')); // false
console.log(await rates()); // { etag: 'v1', usd: 1.1 }
console.log(cache.has('rates')); // true

await cache.expire('rates');
version = 0;
console.log(await rates()); // { etag: 'v1', usd: 1.1 }
console.log(cache.getMetrics().staleServed); // 1
await cache.close();
