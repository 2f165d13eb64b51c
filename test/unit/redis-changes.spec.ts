import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { messagePack } from '../../lib/redis/codec.js';
import type { ChangeFeed } from '../../lib/levels/change-feed.js';
import { RedisChanges } from '../../lib/redis/redis-changes.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { COUNT, DELETE, INVALIDATE } from '../../lib/redis/scripts.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const NAMES = { prefix: 'any', name: 'any' };

let clock: VirtualClock;
let nodes: RedisNodes;
let level: RedisLevel;
let feed: ChangeFeed;
/** What the client says to whoever is to connect. */
let refusal: Error | undefined;

beforeEach(async () => {
  clock = new VirtualClock();
  nodes = new RedisNodes({ clock, isCluster: false, ...NAMES });
  refusal = undefined;
  const driver = new RedisDriver(() => {
    if (refusal !== undefined) throw refusal;
    return nodes;
  }, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  level = new RedisLevel({ ...parts, codec: messagePack() }, 'any');
  feed = level.follow({ changed: () => {}, missed: () => {} });
  await clock.advance(2_000);
  const freshUntil = clock.now() + 3_600_000;
  const entry = { value: 'any', bornAt: -Infinity, freshUntil, staleUntil: freshUntil };
  await level.write(new Map([['key', entry]]));
  await clock.advance(1_000);
  expect((await level.read(['key'])).size).toBe(1);
});

afterEach(async () => {
  feed.stop();
  await level.close();
});

describe(`${RedisChanges.name}: a server that is back, and still loads a snapshot`, () => {
  it('is not read from before it has counted, though it has loaded', async () => {
    nodes.around = () => {
      throw new Error('LOADING Redis is loading the dataset in memory');
    };
    nodes.reconnect();
    await settle();
    nodes.around = (_, run) => run();

    await expect(level.read(['key'])).rejects.toThrow('may have lost changes');
    await clock.advance(1_000);
    expect((await level.read(['key'])).size).toBe(1);
  });

  it('is not read from while it has counted in part', async () => {
    nodes.around = (script, run, bucket) => {
      if (script === COUNT && bucket > 0) throw new Error('LOADING Redis is loading');
      return run();
    };
    nodes.reconnect();
    await settle();

    await expect(level.read(['key'])).rejects.toThrow('may have lost changes');
    nodes.around = (_, run) => run();
    await clock.advance(1_000);
    expect((await level.read(['key'])).size).toBe(1);
  });
});

describe(`${RedisChanges.name}: a server that was made a replica`, () => {
  const refuse = (): never => {
    throw new Error('READONLY You can not write against a read only replica.');
  };

  it.each([
    ['says so when it counts', true],
    ['says so only when something is changed', false],
  ])('is left where it %s', async (_, tells) => {
    nodes.around = (script, run, bucket) =>
      script === DELETE || (tells && script === COUNT && bucket === 0) ? refuse() : run();
    await expect(level.delete(['key'])).rejects.toThrow('READONLY');
    const { ended } = nodes;
    await clock.advance(1_000);

    // The connections for commands and for messages.
    expect(nodes.ended - ended).toBe(2);
  });

  it('is not read from before whoever is there then has counted', async () => {
    nodes.around = (script, run, bucket) => (script === COUNT && bucket === 0 ? refuse() : run());
    await clock.advance(1_000);

    await expect(level.read(['key'])).rejects.toThrow('may have lost changes');
    nodes.around = (_, run) => run();
    await clock.advance(4_000);
    expect((await level.read(['key'])).size).toBe(1);
  });

  it('is left once in three seconds at most, and no copy is trusted meanwhile', async () => {
    nodes.around = (script, run, bucket) => (script === COUNT && bucket === 0 ? refuse() : run());
    await clock.advance(6_000);
    expect(feed.isProven()).toBe(false);
    const { ended } = nodes;
    await clock.advance(30_000);

    expect(nodes.ended - ended).toBeLessThanOrEqual(2 * 10);
    expect(nodes.ended - ended).toBeGreaterThan(2 * 5);
  });
});

describe(`${RedisChanges.name}: a client that throws where it is to connect anew`, () => {
  it('is asked again with the next count', async () => {
    nodes.around = () => {
      throw new Error('LOADING Redis is loading the dataset in memory');
    };
    refusal = new Error('No.');
    await clock.advance(10_000);
    expect(feed.isProven()).toBe(false);

    nodes.around = (_, run) => run();
    refusal = undefined;
    await clock.advance(5_000);
    expect(feed.isProven()).toBe(true);
  });
});

describe(`${RedisChanges.name}: an invalidation of no tags`, () => {
  it('is none, and nothing is missed', async () => {
    expect(await level.invalidateTags([])).toBe('applied');
    await clock.advance(5_000);

    expect(nodes.executed).not.toContain(INVALIDATE);
    expect(level.getMetrics()).toMatchObject({ resubscriptions: 0 });
    expect(feed.isProven()).toBe(true);
  });
});
