import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel, type RedisClient, type RedisLevel } from '../../lib/redis/index.js';
import { until } from './until.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';

const DELETED = Array.from({ length: 100 }, (_, id) => `deleted:${id}`);
const TAGGED = Array.from({ length: 100 }, (_, id) => `tagged:${id}`);

let master: RedisServer;
let replica: RedisServer;
/** Between clients and the server that they are to use. */
let front: TcpProxy;
/** Between the replica and its master. */
let link: TcpProxy;
let toMaster: Redis;
let toReplica: Redis;
let closers: (() => Promise<void>)[];

beforeEach(async () => {
  const start = (): Promise<RedisServer> => RedisServer.start('--repl-diskless-sync-delay', '0');
  [master, replica] = await Promise.all([start(), start()]);
  [front, link] = await Promise.all([TcpProxy.start(master.port), TcpProxy.start(master.port)]);
  [toMaster, toReplica] = [new Redis(master.port), new Redis(replica.port)];
  for (const client of [toMaster, toReplica]) client.on('error', () => {});
  await toReplica.replicaof('127.0.0.1', link.port);
  await until('the replica follows', async () =>
    (await toReplica.info('replication')).includes('master_link_status:up'),
  );
  closers = [];
});

afterEach(async () => {
  for (const close of closers) await close();
  for (const client of [toMaster, toReplica]) client.disconnect();
  await Promise.all([front.stop(), link.stop()]);
  await Promise.all([master.stop(), replica.stop()]);
});

function openCache(client: RedisClient): CacheHierarchy {
  const cache = new CacheHierarchy({
    remote: redisLevel({ client, maxStale: '1s' }),
    l2: false,
    levelTimeout: 250,
    report: () => {},
  });
  closers.push(() => cache.close());
  return cache;
}

function openLevel(client: RedisClient): RedisLevel {
  const level = redisLevel({ client, name: 'control' });
  closers.push(() => level.close());
  return level;
}

function isProven(cache: CacheHierarchy): boolean {
  return cache.getMetrics().coherence!.proven;
}

/** Waits for the replica: `WAIT` is about what its own connection has written, and all that came before. */
async function replicaHasAll(): Promise<void> {
  await toMaster.set('marker', 1);
  expect(await toMaster.wait(1, 5_000)).toBe(1);
}

/** Fills a cache, has the replica follow, and then changes everything while the replica hears nothing. */
async function changeUnheard(cache: CacheHierarchy): Promise<void> {
  await until('copies are proven', () => isProven(cache));
  await cache.setMany(DELETED.map((key) => [key, 'old']));
  await cache.setMany(
    TAGGED.map((key) => [key, 'old']),
    { tags: 'tag' },
  );
  await cache.set('replaced', 'old');
  await replicaHasAll();
  link.swallow();
  // A machine that does other things may be late with an answer.
  await until('all is acknowledged', () => areDeleted(cache));
  await cache.invalidateTags('tag');
  await cache.set('replaced', 'new');
}

function areDeleted(cache: CacheHierarchy): Promise<boolean> {
  return Promise.all(DELETED.map((key) => cache.delete(key, { require: 'remote' }))).then(
    () => true,
    () => false,
  );
}

async function expectNothingOld(cache: CacheHierarchy): Promise<void> {
  expect([...(await cache.getMany([...DELETED, ...TAGGED])).keys()]).toEqual([]);
  expect(await cache.get('replaced')).not.toBe('old');
}

describeWithRedis.each(CLIENTS)('a replica that takes over, through $name', ({ one }) => {
  it('is told what was acknowledged and it has not got', async () => {
    const client = one(front.port);
    const cache = openCache(client);
    await changeUnheard(cache);

    await master.kill();
    await toReplica.replicaof('NO', 'ONE');
    front.lead(replica.port);
    await until('it is told', () => !isProven(cache), 4_000);
    await until('it was told', () => isProven(cache), 8_000);

    await expectNothingOld(cache);
    await expectNothingOld(openCache(client));
  });

  it('is told as soon as it takes changes', async () => {
    const client = one(front.port);
    const cache = openCache(client);
    await changeUnheard(cache);

    await master.kill();
    front.lead(replica.port);
    await until('it was told in vain', async () =>
      (await toReplica.info('errorstats')).includes('READONLY'),
    );
    // While it is not told nothing of it is read.
    await expectNothingOld(cache);
    await until('no copy is trusted', () => !isProven(cache));
    await toReplica.replicaof('NO', 'ONE');
    await until('it was told', () => isProven(cache), 8_000);

    await expectNothingOld(cache);
    await expectNothingOld(openCache(client));
  });

  it('has lost that where nobody tells it, which shows that these tests can fail', async () => {
    const level = openLevel(one(front.port));
    const freshUntil = performance.now() + 60_000;
    const entry = { value: 'old', bornAt: -Infinity, freshUntil, staleUntil: freshUntil };
    await until('all are stored', async () => {
      // A machine that does other things may be late with some.
      await level.write(new Map(DELETED.map((key) => [key, entry])));
      return (await level.read(DELETED)).size === DELETED.length;
    });
    await replicaHasAll();
    link.swallow();
    await level.delete(DELETED);
    expect((await level.read(DELETED)).size).toBe(0);

    await master.kill();
    await toReplica.replicaof('NO', 'ONE');
    front.lead(replica.port);

    const found = (): Promise<number> =>
      level.read(DELETED).then(
        ({ size }) => size,
        () => 0,
      );
    await until('it has them again', async () => (await found()) === DELETED.length);
  });
});
