import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { systemClock, type Clock } from '../../lib/clock.js';
import { randomFrom } from '../support/random.js';
import { sized, tell } from './fault-size.js';
import { Instance, pause, type InstanceOptions } from './instance.js';
import { Link } from './link.js';
import { machineNow, Oracle, type Verdict } from './oracle.js';
import { CLIENTS, type ClientName } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

/** Deliberately short: a read beyond it is stale however busy the machine is. */
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
});

type Kind = InstanceOptions['kind'];

/** Opens two instances over one Redis, one of each client, with options of their own. */
async function two(
  kind: Kind,
  ...own: readonly Partial<InstanceOptions>[]
): Promise<[Instance, Instance]> {
  const name = `cache-${(names += 1)}`;
  const { port } = server;
  const shared = { kind, port, databasePort: port, name, maxStaleMs: MAX_STALE_MS };
  const both = [
    await Instance.open({ ...shared, client: 'ioredis', ...own[0] }),
    await Instance.open({ ...shared, client: 'redis', ...own[1] }),
  ] as [Instance, Instance];
  opened.push(...both);
  // Where they are never trusted there is nothing to prove.
  const proven = both.filter((_, at) => own[at]?.maxStaleMs !== 0);
  await until('copies are proven', () => proven.every((instance) => instance.isProven()));
  return both;
}

function judge(instances: readonly Instance[], boundMs = MAX_STALE_MS): Verdict {
  const oracle = new Oracle();
  for (const [at, instance] of instances.entries()) oracle.hear(`${at}`, instance.takeSeen());
  return oracle.judge(boundMs);
}

const KEYS = Array.from({ length: 200 }, (_, at) => `kept:${at}`);

describeWithRedis('copies that are made while another process writes', () => {
  const PAIRS = 4_000;

  /** Returns how many copies are older than what was written, and how many are not. */
  async function race(kind: Kind, client?: ClientName): Promise<{ old: number; fresh: number }> {
    // Answers and messages come in any order.
    const link = await Link.to(server.port, { jitterMs: 10, random: randomFrom(1) });
    try {
      const [reader, writer] = await two(kind, { port: link.port, client });
      const keys = Array.from({ length: PAIRS }, (_, at) => `pair:${at}`);
      for (let at = 0; at < PAIRS; at += 100)
        await Promise.all(keys.slice(at, at + 100).map((key) => writer.cache.set(key, 1)));
      for (let at = 0; at < PAIRS; at += 20) {
        const both = keys.slice(at, at + 20).map(async (key) => {
          const read = reader.cache.getOrSet(key, () => 2);
          await pause(at % 8);
          await Promise.all([read, writer.cache.set(key, 2)]);
        });
        await Promise.all(both);
      }
      // A message of the last change of all says that those before it have been heard.
      await reader.cache.getOrSet('last', () => 1);
      await writer.cache.delete('last');
      await until('the copy is dropped', () => reader.cache.peek('last') === undefined);
      const copies = keys.map((key) => reader.cache.peek(key));
      const countOf = (version: number): number => copies.filter((one) => one === version).length;
      return { old: countOf(1), fresh: countOf(2) };
    } finally {
      link.close();
    }
  }

  it('are old without a fence', async () => {
    expect((await race('plain')).old).toBeGreaterThan(0);
  });

  it.each(CLIENTS)('are never old, through $name', async ({ name }) => {
    const copies = await race('hierarchy', name);
    tell('copies made while another process writes', { name, pairs: PAIRS, ...copies });

    expect(copies.old).toBe(0);
    expect(copies.fresh).toBeGreaterThan(PAIRS / 10);
  });
});

