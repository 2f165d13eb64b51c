import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Lease, LevelEntry } from '../../lib/levels/cache-level.js';
import { redisLevel, type RedisLevel } from '../../lib/redis/index.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';
import { until } from './until.js';

let server: RedisServer;
let client: Redis;
let level: RedisLevel;
let other: RedisLevel;
let names = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  client = new Redis(server.port);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

beforeEach(() => {
  const name = `cache-${(names += 1)}`;
  level = redisLevel({ client, name });
  other = redisLevel({ client, name });
});

afterEach(async () => {
  await level.close();
  await other.close();
});

function entryOf(value: unknown, tags?: string[]): LevelEntry {
  const now = performance.now();
  return { value, bornAt: now, freshUntil: now + 1e4, staleUntil: now + 1e4, tags };
}

async function lease(key = 'key', tags?: string[]): Promise<Extract<Lease, { state: 'load' }>> {
  const given = await level.lease(key, { tags });
  if (given.state !== 'load') throw new Error(`the lease is ${given.state}`);
  return given;
}

/** What stands in Redis for the lease of a key. */
function leaseOf(key: string): Promise<string | null> {
  return client.get(
    new KeyLayout({ prefix: 'cache', name: `cache-${names}` }).bucketOf(key).lease(key),
  );
}

async function store(token: string, value: unknown = 'loaded', tags?: string[]): Promise<unknown> {
  const written = await level.write(
    new Map([['key', entryOf(value, tags)]]),
    new Map([['key', token]]),
  );
  return written.get('key');
}

async function valueOf(key = 'key'): Promise<unknown> {
  return (await other.read([key])).get(key)?.value;
}

