import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { PlainCache } from './plain-cache.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { Storm } from './storm.js';
import { until } from './until.js';

/* What other tests expect a storm not to find is first shown to be found. */

let server: RedisServer;

beforeEach(async () => {
  server = await RedisServer.start();
});

afterEach(() => server.stop());

describeWithRedis(Storm.name, () => {
  it('finds a plain GET, SET and DEL stale, late and failing', async () => {
    const caches = [await PlainCache.open(server.port, 'plain')];
    const storm = new Storm(caches);
    try {
      await until('it reads what is stale', () => storm.stale.length > 0);
      await server.kill();
      // Calls wait for the server, however long it is away.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await server.run();
      await until('some were late', () => storm.late(250, 50).length > 0);
      expect(storm.errors).toEqual([]);
      await caches[0]!.close();
      await until('calls fail', () => storm.errors.length > 0);
    } finally {
      await storm.stop();
      await caches[0]!.close();
    }
  });

  it('finds the copies old of a cache that hears of no change', async () => {
    const caches = [1, 2].map(() => new CacheHierarchy({ l2: false, report: () => {} }));
    const storm = new Storm(caches);
    await until('much was changed', () => storm.operations.length > 500);
    await storm.stop();

    expect((await storm.old()).length).toBeGreaterThan(0);
    await expect(storm.current(0)).rejects.toThrow('all rows are read as they are');
    await Promise.all(caches.map((cache) => cache.close()));
  });
});
