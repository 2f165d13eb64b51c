import { EnhancedAsyncTTLCache } from 'nestjs-cache-hierarchy';

const sessions = new EnhancedAsyncTTLCache<{ user: string }>({ ttl: '20m', maxEntries: 10_000 });

await sessions.set('s1', { user: 'ada' });
console.log(sessions.getIfPresent('s1')); // { user: 'ada' }
await sessions.update('s1', (session) => session && { ...session, user: 'grace' });
console.log(await sessions.get('s1')); // { user: 'grace' }
console.log(await sessions.delete('s1')); // true
console.log(sessions.getMetrics().hitRatio); // 1
await sessions.stop();
