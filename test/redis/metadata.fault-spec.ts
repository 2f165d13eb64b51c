import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisLevel } from '../../lib/redis/index.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { randomFrom } from '../support/random.js';
import { sized, tell } from './fault-size.js';
import { Instance, pause, type Work } from './instance.js';
import { machineNow, Oracle, type Verdict } from './oracle.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

jest.setTimeout(sized(120_000, 1_200_000));

const MAX_STALE_MS = 2_000;
const MANY = sized(100_000, 1_000_000);
/** How long an invalidation of all of them may take, on a machine that does nothing else. */
const INVALIDATED_WITHIN_MS = sized(Infinity, 5);
/** So many are made: a machine that does other things may be late with some. */
const INVALIDATIONS = 25;

let server: RedisServer;
let database: RedisServer;
let admin: Redis;
let names = 0;
const opened: Instance[] = [];

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
  /** What an invalidation takes: commands of the server, and milliseconds, of some the median. */
  interface Cost {
    readonly commands: number;
    readonly ms: number;
  }

  async function costOf(what: string, run: () => Promise<unknown>): Promise<Cost> {
    await run(); // The first one comes to a server that has not been asked for a while.
    const times: number[] = [];
    const commands = await commandsOf(async () => {
      for (let turn = 0; turn < INVALIDATIONS; turn++) {
        const from = performance.now();
        await run();
        times.push(performance.now() - from);
      }
    });
    times.sort((one, other) => one - other);
    const ms = times[INVALIDATIONS >> 1]!;
    const range = [times[0], times.at(-1)];
    const cost = { commands: commands / INVALIDATIONS, ms };
    tell(what, { ...cost, range });
    return cost;
  }

  /** Stores so many entries and returns what it takes to invalidate them. */
  async function costsFor(count: number): Promise<readonly Cost[]> {
    const client = new Redis(server.port);
    const level = redisLevel({ client, name: `cache-${(names += 1)}` });
    const later = performance.now() + 3_600_000;
    const entry = { value: 1, bornAt: 0, freshUntil: later, staleUntil: later, tags: ['tag'] };
    const keys = Array.from({ length: count }, (_, at) => `key:${at}`);
    const store = (from: number, to: number): Promise<void> => {
      const entries = new Map(keys.slice(from, to).map((key) => [key, entry]));
      // A machine that does other things may be late with some, which Redis does not take then.
      return until('all are stored', async () =>
        [...(await level.write(entries)).values()].every((outcome) => outcome === 'stored'),
      );
    };
    const sample = keys.slice(0, 500);
    const found = async (): Promise<number> => (await level.read(sample)).size;
    try {
      for (let at = 0; at < count; at += 250) await store(at, at + 250);
      expect(await found()).toBe(sample.length);
      const tag = await costOf(`a tag of ${count}`, () => level.invalidateTags(['tag']));
      expect(await found()).toBe(0);
      for (let at = 0; at < 500; at += 250) await store(at, at + 250);
      expect(await found()).toBe(sample.length);
      const clear = await costOf(`a clear of ${count}`, () => level.clear());
      expect(await found()).toBe(0);
      return [tag, clear];
    } finally {
      await level.close();
      client.disconnect();
    }
  }

  it(`takes as many commands for ${MANY.toLocaleString('en')} entries as for 500`, async () => {
    await costsFor(500); // The server gets the scripts.
    const few = await costsFor(500);
    const many = await costsFor(MANY);

    for (const [at, { commands, ms }] of many.entries()) {
      expect(commands).toBe(few[at]!.commands);
      // In each of 16 buckets.
      expect(commands).toBeLessThan(16 * 20);
      expect(ms).toBeLessThan(INVALIDATED_WITHIN_MS);
    }
    await admin.flushall();
  });
});

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