describeWithRedis('a lease', () => {
  it('is given to one process, and the others wait for what it stores', async () => {
    const { token } = await lease();
    expect(await other.lease('key')).toMatchObject({ state: 'wait' });

    expect(await store(token)).toBe('stored');
    expect(await other.lease('key')).toMatchObject({ state: 'hit', entry: { value: 'loaded' } });
  });

  it('goes to the next when it is given back', async () => {
    const first = await lease();
    first.release();

    const next = async (): Promise<boolean> => (await other.lease('key')).state === 'load';
    await expect(until('the other has it', next)).resolves.toBeUndefined();
  });

  it.each([
    [
      'whose answer was lost',
      async (proxy: TcpProxy, lost: RedisLevel) => {
        proxy.swallow('down');
        const asked = lost.lease('key');
        asked.catch(() => {});
        await until('it is given', async () => (await leaseOf('key')) !== null);
        proxy.reset();
        await expect(asked).rejects.toBeInstanceOf(Error);
      },
    ],
    [
      'that could not be given back at once',
      async (proxy: TcpProxy, lost: RedisLevel) => {
        const given = await lost.lease('key');
        proxy.swallow('up');
        if (given.state === 'load') given.release();
        proxy.reset();
      },
    ],
  ])('goes to the next where it is one %s', async (_, lose) => {
    const proxy = await TcpProxy.start(server.port);
    const near = new Redis(proxy.port, { lazyConnect: true });
    const lost = redisLevel({ client: near, name: `cache-${names}` });
    try {
      await lost.read(['key']);
      await lose(proxy, lost);

      const next = async (): Promise<boolean> => (await other.lease('key')).state === 'load';
      await expect(until('the other has it', next, 8_000)).resolves.toBeUndefined();
    } finally {
      await lost.close();
      await proxy.stop();
    }
  });

  it('goes to the next when its holder closes', async () => {
    await lease();
    await level.close();

    expect(await other.lease('key')).toMatchObject({ state: 'load' });
  });

  it('of a named cache goes to the next when the level closes', async () => {
    const [named, elsewhere] = [level.scope('named'), other.scope('named')];
    expect(await named.lease('key')).toMatchObject({ state: 'load' });
    await level.close();

    expect(await elsewhere.lease('key')).toMatchObject({ state: 'load' });
  });

  it('lets nothing be stored twice', async () => {
    const { token } = await lease();
    await store(token);

    expect(await store(token, 'again')).toBe('fenced');
    expect(await valueOf()).toBe('loaded');
  });

  const invalidations: [string, () => Promise<unknown>][] = [
    ['a delete', () => other.delete(['key'])],
    ['an expire', () => other.delete(['key'], { expire: true })],
    ['a clear', () => other.clear()],
    ['a tag', () => other.invalidateTags(['tag'])],
    ['a set', () => other.write(new Map([['key', entryOf('set')]]))],
  ];

  it.each(invalidations)('is lost to %s', async (_, invalidate) => {
    const { token } = await lease('key', ['tag']);
    await invalidate();

    expect(await store(token, 'old', ['tag'])).toBe('fenced');
    expect(await valueOf()).not.toBe('old');
  });

  it('is lost to a tag that the loader has named only later, and that nobody knew', async () => {
    const { token } = await lease();
    await other.invalidateTags(['later']);

    expect(await store(token, 'old', ['later'])).toBe('fenced');
  });

  it('is lost to the clear of a namespace', async () => {
    const key = 'places\u001fkey';
    const { token } = await lease(key);
    await other.clear('places\u001f');

    const written = await level.write(new Map([[key, entryOf(1)]]), new Map([[key, token]]));
    expect(written.get(key)).toBe('fenced');
  });

  it('survives invalidations that do not concern it', async () => {
    const { token } = await lease('key', ['tag']);
    await other.invalidateTags(['other']);
    await other.delete(['other']);
    await other.clear('places\u001f');

    expect(await store(token, 'loaded', ['tag'])).toBe('stored');
  });

  it('is lost once to any tag where a loader names one that nobody knew', async () => {
    const first = await lease();
    await other.invalidateTags(['other']);
    expect(await store(first.token, 'loaded', ['new'])).toBe('fenced');
    first.release();

    const second = await lease();
    await other.invalidateTags(['other']);
    expect(await store(second.token, 'loaded', ['new'])).toBe('stored');
  });

  it('is none while a key is held', async () => {
    await other.delete(['key'], { hold: 60_000 });
    expect(await level.lease('key')).toEqual({ state: 'held' });

    await other.delete(['key'], { hold: 1 });
    expect(await level.lease('key')).toEqual({ state: 'held' });
    await level.write(new Map([['key', entryOf('set')]]));
    expect(await valueOf()).toBe('set');
  });

  it('that was given while a tag was held stores nothing with it, after the hold either', async () => {
    const { token } = await lease('key', ['tag']);
    const heldUntil = Math.floor(Number(token.split(' ')[1]) / 1_000) + 1;
    const [mark] = await client.keys(`*{cache-${names}/*:t:tag`);
    const nonceAndVersion = (await client.get(mark!))!.slice(0, 28);
    await client.set(mark!, nonceAndVersion + String(heldUntil).padStart(16, '0'));
    await until('the hold is over', async () => {
      const [seconds, micros] = (await client.time()) as [number, number];
      return seconds * 1_000 + micros / 1_000 > heldUntil;
    });

    expect(await store(token, 'old', ['tag'])).toBe('fenced');
  });

  it('is given anew where a value was invalidated through its tag', async () => {
    await level.write(new Map([['key', entryOf('old', ['tag'])]]));
    await level.invalidateTags(['tag']);

    expect(await level.lease('key')).toMatchObject({ state: 'load' });
  });

  it('can be forced although there is a value', async () => {
    await level.write(new Map([['key', entryOf('old')]]));

    expect(await level.lease('key')).toMatchObject({ state: 'hit' });
    expect(await level.lease('key', { force: true })).toMatchObject({ state: 'load' });
  });

  it.each(['m', 'g', 'l:key', 't:tag'])('is lost with the key %s in Redis', async (lost) => {
    const { token } = await lease('key', ['tag']);
    const there = await client.keys(`*:${lost}`);
    expect(there.length).toBeGreaterThan(0);
    await client.del(there);
    if (lost === 't:tag') await other.invalidateTags(['tag']);

    expect(await store(token, 'old', ['tag'])).toBe('fenced');
  });
});
