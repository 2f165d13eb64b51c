import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { describeLevel } from '../../lib/testing/index.js';
import { codeBlocks, read } from '../docs/documents.js';
import { RedisCluster } from './redis-cluster.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

const [line, ofClusters, ofOptions] = codeBlocks(read('docs/redis-operations.md'), 'acl');
const [, username, ...rules] = line!.trim().split(' ');
const password = rules.find((rule) => rule.startsWith('>'))!.slice(1);
const prefix = rules.find((rule) => rule.startsWith('~'))!.slice(1, -':*'.length);

let server: RedisServer;
let admin: Redis;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
  closers.push(() => admin.disconnect());
  await admin.call('ACL', 'SETUSER', username!, ...rules);
});

afterAll(async () => {
  for (const close of closers) await close();
  await server.stop();
});

function connectAsUser(): Redis {
  const client = new Redis({ port: server.port, username: username!, password });
  closers.push(() => client.disconnect());
  return client;
}

/** Has what entries depend on end before they do. */
async function shortenMarks(): Promise<void> {
  for (const key of await admin.keys('*:g'))
    await admin.set(key, (await admin.getBuffer(key))!, 'PX', 5_000);
}

const clients: Record<string, () => RedisClient> = {
  ioredis: () => connectAsUser(),
  redis: () => createClient({ socket: { port: server.port }, username: username!, password }),
};

let names = 0;
describeLevel(
  'Redis with the documented permissions',
  async () => ({
    level: redisLevel({ client: clients['ioredis']!(), prefix, name: `cache-${++names}` }),
    now: () => performance.now(),
    advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    toleranceMs: 100, // Half a round trip on a busy machine.
  }),
  { describe: describeWithRedis, it },
);

describeWithRedis.each(Object.keys(clients))(
  'a cache with the documented permissions, %s',
  (name) => {
    it('loads, invalidates and hears of changes', async () => {
      const remote = redisLevel({ client: clients[name]!(), prefix, name: `cache-${++names}` });
      const cache = new CacheHierarchy({ remote, l2: false });
      const places = cache.namespace('places');

      expect(await places.getOrSet('1', () => 'Paris', { tags: 'cities' })).toBe('Paris');
      await cache.set('key', 'old');
      await shortenMarks();
      await cache.set('key', 'new'); // has to keep them for longer
      await cache.delete('other', { hold: '1s', require: 'remote' });
      await cache.invalidateTags('cities');
      await places.clear();
      while (cache.getMetrics().coherence?.proven !== true)
        await new Promise((resolve) => setTimeout(resolve, 5));
      const { failures, unconfirmed } = cache.getMetrics().lower.remote!;
      await cache.close();

      expect({ failures, unconfirmed }).toEqual({ failures: 0, unconfirmed: 0 });
    });
  },
);

/** What a server has refused to do for want of a permission. */
async function refused(redis: Redis): Promise<string[]> {
  const entries = (await redis.call('ACL', 'LOG')) as unknown[][];
  return entries.map((entry) => String(entry[entry.indexOf('object') + 1]));
}

describeWithRedis('the documented permissions', () => {
  it('are all that was asked for so far', async () => {
    expect(await refused(admin)).toEqual([]);
  });

  it('are all used by what was done so far', async () => {
    const figures = await admin.info('commandstats');
    const calls = figures.matchAll(/^cmdstat_(\w+)[^:]*:calls=[1-9]/gm);
    const used = new Set(Array.from(calls, ([, name]) => name));

    const granted = rules.filter((rule) => rule.startsWith('+')).map((rule) => rule.slice(1));
    expect(granted.filter((name) => !used.has(name))).toEqual([]);
  });

  it.each([
    ['a key of others', ['GET', 'bank:account']],
    ['a channel of others', ['PUBLISH', 'bank:news', 'hello']],
    [
      'a script that changes a key of others',
      ['EVAL', 'return redis.call("SET", "bank:account", 1)', '0'],
    ],
    ['FLUSHALL', ['FLUSHALL']],
    ['KEYS', ['KEYS', '*']],
    ['CONFIG', ['CONFIG', 'GET', '*']],
  ])('refuse %s', async (_, [command, ...args]) => {
    await expect(connectAsUser().call(command!, ...args)).rejects.toThrow(
      /NOPERM|can't access|ACL failure/,
    );
  });
});

describeWithRedis.each<[string, () => RedisClient]>([
  ['ioredis', () => new Redis({ port: server.port, username: 'other', password, db: 2 })],
  [
    'redis',
    () =>
      createClient({
        socket: { port: server.port },
        username: 'other',
        password,
        database: 2,
        name: 'shop',
        pingInterval: 5,
      }),
  ],
])('a client of %s with a database, a name and pings', (name, makeClient) => {
  it('needs no more than is documented for these', async () => {
    await admin.call('ACL', 'SETUSER', 'other', ...rules, ...ofOptions!.trim().split(' '));
    await admin.call('ACL', 'LOG', 'RESET');
    const client = makeClient();
    const cache = new CacheHierarchy({ remote: redisLevel({ client, prefix, name }), l2: false });
    try {
      await until('it is in use', () => cache.getMetrics().coherence?.proven === true);
      await cache.set('key', 'value');
    } finally {
      await cache.close();
      if (client instanceof Redis) client.disconnect();
    }

    expect(await refused(admin)).toEqual([]);
    const other = admin.duplicate({ db: 2 });
    closers.push(() => other.disconnect());
    expect(await other.keys(`${prefix}:{${name}/*:v:key`)).toHaveLength(1);
  });
});

describeWithRedis('in a Cluster', () => {
  let cluster: RedisCluster;
  const user = { username: username!, password };
  const given = [username!, ...rules, ...ofClusters!.trim().split(' ')];

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    await cluster.onEach(async (node) => node.call('ACL', 'SETUSER', ...given));
  }, 30_000);

  afterAll(() => cluster.stop());

  it.each<[string, () => RedisClient]>([
    [
      'ioredis',
      () =>
        new Cluster([{ host: '127.0.0.1', port: cluster.ports[0]! }], {
          lazyConnect: true,
          redisOptions: user,
        }),
    ],
    [
      'redis',
      () =>
        createCluster({
          rootNodes: [{ socket: { host: '127.0.0.1', port: cluster.ports[0]! } }],
          defaults: user,
        }),
    ],
  ])('a cache with the documented permissions works through %s', async (name, makeClient) => {
    const remote = redisLevel({ client: makeClient(), prefix, name });
    const cache = new CacheHierarchy({ remote, l2: false });

    expect(await cache.getOrSet('key', () => 'loaded', { tags: 'tag' })).toBe('loaded');
    await cache.clear();
    // What is asked for while a slot moves is asked of the node that it moves to.
    const { counters } = new KeyLayout({ prefix, name }).bucketOf('key');
    await cluster.moveSlotOf(counters, async () => {
      await cache.get('key');
    });
    while (cache.getMetrics().coherence?.proven !== true)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const { failures, unconfirmed } = cache.getMetrics().lower.remote!;
    await cache.close();

    expect({ failures, unconfirmed }).toEqual({ failures: 0, unconfirmed: 0 });
    expect((await cluster.onEach(refused)).flat()).toEqual([]);
  });
});
