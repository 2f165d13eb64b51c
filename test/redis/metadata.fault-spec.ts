import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisLevel } from '../../lib/redis/index.js';
import { randomFrom } from '../support/random.js';
import { Instance, pause } from './instance.js';
import { machineNow, Oracle } from './oracle.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

jest.setTimeout(120_000);

const MAX_STALE_MS = 2_000;

let server: RedisServer;
let admin: Redis;
let names = 0;
const opened: Instance[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((instance) => instance.close()));
  await admin.config('SET', 'maxmemory', '0');
});

async function two(name: string): Promise<[Instance, Instance]> {
  const { port } = server;
  const options = { kind: 'hierarchy', port, databasePort: port, name } as const;
  const all = { ...options, maxStaleMs: MAX_STALE_MS, loadMs: 2 };
  const both = [await Instance.open(all), await Instance.open(all)] as [Instance, Instance];
  opened.push(...both);
  await until('copies are proven', () => both.every((instance) => instance.isProven()));
  return both;
}

/** How many commands the server has carried out while this ran, those of scripts included. */
async function commandsOf(run: () => Promise<unknown>): Promise<number> {
  await admin.config('RESETSTAT');
  await run();
  const stats = await admin.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  const counted = calls.filter(([, command]) => !/^(info|config|ping)/.test(command!));
  return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
}

describeWithRedis('an invalidation of many', () => {
  /** Stores so many entries and returns what it takes to invalidate them. */
  async function costsFor(count: number): Promise<{ tag: number; clear: number }> {
    const client = new Redis(server.port);
    const level = redisLevel({ client, name: `cache-${(names += 1)}` });
    const later = performance.now() + 600_000;
    const entry = { value: 1, bornAt: 0, freshUntil: later, staleUntil: later, tags: ['tag'] };
    const keys = Array.from({ length: count }, (_, at) => `key:${at}`);
    const store = async (from: number, to: number): Promise<void> => {
      await level.write(new Map(keys.slice(from, to).map((key) => [key, entry])));
    };
    const sample = keys.slice(0, 500);
    const found = async (): Promise<number> => (await level.read(sample)).size;
    try {
      for (let at = 0; at < count; at += 2_000) await store(at, at + 2_000);
      expect(await found()).toBe(sample.length);
      const tag = await commandsOf(() => level.invalidateTags(['tag']));
      expect(await found()).toBe(0);
      await store(0, 500);
      expect(await found()).toBe(sample.length);
      const clear = await commandsOf(() => level.clear());
      expect(await found()).toBe(0);
      return { tag, clear };
    } finally {
      await level.close();
      client.disconnect();
    }
  }

  it('takes as many commands for 100,000 entries as for 500', async () => {
    await costsFor(500); // The server gets the scripts.
    const few = await costsFor(500);

    expect(await costsFor(100_000)).toEqual(few);
    // In each of 16 buckets.
    expect(Math.max(few.tag, few.clear)).toBeLessThan(16 * 20);
    await admin.flushall();
  });
});

describeWithRedis('what a cache keeps beside its entries', () => {
  const work = { seed: 1, forMs: 4_000, readers: 2, keys: 8, changeEveryMs: 15 };

  async function judged(name: string, nemesis: () => Promise<void>): Promise<unknown> {
    const both = await two(name);
    const done = Promise.all(both.map((instance, seed) => instance.work({ ...work, seed })));
    await Promise.all([done, nemesis()]);
    const oracle = new Oracle();
    for (const [at, instance] of both.entries()) oracle.hear(`${at}`, instance.takeSeen());
    const failures = both.map((instance) => instance.metrics().levelFailures);
    return { ...oracle.judge(MAX_STALE_MS), failures };
  }

  const SOUND = { staleHere: 0, staleElsewhere: 0, failures: [0, 0] };

  it('may be lost key by key: that costs misses', async () => {
    const name = `cache-${(names += 1)}`;
    const random = randomFrom(2);
    let lost = 0;
    const verdict = await judged(name, async () => {
      const endsAt = machineNow() + work.forMs;
      while (machineNow() < endsAt) {
        const keys = (await admin.keys(`cache:{${name}/*`)).filter((key) => !key.includes('}:v:'));
        if (keys.length > 0) lost += await admin.del(random.pick(keys));
        await pause(10);
      }
    });

    expect(verdict).toMatchObject(SOUND);
    expect(lost).toBeGreaterThan(20);
  });

  it('may be lost all at once, with the entries', async () => {
    const name = `cache-${(names += 1)}`;
    const verdict = await judged(name, async () => {
      for (let turn = 0; turn < 6; turn++) {
        await pause(500);
        const keys = await admin.keys(`cache:{${name}/*`);
        if (keys.length > 0) await admin.del(keys);
      }
    });

    expect(verdict).toMatchObject(SOUND);
  });
});

describeWithRedis('a server whose memory is full', () => {
  it('fails no caller, and invalidates all the same', async () => {
    const [one, other] = await two(`cache-${(names += 1)}`);
    for (const instance of [one, other]) {
      expect(await instance.read('key')).toBe(0);
      expect(await instance.read('tagged')).toBe(0);
    }
    await one.hierarchy.set('held', 1, { grace: '1m' });
    await admin.config('SET', 'maxmemory', '1');
    const { cache } = one;

    // The database is on the same server: its keys can not change meanwhile.
    expect(await one.hierarchy.delete('key', { require: 'remote' })).toBe(true);
    await one.hierarchy.invalidateTags('of-tagged');
    await one.hierarchy.expire('held');
    await until('the copy is dropped', () => other.cache.peek('key') === undefined);
    await until('the tagged copy is dropped', () => other.cache.peek('tagged') === undefined);
    expect(await other.hierarchy.get('key')).toBeUndefined();
    expect(await other.hierarchy.get('tagged')).toBeUndefined();
    expect(await cache.getOrSet('new', () => 1)).toBe(1);
    expect(await one.hierarchy.getOrSetMany(['a'], async () => new Map([['a', 1]]))).toEqual(
      new Map([['a', 1]]),
    );
    await one.hierarchy.set('set', 1);
    await one.hierarchy.clear();
    await until('the copy is dropped', () => other.cache.peek('held') === undefined);
    expect(one.metrics().lower.remote?.unconfirmed).toBeLessThanOrEqual(1);
  });
});
