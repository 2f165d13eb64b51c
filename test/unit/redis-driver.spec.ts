import { describe, expect, it } from '@jest/globals';
import { connectLike } from '../../lib/redis/redis-client.js';
import type { RedisConnection } from '../../lib/redis/redis-connection.js';
import { RedisDriver } from '../../lib/redis/redis-driver.js';
import { defer } from '../support/deferred.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { CLIENTS } from '../redis/redis-clients.js';
import { until } from '../redis/until.js';

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

  it.each(CLIENTS)('tells what $name says where no server is', async ({ one }) => {
    const clock = new VirtualClock();
    const own = connectLike(one(1))!(); // nothing may listen there
    const driver = new RedisDriver(() => own, clock);
    await until('it has been tried', () => own.lastError !== undefined);
    await clock.advance(1_000);

    await expect(driver.mget(['key'])).rejects.toThrow(
      /no connection to Redis yet: .*ECONNREFUSED.*:1\. Look at the address/,
    );
    driver.close();
  });

  it('is waited for no longer than it takes to be told why there is none', async () => {
    const clock = new VirtualClock();
    const own = { ...connection(), lastError: undefined as unknown };
    const driver = new RedisDriver(() => own, clock);
    const early = driver.mget(['key']);
    own.lastError = new Error('NOAUTH Authentication required.');
    await clock.advance(899);
    const late = driver.mget(['key']);
    const told = Promise.allSettled([early, late]);
    await clock.advance(1);

    const reasons = (await told).map((one) => String((one as PromiseRejectedResult).reason));
    expect(reasons).toEqual(Array(2).fill(expect.stringMatching(/yet: NOAUTH Authentication re/)));
    driver.close();
  });

  it('is waited for on, where nothing says why there is none', async () => {
    const clock = new VirtualClock();
    const own = connection();
    const driver = new RedisDriver(() => own, clock);
    const early = driver.mget(['key']);
    await clock.advance(5_000);
    own.arrive();

    expect(await early).toHaveLength(1);
  });
});
