import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { messagePack, redisLevel, type RedisClient } from '../../lib/redis/index.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { describeLevel } from '../../lib/testing/index.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

let server: RedisServer;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  for (const close of closers) await close();
  await server.stop();
});

const clients: Record<string, () => Promise<RedisClient>> = {
  async ioredis() {
    const client = new Redis(server.port);
    closers.push(() => client.disconnect());
    return client;
  },
  async redis() {
    const client = createClient({ socket: { port: server.port } });
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  },
};

let names = 0;
for (const [name, connect] of Object.entries(clients)) {
  let client: Promise<RedisClient>;
  describeLevel(
    `Redis through ${name}`,
    async () => ({
      level: redisLevel({ client: await (client ??= connect()), name: `cache-${++names}` }),
      now: () => performance.now(),
      advance: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      toleranceMs: 100, // Half a round trip on a busy machine.
    }),
    { describe: describeWithRedis, it },
  );
}

describeWithRedis('the tags of one invalidation', () => {
  it('may be none, or thousands', async () => {
    const level = redisLevel({ client: await clients['ioredis']!(), name: `cache-${++names}` });
    const at = performance.now();
    const entry = { value: 1, bornAt: at, freshUntil: at + 60_000, staleUntil: at + 60_000 };
    await level.write(new Map([['key', { ...entry, tags: ['tag 8999'] }]]));

    expect(await level.invalidateTags([])).toBe('applied');
    expect((await level.read(['key'])).size).toBe(1);
    const tags = Array.from({ length: 9_000 }, (_, tag) => `tag ${tag}`);
    expect(await level.invalidateTags(tags)).toBe('applied');
    expect((await level.read(['key'])).size).toBe(0);
    await level.close();
  });
});

describeWithRedis('the codec of a level', () => {
  it('may refuse values, which is no failure of the level', async () => {
    const client = new Redis(server.port, { lazyConnect: true });
    const plain = messagePack();
    const encode = (value: unknown): Buffer => {
      if (typeof value === 'symbol') throw new TypeError('symbols have no bytes');
      return plain.encode(value);
    };
    const codec = { encode, decode: (bytes: Buffer) => plain.decode(bytes) };
    const open = (): CacheHierarchy =>
      new CacheHierarchy({ remote: redisLevel({ client, name: `cache-${names}`, codec }) });
    names += 1;
    const [here, there] = [open(), open()];
    await here.set('set', 'old');
    for (let round = 0; round < 6; round++)
      expect(await here.getOrSet(`loaded:${round}`, () => Symbol.iterator)).toBe(Symbol.iterator);
    await here.set('set', Symbol.iterator);

    expect(here.getMetrics().lower.remote).toMatchObject({ refused: 7, failures: 0, down: false });
    expect(await there.get('loaded:0')).toBeUndefined();
    // What is older than what was refused must not come back.
    await until('it is gone from Redis', async () => (await there.get('set')) === undefined);
    await Promise.all([here.close(), there.close()]);
  });
});

/** Waits until Redis answers, on however slow a machine; from then on it does. */
async function connected(...caches: readonly CacheHierarchy[]): Promise<void> {
  for (const cache of caches)
    await until('Redis answers', async () => {
      await cache.get('none');
      return !cache.getMetrics().lower.remote!.down;
    });
}

describeWithRedis('two codecs of one cache', () => {
  /** A codec that notes what it is given. */
  class Codec {
    readonly decoded: string[] = [];
    constructor(readonly id?: string) {}
    encode(value: unknown): Buffer {
      return Buffer.from(`${this.id}:${String(value)}`);
    }
    decode(bytes: Buffer): unknown {
      return this.decoded.push(String(bytes)) && String(bytes).split(':')[1];
    }
  }

  it.each([
    ['v1', 'v2'],
    ['v1', undefined],
    [undefined, 'v2'],
  ])('miss what the other has stored, and say so once: %s and %s', async (one, other) => {
    const client = new Redis(server.port, { lazyConnect: true });
    const codecs = [new Codec(one), new Codec(other)] as const;
    const reports: string[] = [];
    const name = `cache-${++names}`;
    const [old, young] = codecs.map(
      (codec) =>
        new CacheHierarchy({
          remote: redisLevel({ client, name, codec }),
          levelTimeout: '1m',
          report: ({ code }) => code === 'CACHE_CODEC_DIFFERS' && reports.push(code),
        }),
    ) as [CacheHierarchy, CacheHierarchy];
    closers.push(
      () => Promise.all([old.close(), young.close()]),
      () => client.disconnect(),
    );
    await connected(old, young);
    const layout = new KeyLayout({ prefix: 'cache', name });
    for (const key of ['a', 'b'])
      await until('it is stored', async () => {
        await old.set(key, 'old');
        return (await client.exists(layout.bucketOf(key).value(key))) === 1;
      });

    expect(await young.get('a')).toBeUndefined();
    expect(await young.getOrSet('b', () => 'new')).toBe('new');
    expect(reports).toEqual(['CACHE_CODEC_DIFFERS']);
    expect(young.getMetrics().lower.remote!.undecodable).toBeGreaterThanOrEqual(2);
    expect(codecs[1].decoded).toEqual([]);
    await until('it has replaced the entry', async () => {
      const cache = new CacheHierarchy({
        remote: redisLevel({ client, name, codec: codecs[1] }),
        report: () => {},
      });
      const value = await cache.get('b');
      await cache.close();
      return value === 'new';
    });
    expect(codecs.map(({ decoded }) => decoded)).toEqual([[], [`${other}:new`]]);
  });

  it('may not be called otherwise than a name', () => {
    const client = new Redis(server.port, { lazyConnect: true });

    expect(() => redisLevel({ client, codec: new Codec('a codec') })).toThrow(
      /codec.* must have an id of 1 to 32 characters/,
    );
  });
});

describeWithRedis('a value that a thread compresses', () => {
  it('comes back, by a read and by a lease, and is gone when it was deleted on its way', async () => {
    const client = new Redis(server.port, { lazyConnect: true });
    const name = `cache-${++names}`;
    const open = (): CacheHierarchy => {
      const remote = redisLevel({ client, name });
      const cache = new CacheHierarchy({ remote, l2: false, levelTimeout: '1m', report: () => {} });
      closers.push(() => cache.close());
      return cache;
    };
    const [here, there] = [open(), open()];
    await connected(here, there);
    const long = 'all the same '.repeat(100_000);
    await until('it comes back', async () => {
      await here.set('long', long);
      return (await there.get('long')) === long;
    });
    const level = redisLevel({ client, name });
    closers.push(() => level.close());
    await until('a lease finds it', async () => {
      const lease = await level.lease('long').catch(() => undefined);
      return lease?.state === 'hit' && lease.entry.value === long;
    });

    const [, deleted] = await Promise.all([
      here.set('long', `${long}!`),
      here.delete('long', { require: 'remote' }),
    ]);
    expect(deleted).toBe(true);
    expect((await level.read(['long'])).size).toBe(0);
  });
});

describeWithRedis('a scope of a level', () => {
  it('is refused under the name of the level itself', async () => {
    const client = new Redis(server.port, { lazyConnect: true });
    const level = redisLevel({ client, name: 'shop' });

    expect(() => level.scope('shop')).toThrow('"shop" is what the level itself is called in Redis');
    await level.close();
  });
});
