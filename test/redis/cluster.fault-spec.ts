import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { describeLevel } from '../../lib/testing/index.js';
import { until } from './until.js';
import { CLIENTS } from './redis-clients.js';
import { RedisCluster } from './redis-cluster.js';
import { describeWithRedis } from './redis-server.js';
import { Storm } from './storm.js';

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
      toleranceMs: 100, // Half a round trip on a busy machine.
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
    await setAll(one, other);
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
    const stored = await cluster.onEach((node) => node.keys('*:v:row:*'));
    expect(stored.every((keys) => keys.length > 0)).toBe(true);
    await invalidate();
    await until('it was heard', () => KEYS.every((key) => !other.has(key)));

    expect((await other.getMany(KEYS)).size).toBe(0);
    expect((await one.getMany(KEYS)).size).toBe(0);
  });
});

describeWithRedis.each(CLIENTS)('a level over a Cluster through $name', ({ cluster: clientOf }) => {
  it('leaves no connection when it is closed while they are made', async () => {
    const client = clientOf(cluster.ports);
    for (let delayMs = 0; delayMs < 30; delayMs++) {
      const level = redisLevel({ client, name: `cache-${++names}` });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await level.close();
    }

    const isOnlyWhoAsks = async (): Promise<boolean> => {
      const infos = await cluster.onEach(async (node) => node.info('clients'));
      return infos.every((info) => info.includes('connected_clients:1\r'));
    };
    await expect(until('only who asks is connected', isOnlyWhoAsks)).resolves.toBeUndefined();
  }, 30_000);
});

function openCache(client: RedisClient, name: string): CacheHierarchy {
  return new CacheHierarchy({
    remote: redisLevel({ client, name, maxStale: '1s' }),
    l2: false,
    report: () => {},
  });
}

function isProven(cache: CacheHierarchy): boolean {
  return cache.getMetrics().coherence!.proven;
}

describeWithRedis.each(CLIENTS)(
  'caches over a Cluster that loses a node, through $name',
  ({ cluster: clientOf }) => {
    it('go on with what is on the others', async () => {
      const lossy = await RedisCluster.start();
      const client = clientOf(lossy.ports);
      const [one, other] = [openCache(client, 'cache'), openCache(client, 'cache')];
      // Has no copies: what it has it has from Redis.
      const third = openCache(client, 'cache');
      const caches = [one, other, third];
      try {
        await until('copies are proven', () => caches.every(isProven));
        await setAll(one, other);
        await lossy.nodes[2]!.kill();
        await until('not everything is proven', () => !caches.some(isProven));

        const left = await readOneByOne(third);
        expect(left.length).toBeGreaterThan(KEYS.length / 2);
        expect(left.length).toBeLessThan(KEYS.length);
        expect(third.getMetrics().lower.remote!.down).toBe(false);
        // They are changed as if nothing was, and what the node has that is away is loaded.
        await until('it is known', async () => {
          await Promise.all(left.map((key) => one.set(key, 'new')));
          return (await valuesOf(third, left)).every(isNew);
        });
        await until('it is known', async () => (await valuesOf(other, left)).every(isNew));
        const lost = KEYS.find((key) => !left.includes(key))!;
        expect(await third.getOrSet(lost, () => 'loaded')).toBe('loaded');

        // Calls of many keys fail for those alone that are away. A busy machine may be late with others.
        const owed = KEYS.length - left.length;
        await until('only what is away is owed', async () => {
          await third.setMany(KEYS.map((key) => [key, 'set']));
          return third.getMetrics().lower.remote!.unconfirmed === owed;
        });
        await until('the others are found', async () => {
          const found = [...(await one.getMany(KEYS)).keys()];
          return found.join() === left.join();
        });
        await until('the others are deleted', async () => {
          await third.deleteMany(KEYS);
          return third.getMetrics().lower.remote!.unconfirmed === owed;
        });
        await until('what is loaded is shared', async () => {
          await Promise.all(KEYS.map((key) => one.getOrSet(key, () => 'loaded')));
          return (await valuesOf(other, left)).every((value) => value === 'loaded');
        });
      } finally {
        await Promise.all(caches.map((cache) => cache.close()));
        await lossy.stop();
      }
    }, 120_000);
  },
);

describeWithRedis.each(CLIENTS)(
  'caches over a Cluster whose slots move, through $name',
  ({ cluster: clientOf }) => {
    it('lose nothing, and go on', async () => {
      const name = `cache-${++names}`;
      const layout = new KeyLayout({ prefix: 'cache', name });
      const caches = [1, 2].map(() => openCache(clientOf(cluster.ports), name));
      const storm = new Storm(caches);
      try {
        await storm.calm();
        for (const { counters } of layout.buckets) await cluster.moveSlotOf(counters);
        await storm.calm();
        await storm.stop();

        expect([storm.errors, storm.stale]).toEqual([[], []]);
        await storm.current();
        // What is on all nodes is reached where it is now.
        const [one, other] = caches as [CacheHierarchy, CacheHierarchy];
        await setAll(one, other);
        await one.clear();
        await until('it was heard', () => KEYS.every((key) => !other.has(key)));
        expect(await readOneByOne(other)).toEqual([]);
      } finally {
        await storm.stop();
        await Promise.all(caches.map((cache) => cache.close()));
      }
    }, 60_000);
  },
);

/** Sets all keys, again where a machine that does other things was late with some, until another has them. */
function setAll(one: CacheHierarchy, other: CacheHierarchy): Promise<void> {
  return until('all is there', async () => {
    await one.setMany(
      KEYS.map((key) => [key, 'old']),
      { tags: 'tag' },
    );
    return (await readOneByOne(other)).length === KEYS.length;
  });
}

function isNew(value: unknown): boolean {
  return value === 'new';
}

/** The keys that a cache has. */
async function readOneByOne(cache: CacheHierarchy): Promise<string[]> {
  const found: string[] = [];
  for (const key of KEYS) if ((await cache.get(key)) !== undefined) found.push(key);
  return found;
}

async function valuesOf(cache: CacheHierarchy, keys: readonly string[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const key of keys) values.push(await cache.get(key));
  return values;
}
