import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster, createSentinel } from 'redis';
import { redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { until } from './until.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

const KEYS = Array.from({ length: 50 }, (_, id) => `key:${id}`);
const LAST_SLOT = 16_383;
const USER = { username: 'application', password: 'secret' };

let server: RedisServer;
/** A Cluster of one node: that much of a Cluster is there soon. */
let node: RedisServer;

beforeAll(async () => {
  [server, node] = await Promise.all([
    RedisServer.start(),
    RedisServer.start('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'),
  ]);
  const toNode = new Redis(node.port);
  await toNode.cluster('ADDSLOTSRANGE', 0, LAST_SLOT);
  await until('the node is a cluster', async () =>
    (await toNode.cluster('INFO')).includes('cluster_state:ok'),
  );
  toNode.disconnect();
});

afterAll(() => Promise.all([server.stop(), node.stop()]));

/** Options that a user's client may have, and the level's own connections must not. */
const CLIENTS: readonly [name: string, make: () => RedisClient][] = [
  [
    'ioredis with enableAutoPipelining',
    () => new Redis(server.port, { lazyConnect: true, enableAutoPipelining: true }),
  ],
  [
    'a Cluster of ioredis with enableAutoPipelining',
    () =>
      new Cluster([{ port: node.port, host: '127.0.0.1' }], {
        lazyConnect: true,
        enableAutoPipelining: true,
      }),
  ],
  [
    'redis with commandsQueueMaxLength',
    () =>
      createClient({ socket: { port: server.port, host: '127.0.0.1' }, commandsQueueMaxLength: 5 }),
  ],
  [
    'a Cluster of redis with commandsQueueMaxLength',
    () =>
      createCluster({
        rootNodes: [{ socket: { port: node.port, host: '127.0.0.1' } }],
        defaults: { commandsQueueMaxLength: 5 },
      }),
  ],
];

describeWithRedis('a level over a client with options of its own', () => {
  it.each(CLIENTS)('works: %s', async (_, make) => {
    const level = redisLevel({ client: make() });
    const feed = level.follow({ changed: () => {}, missed: () => {} });
    const freshUntil = performance.now() + 60_000;
    const entry = { value: 'any', bornAt: -Infinity, freshUntil, staleUntil: freshUntil };
    try {
      await level.write(new Map(KEYS.map((key) => [key, entry])));
      expect((await level.read(KEYS)).size).toBe(KEYS.length);
      await Promise.all(KEYS.map((key) => level.delete([key])));
      expect((await level.read(KEYS)).size).toBe(0);
      await until('copies are proven', () => feed.isProven());
    } finally {
      feed.stop();
      await level.close();
    }
  });

  it.each<[string, () => RedisServer, () => RedisClient]>([
    [
      'ioredis',
      () => server,
      () => new Redis({ port: server.port, lazyConnect: true, keyPrefix: 'own:', ...USER }),
    ],
    [
      'a Cluster of ioredis',
      () => node,
      () =>
        new Cluster([{ port: node.port, host: '127.0.0.1' }], {
          lazyConnect: true,
          redisOptions: { keyPrefix: 'own:', ...USER },
        }),
    ],
  ])('connects as its user, with a prefix of its own: %s', async (_, serverOf, make) => {
    const admin = new Redis(serverOf().port);
    await admin.flushall();
    await admin.call(
      'ACL',
      'SETUSER',
      USER.username,
      'on',
      `>${USER.password}`,
      '~*',
      '&*',
      '+@all',
    );
    const level = redisLevel({ client: make() });
    try {
      await level.delete(['key']);
      const names = await admin.keys('*');
      expect(names).not.toEqual([]);
      expect(names.filter((name) => !name.startsWith('cache:'))).toEqual([]);
      expect(await admin.client('LIST')).toContain(`user=${USER.username} `);
    } finally {
      await level.close();
      admin.disconnect();
    }
  });

  it('is not made over a Sentinel of redis, which says what to give instead', () => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port: server.port }];
    const client = createSentinel({ name: 'any', sentinelRootNodes });

    expect(() => redisLevel({ client } as never)).toThrow(
      /client: must not be a Sentinel of redis \(createSentinel\): give a client of ioredis/,
    );
  });
});
