import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LevelEntry } from '../../lib/levels/cache-level.js';
import { messagePack } from '../../lib/redis/codec.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { TIME, WRITE } from '../../lib/redis/scripts.js';
import { ServerTime, ServerTimes } from '../../lib/redis/server-time.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';

/** How long a script and its answer are on their way, in milliseconds. */
let trips: { time: [there: number, back: number]; write: [there: number, back: number] };
let clock: VirtualClock;
let level: RedisLevel;

beforeEach(() => {
  trips = { time: [0, 0], write: [0, 0] };
  clock = new VirtualClock(settleMicrotasks);
  startNodes(false);
});

const NAMES = { prefix: 'any', name: 'any' };
const layout = new KeyLayout(NAMES);

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, ms));
}

function startNodes(isCluster: boolean): RedisNodes {
  const nodes = new RedisNodes({ clock, isCluster, ...NAMES });
  nodes.around = async (script, run) => {
    const [there, back] = script === TIME ? trips.time : script === WRITE ? trips.write : [0, 0];
    if (there > 0) await pass(there);
    const reply = run();
    if (back > 0) await pass(back);
    return reply;
  };
  const driver = new RedisDriver(() => nodes, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  level = new RedisLevel({ ...parts, codec: messagePack() }, 'any');
  return nodes;
}

function keysOfTwoBuckets(): [string, string] {
  const keys = Array.from({ length: 100 }, (_, id) => `key ${id}`);
  // The second is not in the first bucket, which stands for all of them on one server.
  const [here, there] = [0, 1].map((index) => keys.find((key) => layout.indexOf(key) === index)!);
  return [here!, there!];
}

function write(keys = ['key'], ttlMs = Infinity): Promise<Map<string, unknown>> {
  const bornAt = clock.now();
  const until = bornAt + ttlMs;
  const entry = {
    value: 1,
    bornAt,
    freshUntil: until,
    staleUntil: until,
    loadMs: 1,
    tags: undefined,
  };
  return level.write(new Map<string, LevelEntry>(keys.map((key) => [key, entry])));
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
    expect(await Promise.all([first, second, third])).toEqual([refused, stored, stored]);
  });
});

describe(`${ServerTimes.name} of servers whose clocks differ`, () => {
  const MINUTE = 60_000;
  const [HERE, THERE] = keysOfTwoBuckets();

  it.each([
    ['ahead', MINUTE],
    ['behind', -MINUTE],
  ])(
    'has entries stored and read for their lifetimes where a node of a Cluster is %s',
    async (_, skewMs) => {
      const nodes = startNodes(true);
      nodes.skewOf(THERE, skewMs);
      const writes = write([HERE, THERE], 5_000);
      await clock.advance(0);
      expect([...(await writes).values()]).toEqual(['stored', 'stored']);
      await clock.advance(1_000);

      const found = await level.read([HERE, THERE]);
      const livesFor = [HERE, THERE].map((key) => found.get(key)!.freshUntil - clock.now());
      expect(livesFor).toEqual([4_000, 4_000]);
    },
  );

  it('has no late write carried out by a node that is behind', async () => {
    const nodes = startNodes(true);
    nodes.skewOf(THERE, -MINUTE);
    trips.write = [1_001, 0];
    const writing = write([THERE]);
    await clock.advance(2_000);

    expect(await writing).toEqual(new Map([[THERE, 'refused']]));
  });

  it('asks a node anew that refuses a write as late, since another may have taken its place', async () => {
    const nodes = startNodes(true);
    expect(await write([THERE])).toEqual(new Map([[THERE, 'stored']]));
    nodes.skewOf(THERE, MINUTE);

    expect(await write([THERE])).toEqual(new Map([[THERE, 'refused']]));
    expect(await write([THERE])).toEqual(new Map([[THERE, 'stored']]));
  });

  it('asks a node anew when another run of a server answers the question for the counts', async () => {
    const nodes = startNodes(true);
    const feed = level.follow({ changed: () => {}, missed: () => {} });
    await clock.advance(0);
    expect(await write([THERE])).toEqual(new Map([[THERE, 'stored']]));
    nodes.skewOf(THERE, -MINUTE);
    nodes.runOf(THERE, 'another');
    await clock.advance(1_000);
    trips.write = [1_001, 0];
    const writing = write([THERE]);
    await clock.advance(2_000);

    expect(await writing).toEqual(new Map([[THERE, 'refused']]));
    feed.stop();
  });

  it('takes no answer for the time of a server that may not be there any more', async () => {
    const nodes = startNodes(true);
    trips.time = [0, 10];
    const asking = write([THERE]);
    await clock.advance(5);
    nodes.skewOf(THERE, MINUTE);
    nodes.reconnect();
    await clock.advance(20);

    expect(await asking).toEqual(new Map([[THERE, 'stored']]));
  });

  it('asks the one server anew when it is connected anew', async () => {
    const nodes = startNodes(false);
    expect(await write([HERE])).toEqual(new Map([[HERE, 'stored']]));
    nodes.skewOf(HERE, -MINUTE);
    nodes.reconnect();
    trips.write = [1_001, 0];
    const writing = write([HERE]);
    await clock.advance(2_000);

    expect(await writing).toEqual(new Map([[HERE, 'refused']]));
  });

  it('asks a server anew that nobody has asked for a minute, since its clock may have been put back', async () => {
    const nodes = startNodes(false);
    expect(await write([HERE])).toEqual(new Map([[HERE, 'stored']]));
    nodes.skewOf(HERE, -5_000);
    await clock.advance(MINUTE + 1);
    trips.write = [1_001, 0];
    const writing = write([HERE]);
    await clock.advance(2_000);

    expect(await writing).toEqual(new Map([[HERE, 'refused']]));
  });

  it('asks one server once for all buckets', async () => {
    const nodes = startNodes(false);
    await write([HERE, THERE]);

    expect(nodes.executed.filter((script) => script === TIME)).toHaveLength(1);
  });
});
