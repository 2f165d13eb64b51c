import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { MAX_CALLS_UNDER_WAY } from '../../lib/hierarchy/timed-calls.js';
import { redisLevel, type RedisLevel } from '../../lib/redis/index.js';
import { sized, tell } from './fault-size.js';
import { collectGarbage } from './garbage.js';
import { until } from './until.js';
import { CLIENTS, type ClientKind } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { Storm } from './storm.js';
import { TcpProxy, type Toxics } from './tcp-proxy.js';

const LEVEL_TIMEOUT_MS = 250;
/** What a call may take beyond its deadline, when nothing else keeps this process busy. */
const SLACK_MS = 50;
/** How soon Redis is to be in use again: 2 s, and as much for a machine that does other things. */
const BACK_WITHIN_MS = sized(4_000, 2_000);
const NOTICED_WITHIN_MS = 2_000;
/** What a call takes that nothing answers, on a machine that does nothing else. */
const ONE_DEADLINE_MS = sized(Infinity, LEVEL_TIMEOUT_MS + SLACK_MS);
/** Connections that say nothing are given up after 3 s, and made anew. */
const REPLACED_WITHIN_MS = 4_000;
/** So many calls are made while a network is bad. */
const CALLS = sized(500, 5_000);
/** What may be left in memory of 10,000 calls, whatever else the machine does. */
const KEPT_BYTES = 10e6;
/** So many more are asked at once than a cache waits for. */
const MORE = 500;
/** What is asked in one step is one call: so many settled promises apart it is not. */
const STEPS_APART = 8;
const SETTLED = Promise.resolve();
/** By how much the process may grow meanwhile. Others' figures are not stable on a machine that is busy. */
const GROWTH_BYTES = sized(Infinity, 20e6);

let server: RedisServer;
let proxy: TcpProxy;
let caches: CacheHierarchy[];
let storm: Storm;

async function begin({ one }: ClientKind): Promise<void> {
  server = await RedisServer.start();
  proxy = await TcpProxy.start(server.port);
  const client = one(proxy.port);
  caches = [1, 2].map(
    () =>
      new CacheHierarchy({
        remote: redisLevel({ client, maxStale: '1s' }),
        l2: false,
        levelTimeout: LEVEL_TIMEOUT_MS,
        report: () => {},
      }),
  );
  storm = new Storm(caches);
  await storm.calm();
  await until('Redis is in use', () => hits() > 100);
}

function hits(): number {
  return caches.reduce((sum, cache) => sum + cache.getMetrics().levels.L1.hits, 0);
}

function areDown(): boolean {
  return caches.every((cache) => cache.getMetrics().lower.remote!.down);
}

function areLeftAlone(): boolean {
  return caches.every((cache) => cache.getMetrics().lower.remote!.unsent > 0);
}

function areProven(): boolean {
  return caches.some((cache) => cache.getMetrics().coherence!.proven);
}

async function expectUnharmed(): Promise<void> {
  await storm.stop();
  await storm.calm();

  expect(storm.errors).toEqual([]);
  expect(storm.stale).toEqual([]);
  await storm.current();
}

function expectInTime(): void {
  expect(storm.late(LEVEL_TIMEOUT_MS, SLACK_MS)).toEqual([]);
}

interface Outage {
  readonly from: number;
  readonly to: number;
}

/** What was called and has settled while nothing answered has waited once: it takes one deadline, and no more. */
function expectOneDeadline(outages: readonly Outage[]): void {
  const during = storm.operations.filter((one) =>
    outages.some(({ from, to }) => one.from > from && one.to < to),
  );
  const slowestMs = Math.max(...during.map(({ ownMs }) => ownMs));
  tell('the slowest call while Redis does not answer', { calls: during.length, slowestMs });
  expect(during.length).toBeGreaterThan(0);
  expect(slowestMs).toBeLessThan(ONE_DEADLINE_MS);
}

/** How many milliseconds something takes. */
async function took(run: Promise<void>): Promise<number> {
  const from = performance.now();
  await run;
  return Math.round(performance.now() - from);
}

/** Counts the reads of a level that have not settled, and the most that there were at once. */
function countPending(level: RedisLevel): { now: number; most: number } {
  const count = { now: 0, most: 0 };
  const read = level.read.bind(level);
  level.read = async (keys) => {
    count.most = Math.max(count.most, (count.now += 1));
    try {
      return await read(keys);
    } finally {
      count.now -= 1;
    }
  };
  return count;
}

function memory(): number {
  collectGarbage();
  return process.memoryUsage().rss;
}

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function tellOf(fault: string, name: string, figures: Readonly<Record<string, unknown>>): void {
  const calls = storm.operations.length;
  tell(fault, { name, calls, slowestMs: storm.slowest(), ...figures });
}

