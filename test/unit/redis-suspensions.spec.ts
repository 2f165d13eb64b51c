import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { Coherence } from '../../lib/hierarchy/coherence.js';
import { messagePack } from '../../lib/redis/codec.js';
import { BUCKETS } from '../../lib/redis/key-layout.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { RedisLevel } from '../../lib/redis/redis-level.js';
import { RedisNodes } from '../support/redis-nodes.js';
import { VirtualClock } from '../support/virtual-clock.js';

const NAMES = { prefix: 'any', name: 'any' };

let clock: VirtualClock;
let cache: CacheHierarchy;

beforeEach(async () => {
  clock = new VirtualClock();
  const nodes = new RedisNodes({ clock, isCluster: false, ...NAMES });
  const driver = new RedisDriver(() => nodes, clock);
  const parts = { driver, clock, prefix: 'any', source: 'A', maxStaleMs: 5_000, leaseMs: 10_000 };
  const remote = new RedisLevel({ ...parts, codec: messagePack() }, 'any');
  cache = new CacheHierarchy({ clock, remote, l2: false, ttl: '1h', report: () => {} });
  await clock.advance(2_000);
  await cache.set('key', 'old');
  expect(cache.has('key')).toBe(true);
});

afterEach(() => cache.close());

function missed(): number {
  return cache.getMetrics().coherence!.missed;
}

describe(`${Coherence.name} with Redis, after a suspension`, () => {
  it('has missed everything once, whoever notices it first', async () => {
    clock.suspend(60_000);
    expect(cache.has('key')).toBe(false);
    expect(missed()).toBe(BUCKETS);
    await clock.advance(3_000);

    expect(cache.getMetrics().coherence).toMatchObject({ missed: BUCKETS, proven: true });
  });

  it('has missed everything before anything is proven anew, though nobody asks', async () => {
    clock.suspend(60_000);
    await clock.advance(3_000);
    expect(cache.has('key')).toBe(false);

    expect(cache.getMetrics().coherence).toMatchObject({ missed: BUCKETS, proven: true });
  });
});
