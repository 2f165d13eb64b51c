import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CACHE_CHANNELS, CacheHierarchy, type MissEvent } from 'nestjs-cache-hierarchy';

const cache = new CacheHierarchy();
const counts: Record<string, number> = {};

function countMiss(message: unknown): void {
  const { namespace, reason } = message as MissEvent;
  const name = [...namespace, reason].join(': ');
  counts[name] = (counts[name] ?? 0) + 1;
}

subscribe(CACHE_CHANNELS.miss, countMiss);
const users = cache.namespace('users');
await users.getOrSet('1', () => ({ name: 'Ada' }), { tags: 'staff' });
await cache.invalidateTags('staff');
await users.getOrSet('1', () => ({ name: 'Grace' }), { tags: 'staff' });
unsubscribe(CACHE_CHANNELS.miss, countMiss);

console.log(counts); // { 'users: absent': 1, 'users: tag': 1 }
await cache.close();
