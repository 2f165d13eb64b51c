import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { describeLevel } from '../../lib/testing/index.js';
import { until } from './poll.js';
import { CLIENTS } from './redis-clients.js';
import { RedisCluster } from './redis-cluster.js';
import { describeWithRedis } from './redis-server.js';

let cluster: RedisCluster;
let names = 0;

beforeAll(async () => {
  cluster = await RedisCluster.start();
}, 30_000);

afterAll(async () => {
  await cluster.stop();
}, 30_000);

const KEYS = Array.from({ length: 300 }, (_, id) => `row:${id}`);

for (const { name, cluster: clientOf } of CLIENTS) {
  describeLevel(
    `a Cluster through ${name}`,
    () => ({
      level: redisLevel({ client: clientOf(cluster.ports), name: `cache-${++names}` }),
      now: () => performance.now(),
      advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      toleranceMs: 20,
    }),
    { describe: describeWithRedis, it },
  );
}

describeWithRedis.each(CLIENTS)('caches over a Cluster through $name', ({ cluster: clientOf }) => {
  let one: CacheHierarchy;
  let other: CacheHierarchy;

  beforeEach(async () => {
    const name = `cache-${++names}`;
    const client = clientOf(cluster.ports);
    [one, other] = [openCache(client, name), openCache(client, name)];
    await until('copies are proven', () => isProven(one) && isProven(other));
    await one.setMany(
      KEYS.map((key) => [key, 'old']),
      { tags: 'tag' },
    );
    await until('it was heard', () => other.getMetrics().coherence!.heard >= KEYS.length);
    expect((await other.getMany(KEYS)).size).toBe(KEYS.length);
  }, 20_000);

  afterEach(async () => {
    await Promise.all([one.close(), other.close()]);
  });

  it.each([
    ['a clear', () => one.clear()],
    ['a tag', () => one.invalidateTags('tag')],
    ['deletes', () => one.deleteMany(KEYS)],
  ])('have %s reach what is on all nodes', async (_, invalidate) => {
    await invalidate();
    await until('it was heard', () => KEYS.every((key) => !other.has(key)));

    expect((await other.getMany(KEYS)).size).toBe(0);
    expect((await one.getMany(KEYS)).size).toBe(0);
  });
});

function openCache(client: RedisClient, name: string): CacheHierarchy {
  return new CacheHierarchy({
    remote: redisLevel({ client, name, maxStale: '1s' }),
    l2: false,
    levelTimeout: 250,
    report: () => {},
  });
}

function isProven(cache: CacheHierarchy): boolean {
  return cache.getMetrics().coherence!.proven;
}
