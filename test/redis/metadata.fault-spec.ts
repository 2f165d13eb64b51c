import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { randomFrom } from '../support/random.js';
import { tell } from './fault-size.js';
import { Instance, pause, type Work } from './instance.js';
import { machineNow, Oracle, type Verdict } from './oracle.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

const MAX_STALE_MS = 2_000;

let server: RedisServer;
let database: RedisServer;
let admin: Redis;
let names = 0;
const opened: Instance[] = [];
const closers: (() => void)[] = [];

beforeAll(async () => {
  [server, database] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  admin = new Redis(server.port);
});

afterAll(async () => {
  admin.disconnect();
  await Promise.all([server.stop(), database.stop()]);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((instance) => instance.close()));
  for (const close of closers.splice(0)) close();
  await admin.config('SET', 'notify-keyspace-events', '');
  await admin.config('SET', 'maxmemory', '0');
  await admin.config('SET', 'maxmemory-policy', 'noeviction');
});

async function two(name: string): Promise<readonly Instance[]> {
  const { port } = server;
  const options = { kind: 'hierarchy', port, databasePort: database.port, name } as const;
  const all = { ...options, maxStaleMs: MAX_STALE_MS, loadMs: 2 };
  // Instances of both clients are one fleet.
  const both = await Promise.all(
    CLIENTS.map(({ name: client }) => Instance.open({ ...all, client })),
  );
  opened.push(...both);
  await until('copies are proven', () => both.every((instance) => instance.isProven()));
  return both;
}

const work: Work = { seed: 1, forMs: 4_000, readers: 2, keys: 8, changeEveryMs: 15 };
const SOUND = { staleHere: 0, staleElsewhere: 0, failures: [0, 0] };
/** What fits beside what the server needs itself. */
const ROOM_BYTES = 300_000;

interface Judged extends Verdict {
  readonly failures: readonly number[];
}

function judge(instances: readonly Instance[]): Judged {
  const oracle = new Oracle();
  for (const [at, instance] of instances.entries()) oracle.hear(`${at}`, instance.takeSeen());
  const failures = instances.map((instance) => instance.metrics().levelFailures);
  const judged = { ...oracle.judge(MAX_STALE_MS), failures };
  tell(expect.getState().currentTestName!, { ...judged });
  return judged;
}

/** Returns what gives the keys that the server has evicted from now on. */
async function noteEvicted(): Promise<() => readonly string[]> {
  await admin.config('SET', 'notify-keyspace-events', 'Ee');
  const listener = admin.duplicate();
  closers.push(() => listener.disconnect());
  const evicted: string[] = [];
  listener.on('message', (_channel: string, key: string) => evicted.push(key));
  await listener.subscribe('__keyevent@0__:evicted');
  return () => evicted;
}

/** Stores more than there is room for. */
async function fill({ hierarchy }: Instance, forMs: number): Promise<void> {
  const endsAt = machineNow() + forMs;
  for (let at = 0; machineNow() < endsAt; at++) {
    await hierarchy.set(`filler:${at}`, randomBytes(5_000), { tags: `filler:${at % 50}` });
    await pause(2);
  }
}

describeWithRedis('what a cache keeps beside its entries', () => {
  async function judged(name: string, nemesis: () => Promise<void>): Promise<Judged> {
    const both = await two(name);
    const done = Promise.all(both.map((instance, seed) => instance.work({ ...work, seed })));
    await Promise.all([done, nemesis()]);
    return judge(both);
  }

  it('costs what is stale where it comes back as it was, which shows that these tests can fail', async () => {
    const name = `cache-${(names += 1)}`;
    const both = await two(name);
    const [one] = both as [Instance, Instance];
    const mark = new KeyLayout({ prefix: 'cache', name }).bucketOf('key').tag('of-key');
    await one.read('key');
    const before = await admin.getBuffer(mark);
    await one.change('key', 'tag');
    await admin.set(mark, before!, 'KEEPTTL');
    await one.read('key');

    expect(judge(both).staleHere).toBe(1);
  });

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

describeWithRedis.each(['allkeys-lru', 'allkeys-random', 'volatile-ttl'])(
  'a server that evicts by %s',
  (policy) => {
    it('costs misses at most', async () => {
      const name = `cache-${(names += 1)}`;
      const both = await two(name);
      const evicted = await noteEvicted();
      const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))![1]);
      await admin.config('RESETSTAT');
      await admin.config('SET', 'maxmemory-policy', policy);
      await admin.config('SET', 'maxmemory', String(used + ROOM_BYTES));
      const isOver = Promise.all(
        both.map((instance, seed) => instance.work({ ...work, seed, keys: 30 })),
      );
      await Promise.all([isOver, fill(both[0]!, work.forMs)]);

      expect(judge(both)).toMatchObject(SOUND);
      const stats = await admin.info('stats');
      expect(Number(/evicted_keys:(\d+)/.exec(stats)![1])).toBeGreaterThan(100);
      const beside = evicted().filter((key) => !key.includes('}:v:'));
      tell(`evicted by ${policy}`, { all: evicted().length, beside: beside.length });
      // Leases apart, that outlives the entries: what evicts the soonest to expire spares it.
      if (policy !== 'volatile-ttl') expect(beside.length).toBeGreaterThan(0);
    });
  },
);

describeWithRedis('a server whose memory is full', () => {
  it('fails no caller, and invalidates all the same', async () => {
    const [one, other] = (await two(`cache-${(names += 1)}`)) as [Instance, Instance];
    for (const instance of [one, other]) {
      expect(await instance.read('key')).toBe(0);
      expect(await instance.read('tagged')).toBe(0);
    }
    await one.hierarchy.set('held', 1, { grace: '1m' });
    await admin.config('SET', 'maxmemory', '1');
    const { cache } = one;

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
    expect(one.metrics().lower.remote).toMatchObject({ failures: 0, down: false });
    expect(one.metrics().lower.remote?.refused).toBeGreaterThanOrEqual(1);
    await one.hierarchy.clear();
    await until('the copy is dropped', () => other.cache.peek('held') === undefined);
    expect(one.metrics().lower.remote?.unconfirmed).toBeLessThanOrEqual(1);
  });
});
