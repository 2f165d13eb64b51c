import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { until } from './until.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';

let before: RedisServer;
let after: RedisServer;
/** Stands for an address that moves from one server to the other. */
let address: TcpProxy;
let caches: CacheHierarchy[];

beforeEach(async () => {
  [before, after] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  address = await TcpProxy.start(before.port);
  caches = [];
});

afterEach(async () => {
  for (const cache of caches) await cache.close();
  await address.stop();
  await Promise.all([before.stop(), after.stop()]);
});

function openCache(client: RedisClient): CacheHierarchy {
  const cache = new CacheHierarchy({ remote: redisLevel({ client }), l2: false, report: () => {} });
  caches.push(cache);
  return cache;
}

describeWithRedis.each(CLIENTS)('a master that is made a replica, through $name', ({ one }) => {
  it('is left for the new master, though its connections stay', async () => {
    const cache = openCache(one(address.port));
    const proven = (): boolean => cache.getMetrics().coherence!.proven;
    await until('copies are proven', proven);
    await cache.set('key', 'old');

    address.leadNew(after.port);
    const toBefore = new Redis(before.port);
    await toBefore.replicaof('127.0.0.1', 1); // of nobody: it hears of no change
    toBefore.disconnect();
    const isChanged = (): Promise<boolean> =>
      cache.delete('key', { require: 'remote' }).then(
        () => true,
        () => false,
      );
    await until('what is changed is changed there', isChanged);
    await until('copies are proven again', proven);
    const other = openCache(one(after.port));
    await until('the other knows of all that comes', () => other.getMetrics().coherence!.proven);
    await other.set('key', 'new');

    await until('it has heard of it', async () => (await cache.get('key')) === 'new');
    expect(cache.getMetrics().lower['remote']).toMatchObject({ unconfirmed: 0 });
  });
});
