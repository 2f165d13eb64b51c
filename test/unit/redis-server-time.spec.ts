import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LevelEntry } from '../../lib/levels/cache-level.js';
import { messagePack } from '../../lib/redis/codec.js';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { TIME, WRITE } from '../../lib/redis/scripts.js';
import { ServerTime } from '../../lib/redis/server-time.js';
import { RedisDouble } from '../support/redis-double.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

/** How long a script and its answer are on their way, in milliseconds. */
let trips: { time: [there: number, back: number]; write: [there: number, back: number] };
let clock: VirtualClock;
let level: RedisLevel;

beforeEach(() => {
  trips = { time: [0, 0], write: [0, 0] };
  clock = new VirtualClock(settleMicrotasks);
  // The server goes on while this process is suspended.
  const double = new RedisDouble({ now: () => clock.wallNow() });
  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.setTimer(resolve, ms));
  const connection: RedisConnection = {
    isCluster: false,
    ready: Promise.resolve(),
    onReady: () => {},
    subscribe: async () => {},
    end: () => {},
    async send(_key, [, sha1, count, ...rest]) {
      const script = sha1 === TIME.sha1 ? TIME : WRITE;
      const [there, back] = script === TIME ? trips.time : trips.write;
      await pass(there);
      const keys = rest.slice(0, Number(count)).map(String);
      const reply = double.run(script, keys, rest.slice(Number(count)));
      await pass(back);
      return reply;
    },
  };
  const driver = new RedisDriver(() => connection, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  level = new RedisLevel({ ...parts, codec: messagePack() }, 'any');
});

function write(): Promise<unknown> {
  const [now, never] = [clock.now(), Infinity];
  const entry = { value: 1, bornAt: now, freshUntil: never, staleUntil: never, loadMs: 1 };
  return level.write(new Map<string, LevelEntry>([['key', { ...entry, tags: undefined }]]));
}

describe(`${ServerTime.name} and the latest time of a write`, () => {
  it('has no write carried out after its second, however slowly the question for the time got there', async () => {
    trips = { time: [900, 0], write: [101, 0] };
    const outcome = write();
    await clock.advance(5_000);

    expect(await outcome).toEqual(new Map([['key', 'refused']]));
  });

  it('has a write carried out within its second where the question got there at once', async () => {
    trips = { time: [0, 0], write: [999, 0] };
    const outcome = write();
    await clock.advance(5_000);

    expect(await outcome).toEqual(new Map([['key', 'stored']]));
  });

  it.each([
    ['before the call', [1, 0], 0],
    ['while the question for the time is on its way', [1, 10], 5],
  ] as const)('asks for the time anew after a suspension %s', async (_, time, suspendAfterMs) => {
    trips = { time: [0, 0], write: [1, 0] };
    const first = write();
    await clock.advance(20_000);
    trips.time = [...time];
    if (suspendAfterMs === 0) clock.suspend(60_000);
    const second = write();
    await clock.advance(suspendAfterMs);
    if (suspendAfterMs > 0) clock.suspend(60_000);
    const third = write();
    await clock.advance(100);

    const stored = new Map([['key', 'stored']]);
    expect(await Promise.all([first, second, third])).toEqual([stored, stored, stored]);
  });

  it('asks for the time anew where the answer was slow, so that writes are not late for long', async () => {
    trips = { time: [0, 1_500], write: [1, 0] };
    const first = write();
    await clock.advance(2_000);
    trips.time = [0, 0];
    const second = write();
    await clock.advance(10);
    const third = write();
    await clock.advance(10);

    const stored = new Map([['key', 'stored']]);
    const refused = new Map([['key', 'refused']]);
    expect(await Promise.all([first, second, third])).toEqual([refused, refused, stored]);
  });
});
