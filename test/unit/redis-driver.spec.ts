import { describe, expect, it } from '@jest/globals';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { defer } from '../support/deferred.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

/** A connection that is there when the test says so. */
function connection(): RedisConnection & { arrive(): void } {
  const ready = defer();
  return {
    isCluster: false,
    ready: ready.promise,
    onReady: () => {},
    send: async () => [Buffer.from('value')],
    subscribe: async () => {},
    end: () => {},
    arrive: () => ready.resolve(),
  };
}

describe(`${RedisDriver.name}: the first connection`, () => {
  it('is waited for at the start, and not once it has taken a second', async () => {
    const clock = new VirtualClock();
    const own = connection();
    const driver = new RedisDriver(() => own, clock);
    const early = driver.mget(['key']);
    await clock.advance(999);
    const waiting = driver.mget(['key']);
    await clock.advance(1);

    await expect(driver.mget(['key'])).rejects.toThrow('no connection to Redis yet');
    own.arrive();
    await settle();
    expect(await Promise.all([early, waiting, driver.mget(['key'])])).toHaveLength(3);
  });
});