describeWithRedis.each(CLIENTS)('caches over Redis through $name', (kind) => {
  beforeEach(() => begin(kind));

  afterEach(async () => {
    server.signal('SIGCONT');
    await storm.stop();
    await Promise.all(caches.map((cache) => cache.close()));
    await until('all connections are closed', () => proxy.live === 0);
    await proxy.stop();
    await server.stop();
  });

  it('settle every call in time while it is killed and starts empty, and are back soon', async () => {
    const backMs: number[] = [];
    const outages: Outage[] = [];
    for (let round = 0; round < 10; round++) {
      await server.kill();
      const from = performance.now();
      await until('the outage is noticed', areDown);
      outages.push({ from, to: performance.now() });
      await server.run();
      backMs.push(await took(storm.calm(BACK_WITHIN_MS)));
    }
    tellOf('the server killed, back empty', kind.name, { backMs });

    await expectUnharmed();
    expectInTime();
    expectOneDeadline(outages);
  });

  it('settle every call in time while it is stopped, and go on with their copies', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const hitsBefore = hits();
    delay.enable();
    server.signal('SIGSTOP');
    const stoppedAt = performance.now();
    const leftAloneMs = await took(until('it is left alone', areLeftAlone, 2_000));
    await until('copies are not trusted any more', () => !areProven());
    await until('five seconds have passed', () => performance.now() - stoppedAt > 5_000);
    delay.disable();
    const hitsWhile = hits() - hitsBefore;
    const stopped = { from: stoppedAt, to: performance.now() };
    server.signal('SIGCONT');
    const backMs = await took(storm.calm(BACK_WITHIN_MS));
    const delayMs = [50, 99, 100].map((percent) => Math.round(delay.percentile(percent) / 1e6));
    tellOf('the server stopped', kind.name, { leftAloneMs, backMs, delayMs });

    await expectUnharmed();
    expectInTime();
    expectOneDeadline([stopped]);
    expect(hitsWhile).toBeGreaterThan(100);
    // The median, where others keep the machine busy: nothing of an outage may do so all the time.
    expect(delay.percentile(sized(50, 99)) / 1e6).toBeLessThan(50);
  });

  it.each<[string, ('up' | 'down')[]]>([
    ['everything', ['up', 'down']],
    ['what Redis answers', ['down']],
    ['what Redis is asked', ['up']],
  ])(
    'leave connections that swallow %s',
    async (what, directions) => {
      const before = memory();
      proxy.swallow(...directions);
      const noticedMs = await took(until('the outage is noticed', areDown, NOTICED_WITHIN_MS));
      const othersMs = await took(
        until('there are other connections', () => proxy.live >= 4, REPLACED_WITHIN_MS),
      );
      const backMs = await took(storm.calm(BACK_WITHIN_MS));
      const grownBytes = memory() - before;
      tellOf(`swallowed: ${what}`, kind.name, { noticedMs, othersMs, backMs, grownBytes });

      await expectUnharmed();
      expectInTime();
      expect(grownBytes).toBeLessThan(GROWTH_BYTES);
      for (const cache of caches) {
        const { recycled, resubscriptions } = cache.getMetrics().lower.remote!;
        expect(Math.min(recycled, resubscriptions)).toBeGreaterThanOrEqual(1);
      }
    },
    120_000,
  );

  it.each<[string, Toxics]>([
    ['byte by byte', { sliced: true }],
    ['late', { latencyMs: 30, jitterMs: 30 }],
    ['200 ms late, by 200 ms more or less', { jitterMs: 400 }],
  ])(
    'lose and mistake nothing that comes %s',
    async (how, toxics) => {
      const before = memory();
      proxy.poison(toxics);
      const enough = storm.operations.length + CALLS;
      await until('much was done', () => storm.operations.length > enough, 60_000);
      proxy.poison({});
      await storm.calm();
      const grownBytes = memory() - before;
      tellOf(`bytes come ${how}`, kind.name, { grownBytes });

      await expectUnharmed();
      expect(grownBytes).toBeLessThan(GROWTH_BYTES);
      // Some of it was of Redis: everything that was not too late is.
      const [first] = caches;
      expect(first!.getMetrics().lower.remote!.hits).toBeGreaterThan(0);
    },
    120_000,
  );

  const harms: [string, () => void][] = [
    ['swallow', () => proxy.swallow()],
    ['are late', () => proxy.poison({ latencyMs: 200, jitterMs: 200 })],
  ];

  it.each(sized(harms.slice(0, 1), harms))(
    'keep no more calls waiting than they may where connections %s',
    async (how, harm) => {
      await storm.stop();
      const level = redisLevel({ client: kind.one(proxy.port), name: 'asked' });
      const pending = countPending(level);
      const cache = new CacheHierarchy({
        remote: level,
        l2: false,
        levelTimeout: LEVEL_TIMEOUT_MS,
        report: () => {},
      });
      caches.push(cache);
      await until('copies are proven', () => cache.getMetrics().coherence!.proven);
      const before = heap();
      harm();
      const asked: Promise<unknown>[] = [];
      // Nothing else runs meanwhile: no answer comes, and no deadline is over.
      for (let at = 0; at < MAX_CALLS_UNDER_WAY + MORE; at++) {
        asked.push(cache.get(`key:${at}`));
        for (let step = 0; step < STEPS_APART; step++) await SETTLED;
      }
      const atOnce = { pending: pending.now, ...cache.getMetrics().lower.remote! };
      const answers = await Promise.all(asked);
      await until('no call is waited for', () => pending.now === 0);
      // Nobody holds any more what was asked; the room that it took the process may keep.
      const keptBytes = heap() - before;
      tellOf(`more asked than may be: ${how}`, kind.name, { most: pending.most, keptBytes });

      expect(atOnce).toMatchObject({
        calls: MAX_CALLS_UNDER_WAY,
        pending: MAX_CALLS_UNDER_WAY,
        shed: MORE,
      });
      expect(pending.most).toBe(MAX_CALLS_UNDER_WAY);
      expect(new Set(answers)).toEqual(new Set([undefined]));
      expect(keptBytes).toBeLessThan(KEPT_BYTES);
    },
  );
});
