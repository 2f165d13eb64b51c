import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { redisLevel } from '../../lib/redis/index.js';
import { sized, tell } from './fault-size.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

jest.setTimeout(sized(120_000, 1_200_000));

const MANY = sized(100_000, 1_000_000);
/** How long an invalidation of all of them may take, on a machine that does nothing else. */
const INVALIDATED_WITHIN_MS = sized(Infinity, 5);
/** So many are made: a machine that does other things may be late with some. */
const INVALIDATIONS = 25;
/** So many of which the server's own time is asked. */
const MEASURED = sized(1, INVALIDATIONS);
/** An invalidation is one script in each bucket, which counts the change, and replaces a mark. */
const SCRIPTS = 16;
const KEYS_OF_A_SCRIPT = 2;

let server: RedisServer;
let admin: Redis;
let names = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

/** How many commands the server has carried out while this ran, those of scripts included. */
async function commandsOf(run: () => Promise<unknown>): Promise<number> {
  await admin.config('RESETSTAT');
  await run();
  const stats = await admin.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  const counted = calls.filter(([, command]) => !/^(info|config|ping)/.test(command!));
  return counted.reduce((sum, [, , count]) => sum + Number(count), 0);
}

/** The keys of caches that the server's commands have named while this ran, those of scripts included. */
async function keysOf(run: () => Promise<unknown>): Promise<number> {
  const watching = await admin.monitor();
  const named = new Set<string>();
  let isOver = false;
  watching.on('monitor', (_time: string, parts: readonly string[]) => {
    for (const part of parts) if (part.startsWith('cache:{')) named.add(part);
    isOver ||= parts[0]?.toLowerCase() === 'echo';
  });
  try {
    await run();
    await admin.echo('over');
    await until('all was seen', () => isOver);
    return named.size;
  } finally {
    watching.disconnect();
  }
}

/** How many milliseconds each script has taken that ran while this did, as the server has measured it. */
async function timesOf(run: () => Promise<unknown>): Promise<number[]> {
  await admin.config('SET', 'slowlog-max-len', '100000');
  await admin.config('SET', 'slowlog-log-slower-than', '0');
  await admin.slowlog('RESET');
  await run();
  await admin.config('SET', 'slowlog-log-slower-than', '-1');
  type Logged = readonly [id: number, at: number, micros: number, command: readonly string[]];
  const logged = (await admin.slowlog('GET', -1)) as readonly Logged[];
  const isScript = ([, , , [command]]: Logged): boolean => /^evalsha$/i.test(command!);
  return logged.filter(isScript).map(([, , micros]) => micros / 1_000);
}

describeWithRedis('an invalidation of many', () => {
  /** What an invalidation takes. */
  interface Cost {
    /** Of the server, those of scripts included. */
    readonly commands: number;
    /** That these name. */
    readonly keys: number;
    /** In milliseconds, as the caller sees it, the median of some. */
    readonly ms: number;
    /** How long its scripts took in all, as the server has measured it, of the slowest in milliseconds. */
    readonly serverMs: number;
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
    const serverTimes: number[] = [];
    for (let turn = 0; turn < MEASURED; turn++) {
      const scripts = await timesOf(run);
      expect(scripts).toHaveLength(SCRIPTS);
      serverTimes.push(scripts.reduce((sum, one) => sum + one, 0));
    }
    const serverMs = Math.max(...serverTimes);
    const cost = { commands: commands / INVALIDATIONS, keys: await keysOf(run), ms, serverMs };
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

    for (const [at, { commands, keys, ms, serverMs }] of many.entries()) {
      expect(commands).toBe(few[at]!.commands);
      expect(commands).toBeLessThan(SCRIPTS * 20);
      expect([few[at]!.keys, keys]).toEqual(Array(2).fill(SCRIPTS * KEYS_OF_A_SCRIPT));
      expect(ms).toBeLessThan(INVALIDATED_WITHIN_MS);
      expect(serverMs).toBeLessThan(INVALIDATED_WITHIN_MS);
    }
  });
});