describeWithRedis('a process whose subscription is broken again and again', () => {
  /** A message that was lost is missed within 2 s, however long copies are trusted without a proof. */
  const maxStaleMs = sized(MAX_STALE_MS, 5_000);
  const FOR_MS = sized(4_000, 30_000);
  const MOST_LAPSES = sized(Infinity, 0);

  async function broken(
    kind: Kind,
    client?: ClientName,
  ): Promise<{ verdict: Verdict; kept: readonly number[]; lapses: number }> {
    const [reader, writer] = await two(kind, { client, maxStaleMs }, { maxStaleMs });
    for (const key of KEYS) await reader.read(key);
    const endsAt = machineNow() + FOR_MS;
    const repeat = async (everyMs: number, act: () => Promise<unknown>): Promise<void> => {
      while (machineNow() < endsAt) {
        await act();
        await pause(everyMs);
      }
    };
    const kept: number[] = [];
    const lapses = (): number => (kind === 'plain' ? 0 : reader.metrics().coherence!.lapses);
    await Promise.all([
      repeat(300, () => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')),
      repeat(10, () => writer.change('key')),
      repeat(3, () => reader.read('key')),
      repeat(300, async () => {
        const share = KEYS.filter((key) => reader.cache.peek(key) !== undefined).length;
        // Who was kept from running for longer than copies are trusted has lost more than the subscription.
        if (lapses() === 0) kept.push(share / KEYS.length);
        for (const key of KEYS) await reader.read(key);
      }),
    ]);
    // The last change: no later message repairs that its own was lost.
    await reader.read('key');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await writer.change('key');
    await pause(MAX_STALE_MS + 200);
    await reader.read('key');
    return { verdict: judge([reader, writer]), kept, lapses: lapses() };
  }

  it('is found stale when lost messages are not missed', async () => {
    expect((await broken('plain')).verdict.staleElsewhere).toBeGreaterThan(0);
  });

  it.each(CLIENTS)('reads nothing stale beyond the bound through $name', async ({ name }) => {
    const { verdict, kept, lapses } = await broken('hierarchy', name);
    const least = Math.min(...kept);
    tell('subscriptions broken every 300 ms', {
      name,
      maxStaleMs,
      forMs: FOR_MS,
      ...verdict,
      looks: kept.length,
      least,
      lapses,
    });

    expect(verdict).toMatchObject({ staleHere: 0, staleElsewhere: 0 });
    // Whenever it was looked: what is missed of a message is a sixteenth of the keys.
    expect(kept.length).toBeGreaterThan(0);
    expect(least).toBeGreaterThanOrEqual(0.9);
    expect(lapses).toBeLessThanOrEqual(MOST_LAPSES);
  });
});

describeWithRedis('a process that is cut off from Redis', () => {
  async function cutOff(
    kind: Kind,
    client?: ClientName,
  ): Promise<{ verdict: Verdict; after: number; now: number }> {
    const link = await Link.to(server.port);
    try {
      const [near, far] = await two(kind, {}, { port: link.port, levelTimeoutMs: 300, client });
      expect(await far.read('key')).toBe(0);
      link.cut();
      const endsAt = machineNow() + 2 * MAX_STALE_MS;
      let now = 0;
      while (machineNow() < endsAt) {
        now = await near.change('key');
        await Promise.race([far.read('key'), pause(1_000)]);
        await pause(20);
      }
      const verdict = judge([near, far]);
      link.mend();
      await until('copies are proven again', () => far.isProven(), 20_000);
      return { verdict, after: await far.read('key'), now };
    } finally {
      link.close();
    }
  }

  it('is found stale when it trusts its copies all the same', async () => {
    expect((await cutOff('plain')).verdict.staleElsewhere).toBeGreaterThan(0);
  });

  it('serves nothing old where it may serve nothing without a proof', async () => {
    const link = await Link.to(server.port);
    try {
      const [near, far] = await two(
        'hierarchy',
        {},
        { port: link.port, maxStaleMs: 0, levelTimeoutMs: 300 },
      );
      expect(await far.read('key')).toBe(0);
      link.cut();
      for (let turn = 0; turn < 5; turn++) {
        const now = await near.change('key');
        expect(await far.read('key')).toBe(now);
      }
    } finally {
      link.close();
    }
  });

  it.each(CLIENTS)('serves nothing older than it may through $name', async ({ name }) => {
    const { verdict, after, now } = await cutOff('hierarchy', name);
    tell('a process cut off', { name, maxStaleMs: MAX_STALE_MS, ...verdict });

    expect(verdict).toMatchObject({ staleHere: 0, staleElsewhere: 0 });
    expect(after).toBe(now);
  });
});

describeWithRedis('processes whose clocks are ten minutes off', () => {
  const TEN_MINUTES = 600_000;
  /** Shorter than the work: what is read beyond it is stale. */
  const maxStaleMs = 1_000;
  const FOR_MS = sized(2_500, 30_000);
  /** Beside what calls take, which is known; what a busy machine takes is not. */
  const TOLERANCE_MS = sized(100, 10);

  function off(ms: number): Clock {
    return {
      ...systemClock,
      now: () => systemClock.now() + ms,
      wallNow: () => systemClock.wallNow() + ms,
    };
  }

  /** Reads through one instance what is changed through the other. */
  async function worked(kind: Kind, reading: Clock, changing: Clock): Promise<Verdict> {
    const own = [reading, changing].map((clock) => ({ clock, maxStaleMs }));
    const [reader, writer] = await two(kind, ...own);
    const work = { forMs: FOR_MS, readers: 2, keys: 5, changeEveryMs: 10 };
    await Promise.all([
      reader.work({ ...work, seed: 1, changeEveryMs: 0 }),
      writer.work({ ...work, seed: 2 }),
    ]);
    const verdict = judge([reader, writer], maxStaleMs);
    tell(expect.getState().currentTestName!, { kind, forMs: FOR_MS, maxStaleMs, ...verdict });
    return verdict;
  }

  /** The same, with a clock of whoever reads that jumps soon. */
  function jumped(kind: Kind, ms: number): Promise<Verdict> {
    const startsAt = systemClock.now();
    const jump = (): number => (systemClock.now() - startsAt > 500 ? ms : 0);
    const clock = { ...systemClock, wallNow: () => systemClock.wallNow() + jump() };
    return worked(kind, clock, systemClock);
  }

  it('are found stale where they compare them', async () => {
    const verdicts = await Promise.all([
      worked('plain', off(TEN_MINUTES), off(-TEN_MINUTES)),
      jumped('plain', TEN_MINUTES),
    ]);

    for (const { staleElsewhere } of verdicts) expect(staleElsewhere).toBeGreaterThan(0);
  });

  it('read nothing stale', async () => {
    const verdicts = await Promise.all([
      worked('hierarchy', off(TEN_MINUTES), off(-TEN_MINUTES)),
      worked('hierarchy', off(-TEN_MINUTES), off(TEN_MINUTES)),
    ]);

    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ staleHere: 0, staleElsewhere: 0 });
  });

  it('read nothing stale when they jump', async () => {
    const verdicts = await Promise.all([
      jumped('hierarchy', TEN_MINUTES),
      jumped('hierarchy', -TEN_MINUTES),
    ]);

    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ staleHere: 0, staleElsewhere: 0 });
    await until('copies are proven', () => opened.every((instance) => instance.isProven()));
  });

  describe('and the lifetime of an entry', () => {
    /** By how much another instance is wrong, beyond what the calls took, about one of 60 s. */
    async function errorMs(here: Clock, there: Clock, meanwhile = () => {}): Promise<number> {
      const both = await two('hierarchy', { clock: here }, { clock: there });
      const [one, other] = [both[0].hierarchy, both[1].hierarchy];
      await other.inspect('key'); // It knows the server's time from now on.
      const before = machineNow();
      await one.set('key', 'value', { ttl: '60s' });
      meanwhile();
      const [entry] = await other.inspect('key');
      const least = 60_000 - (machineNow() - before);
      const error = Math.max(least - entry!.freshForMs, entry!.freshForMs - 60_000);
      tell('clocks 10 min off: the lifetime of an entry', { error, tookMs: 60_000 - least });
      return error;
    }

    it('is found wrong where a clock jumps that never may', async () => {
      let jump = 0;
      const clock = { ...systemClock, now: () => systemClock.now() + jump };

      expect(await errorMs(systemClock, clock, () => (jump = 1_000))).toBeGreaterThan(100);
    });

    it('is the same for all', async () => {
      expect(await errorMs(off(TEN_MINUTES), off(-TEN_MINUTES))).toBeLessThan(TOLERANCE_MS);
    });
  });
});
