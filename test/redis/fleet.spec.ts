import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { redisLevel } from '../../lib/redis/index.js';
import { defer } from '../support/deferred.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

let server: RedisServer;
let client: Redis;
let one: CacheHierarchy;
let other: CacheHierarchy;
let count = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  client = new Redis(server.port);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

beforeEach(() => {
  const name = `cache-${(count += 1)}`;
  const open = (): CacheHierarchy =>
    new CacheHierarchy({ remote: redisLevel({ client, name }), l2: false, report: () => {} });
  [one, other] = [open(), open()];
});

afterEach(async () => {
  await Promise.all([one.close(), other.close()]);
});

const FAR = Array.from({ length: 100 }, (_, id) => `far:${id}`);

function isProven(cache: CacheHierarchy): boolean {
  return cache.getMetrics().coherence?.proven === true;
}

describeWithRedis('two caches over one Redis', () => {
  it('load a key once', async () => {
    const row = defer<string>();
    let loads = 0;
    const load = (): Promise<string> => {
      loads += 1;
      return row.promise;
    };
    const answers = Promise.all([one.getOrSet('key', load), other.getOrSet('key', load)]);
    await until('it loads', () => loads > 0);
    row.resolve('loaded');

    expect(await answers).toEqual(['loaded', 'loaded']);
    expect(loads).toBe(1);
  });

  it('pass the load on when it fails', async () => {
    const failed = one.getOrSet('key', async () => {
      throw new Error('the database is away');
    });
    await expect(failed).rejects.toThrow('the database is away');

    expect(await other.getOrSet('key', () => 'loaded')).toBe('loaded');
    expect(await one.getOrSet('key', () => 'again')).toBe('loaded');
  });

  it.each([
    ['a delete', () => other.delete('key')],
    ['an expire', () => other.expire('key')],
    ['a tag', () => other.invalidateTags('tag')],
    ['a clear', () => other.clear()],
  ])('store nothing that was loaded before %s of the other', async (_, invalidate) => {
    const row = defer<string>();
    const loading = one.getOrSet('key', () => row.promise, { tags: 'tag' });
    await until('it loads', () => one.getMetrics().loads > 0);
    await invalidate();
    row.resolve('old');

    expect(await loading).toBe('old');
    expect(one.has('key')).toBe(false);
    expect(await other.getOrSet('key', () => 'new', { tags: 'tag' })).toBe('new');
    expect(await one.get('key')).toBe('new');
  });

  it('store what was being loaded when they counted for the first time after a key was used', async () => {
    await until('copies are proven', () => isProven(one) && isProven(other));
    const load = async (): Promise<string> => {
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      return 'loaded';
    };

    await one.getOrSet('key', load);

    expect(one.has('key')).toBe(true);
    expect(one.getMetrics().coherence?.missed).toBe(0);
    expect(one.getMetrics().coherence?.lagMs).toBeLessThan(10_000);
  });

  it('load a key anew where Redis has not confirmed that its tag was invalidated', async () => {
    const level = redisLevel({ client, name: `cache-${count}` });
    const cache = new CacheHierarchy({ remote: level, l2: false, report: () => {} });
    await cache.set('key', 'old', { tags: 'tag' });
    level.invalidateTags = () => Promise.reject(new Error('it is away'));
    await cache.invalidateTags('tag');

    expect(await cache.getOrSet('key', () => 'new', { tags: 'tag' })).toBe('new');
    await cache.close();
  });

  it('load many keys of one batch each once, however they overlap', async () => {
    const asked: string[] = [];
    const load = async (keys: readonly string[]): Promise<Map<string, string>> => {
      asked.push(...keys);
      return new Map(keys.map((key) => [key, `value of ${key}`]));
    };
    const first = await one.getOrSetMany(['a', 'b', 'c'], load);
    const second = await other.getOrSetMany(['b', 'c', 'd'], load);

    expect([first.size, second.size]).toEqual([3, 3]);
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
  });

  describe('of which both have a copy', () => {
    beforeEach(async () => {
      // Copies are trusted as soon as both have compared what they know with the server.
      await until('copies are proven', () => isProven(one) && isProven(other));
      await one.set('key', 'old', { tags: 'tag' });
      await one.setMany(FAR.map((key) => [key, 'away']));
      await until('it hears of all', () => other.getMetrics().coherence?.heard === 1 + FAR.length);
      expect(await other.get('key')).toBe('old');
      expect((await other.getMany(FAR)).size).toBe(FAR.length);
      expect([one.has('key'), other.has('key')]).toEqual([true, true]);
    });

    it.each([
      ['a set', () => one.set('key', 'new'), 'new'],
      ['an update', () => one.update('key', () => 'new'), 'new'],
      ['a delete', () => one.delete('key'), undefined],
      ['an expire', () => one.expire('key'), undefined],
      ['a tag', () => one.invalidateTags('tag'), undefined],
      ['a clear', () => one.clear(), undefined],
    ])('drop it at %s of the other', async (_, change, value) => {
      await change();
      await until('the copy is dropped', () => !other.has('key'));

      expect(await other.get('key')).toBe(value);
      expect(await one.get('key')).toBe(value);
    });

    it('drop it where the message was lost, and keep what was not changed', async () => {
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await one.set('key', 'new');
      await until('the copy is dropped', () => !other.has('key'));

      expect(await other.get('key')).toBe('new');
      expect(FAR.filter((key) => other.has(key)).length).toBeGreaterThan(0.8 * FAR.length);
    });
  });

  it('keep nothing of a lease when all is over', async () => {
    await one.getOrSet('key', () => 'loaded');
    await one.getOrSet('none', () => undefined);
    await one.getOrSet('skipped', ({ skip }) => {
      skip();
      return 'skipped';
    });

    expect(await client.keys(`*{cache-${count}/*:l:*`)).toEqual([]);
  });
});
