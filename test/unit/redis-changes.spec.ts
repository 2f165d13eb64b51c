import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { messagePack } from '../../lib/redis/codec.js';
import type { ChangeFeed } from '../../lib/levels/cache-level.js';
import { RedisChanges } from '../../lib/redis/redis-changes.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { COUNT } from '../../lib/redis/scripts.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const NAMES = { prefix: 'any', name: 'any' };

let clock: VirtualClock;
let nodes: RedisNodes;
let level: RedisLevel;
let feed: ChangeFeed;

beforeEach(async () => {
  clock = new VirtualClock();
  nodes = new RedisNodes({ clock, isCluster: false, ...NAMES });
  const driver = new RedisDriver(() => nodes, clock);
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
