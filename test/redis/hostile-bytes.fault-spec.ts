import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { crc32, deflateRawSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { messagePack, redisLevel, type RedisLevel } from '../../lib/redis/index.js';
import { KeyLayout } from '../../lib/redis/key-layout.js';
import { DIGITS } from '../../lib/redis/scripts.js';
import type { Report } from '../../lib/report.js';
import { collectCaches } from '../../lib/telemetry/prometheus.js';
import { randomFrom } from '../support/random.js';
import { CLIENTS } from './redis-clients.js';
import { describeWithRedis, RedisServer } from './redis-server.js';
import { until } from './until.js';

const VALUE = { id: 1, name: 'place', at: new Date(0) };
/** Version, times, count and the nonces of the generation and one tag: what scripts write before a record. */
const HEAD_LENGTH = 3 * 16 + 2;
const RECORD_AT = HEAD_LENGTH + 2 * 12;

let server: RedisServer;
let client: Redis;
let level: RedisLevel;
let name: string;
let names = 0;
const opened: CacheHierarchy[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  client = new Redis(server.port);
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()));
  await level.close();
});

/** A cache over the level, or another one. */
function open(remote = level, report: Report = () => {}): CacheHierarchy {
  const cache = new CacheHierarchy({ remote, l2: false, report });
  opened.push(cache);
  return cache;
}

async function write(key: string, value: unknown = VALUE): Promise<Buffer> {
  const now = performance.now();
  const times = { bornAt: now, freshUntil: now + 60_000, staleUntil: now + 60_000 };
  await level.write(new Map([[key, { ...times, value, tags: ['tag'] }]]));
  return (await client.getBuffer(namesOf(key).value))!;
}

function namesOf(
  key: string,
): Record<'value' | 'lease' | 'generation' | 'counters' | 'tag', string> {
  const bucket = new KeyLayout({ prefix: 'cache', name }).bucketOf(key);
  const { generation, counters } = bucket;
  return {
    value: bucket.value(key),
    lease: bucket.lease(key),
    generation,
    counters,
    tag: bucket.tag('tag'),
  };
}

/** What is read when these are the bytes of a key. */
async function valueOf(key: string, bytes: Buffer): Promise<unknown> {
  return (await lookAt(key, bytes)).value;
}

/** What is read then, and by how much that has raised the figure of what could not be read. */
async function lookAt(key: string, bytes: Buffer): Promise<{ value: unknown; counted: number }> {
  await client.set(namesOf(key).value, bytes);
  const before = level.getMetrics().undecodable!;
  const value = (await level.read([key])).get(key)?.value;
  return { value, counted: level.getMetrics().undecodable! - before };
}

/** Each is counted once, and none is read. */
const MISSED = { value: undefined, counted: 1 };
const READ = { value: VALUE, counted: 0 };

/** Bytes whose checksum is right, for those who know how to make one. */
function sealed(key: string, record: Buffer): Buffer {
  record.writeUInt32BE(crc32(record.subarray(4), crc32(key)), 0);
  return record;
}

/** A record of other content, with the head of another one. */
function recordOf(stored: Buffer, change: (record: Buffer) => Buffer): Buffer {
  const record = change(Buffer.from(stored.subarray(RECORD_AT)));
  return Buffer.concat([stored.subarray(0, RECORD_AT), sealed('key', record)]);
}

/** So many zeros, compressed, which say to be so many bytes. */
function bomb(said: number, zeros: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(said);
  return Buffer.concat([length, compressedZeros(zeros)]);
}

/** By how many they are: it takes a while to make many. */
const compressed = new Map<number, Buffer>();

function compressedZeros(count: number): Buffer {
  const made = compressed.get(count) ?? deflateRawSync(Buffer.alloc(count));
  compressed.set(count, made);
  return made;
}

function withPayload(stored: Buffer, payload: Buffer, flags = 0): Buffer {
  return recordOf(stored, (record) => {
    const payloadAt = 27 + 2 + 'tag'.length + 1 + 'msgpack'.length;
    const changed = Buffer.concat([record.subarray(0, payloadAt), payload]);
    changed[5] = flags;
    return changed;
  });
}

describeWithRedis.each(CLIENTS)('through $name', ({ one }) => {
  beforeEach(() => {
    name = `cache-${(names += 1)}`;
    level = redisLevel({ client: one(server.port), name });
  });

  describe('bytes in Redis that are none of a record', () => {
    it('are a miss with any bit turned, or leave the value as it is', async () => {
      const stored = await write('key');
      for (let at = 0; at < stored.length * 8; at++) {
        const turned = Buffer.from(stored);
        const byteAt = at >> 3;
        turned[byteAt]! ^= 1 << (at & 7);
        const seen = await lookAt('key', turned);
        // A digit of the head can become another one: of the version, or of a time that can only be shortened.
        const isDigit = byteAt < 3 * 16 && turned[byteAt]! >= 0x30 && turned[byteAt]! <= 0x39;
        // Who finds another nonce than that of a mark finds what was invalidated: a miss like any.
        const isNonce = byteAt >= HEAD_LENGTH && byteAt < RECORD_AT;
        if (isDigit) expect([at, [MISSED, READ]]).toEqual([at, expect.arrayContaining([seen])]);
        else expect([at, seen]).toEqual([at, { value: undefined, counted: isNonce ? 0 : 1 }]);
      }
    });

    it('give a lease whatever bit is turned', async () => {
      const stored = await write('key');
      for (let at = 0; at < stored.length; at++) {
        const turned = Buffer.from(stored);
        turned[at]! ^= 1 << (at % 8);
        await client.set(namesOf('key').value, turned);
        const lease = await level.lease('key', { tags: ['tag'] });
        expect([at, lease.state]).toEqual([at, expect.stringMatching(/^(hit|load)$/)]);
        if (lease.state === 'load') lease.release();
        await until(
          'the lease is given back',
          async () => (await client.exists(namesOf('key').lease)) === 0,
        );
      }
    });

    it('are a miss at any length', async () => {
      const stored = await write('key');
      for (let length = 0; length < stored.length; length++)
        expect([length, await lookAt('key', stored.subarray(0, length))]).toEqual([length, MISSED]);
      expect(await lookAt('key', stored)).toEqual(READ);
    });

    it('are a miss where they are those of another key', async () => {
      const stored = await write('key');
      const layout = new KeyLayout({ prefix: 'cache', name });
      const others = Array.from({ length: 200 }, (_, at) => `other:${at}`);
      const near = others.find((key) => layout.indexOf(key) === layout.indexOf('key'))!;

      expect(await lookAt(near, stored)).toEqual(MISSED);
    });

    it('are read where they are crafted as they were, which shows that others are missed for what they are', async () => {
      const stored = await write('key');

      const same = recordOf(stored, (record) => record);
      expect(await lookAt('key', same)).toEqual(READ);
      const zero = withPayload(stored, bomb(1, 1), 1);
      expect(await lookAt('key', zero)).toEqual({ value: 0, counted: 0 });
    });

    const crafted: [string, (stored: Buffer) => Buffer][] = [
      [
        'tags that end beyond it',
        (stored) => recordOf(stored, (record) => ((record[26] = 255), record)),
      ],
      [
        'a tag that is too long',
        (stored) => recordOf(stored, (record) => ((record[27] = 255), record)),
      ],
      ['times that are none', (stored) => recordOf(stored, (record) => record.fill(0xff, 6, 22))],
      ['another format', (stored) => recordOf(stored, (record) => ((record[4] = 1), record))],
      [
        'a codec whose id ends beyond it',
        (stored) => recordOf(stored, (record) => ((record[32] = 255), record)),
      ],
      ['another codec', (stored) => recordOf(stored, (record) => ((record[33] = 0x58), record))],
      ['a value of other bytes', (stored) => withPayload(stored, Buffer.from([0xcc]))],
      ['no value', (stored) => withPayload(stored, Buffer.alloc(0))],
      ['an array of 4 billion', (stored) => withPayload(stored, Buffer.from('ddffffffff', 'hex'))],
      ['a map of 4 billion', (stored) => withPayload(stored, Buffer.from('dfffffffff', 'hex'))],
      [
        'a text of 4 billion bytes',
        (stored) => withPayload(stored, Buffer.from('dbffffffff', 'hex')),
      ],
      [
        'arrays in arrays that are said to be long',
        (stored) => withPayload(stored, Buffer.from('dd01000000'.repeat(1_000), 'hex')),
      ],
      [
        'a hundred thousand arrays in arrays',
        (stored) => withPayload(stored, Buffer.alloc(1e5, 0x91)),
      ],
      [
        'bytes that are not compressed',
        (stored) => withPayload(stored, Buffer.from('000000ffff', 'hex'), 1),
      ],
      ['no length', (stored) => withPayload(stored, Buffer.from('ff', 'hex'), 1)],
      [
        'a hundred megabytes in a hundred kilobytes',
        (stored) => withPayload(stored, bomb(100 * 2 ** 20, 100 * 2 ** 20), 1),
      ],
      [
        'a hundred megabytes that say they are sixty',
        (stored) => withPayload(stored, bomb(60 * 2 ** 20, 100 * 2 ** 20), 1),
      ],
      [
        'a hundred megabytes that say they are a thousand bytes',
        (stored) => withPayload(stored, bomb(1_000, 100 * 2 ** 20), 1),
      ],
    ];

    describe.each(crafted)('with %s and the right checksum', (_, craft) => {
      it('are a miss, without much memory', async () => {
        const bytes = craft(await write('key'));
        const before = process.memoryUsage().rss;

        expect(await lookAt('key', bytes)).toEqual(MISSED);
        expect(process.memoryUsage().rss - before).toBeLessThan(256 * 2 ** 20);
      });

      it('keep nobody from loading, and are replaced', async () => {
        await client.set(namesOf('key').value, craft(await write('key')));
        // A machine that does other things may take long over sixty megabytes: that is no outage.
        const options = { remote: level, l2: false, levelTimeout: '1m', report: () => {} } as const;
        const cache = new CacheHierarchy(options);
        opened.push(cache);

        expect(await cache.get('key')).toBeUndefined();
        expect(cache.getMetrics().lower.remote).toMatchObject({ misses: 1, undecodable: 1 });
        const startedAt = performance.now();
        expect(await cache.getOrSet('key', () => 'loaded', { tags: 'tag' })).toBe('loaded');
        expect(performance.now() - startedAt).toBeLessThan(2_000);
        expect(cache.getMetrics().levelFailures).toBe(0);
        expect((await level.read(['key'])).get('key')?.value).toBe('loaded');
      });
    });

    it('are as many as Prometheus is told of', async () => {
      const registry = new Registry();
      collectCaches({ default: open() }, { registry });
      const shown = async (): Promise<number | undefined> => {
        const metric = registry.getSingleMetric('cache_hierarchy_level_undecodable_total')!;
        return (await metric.get()).values.find(({ labels }) => labels['level'] === 'remote')
          ?.value;
      };
      const stored = await write('key');
      await valueOf('key', stored);
      expect(await shown()).toBe(0);
      for (const [, craft] of crafted) await valueOf('key', craft(stored));

      expect(await shown()).toBe(crafted.length);
    });

    it('do not reach a prototype', async () => {
      // A map of one: '__proto__', which is a map of one: 'polluted', which is true.
      const proto = Buffer.from('81a95f5f70726f746f5f5f81a8706f6c6c75746564c3', 'hex');
      const value = await valueOf('key', withPayload(await write('key'), proto));

      expect(Reflect.get({}, 'polluted')).toBeUndefined();
      expect(Reflect.get(Object(value) as object, 'polluted')).toBeUndefined();
    });
  });

  describe('what others leave under the names of a cache', () => {
    const litter: [string, (key: string) => Promise<unknown>][] = [
      ['a list', (key) => client.multi().del(key).rpush(key, 'x').exec()],
      ['a text', (key) => client.multi().del(key).set(key, 'litter').exec()],
      ['a long text', (key) => client.multi().del(key).set(key, 'x'.repeat(1e5)).exec()],
      ['no text', (key) => client.multi().del(key).set(key, '').exec()],
      [
        'numbers that are too large',
        (key) => client.multi().del(key).set(key, '9'.repeat(44)).exec(),
      ],
      [
        'numbers that are too large for counters',
        (key) => client.multi().del(key).set(key, '9'.repeat(64)).exec(),
      ],
      ['a hash', (key) => client.multi().del(key).hset(key, { v: 'x', n: 'y' }).exec()],
    ];
    const places = ['value', 'lease', 'generation', 'counters', 'tag'] as const;
    const all = litter.flatMap(([what, put]) => places.map((place) => [what, place, put] as const));

    it.each(all)('is a miss and no more: %s as the %s', async (_, place, put) => {
      const cache = open();
      await write('key', 'old');
      await put(namesOf('key')[place]);
      const load = (): string => 'loaded';
      const options = { tags: 'tag' };

      expect(['old', 'loaded']).toContain(await cache.getOrSet('key', load, options));
      await cache.delete('key', { require: 'remote' });
      await cache.invalidateTags('tag');
      expect(await cache.getOrSet('key', load, options)).toBe('loaded');
      await cache.set('key', 'set', options);
      expect((await level.read(['key'])).get('key')?.value).toBe('set');
      expect(cache.getMetrics().levelFailures).toBe(0);
    });
  });

  describe('messages that nobody of the fleet has sent', () => {
    it('cost misses at most', async () => {
      const cache = open();
      const isProven = (): boolean => cache.getMetrics().coherence?.proven === true;
      await until('copies are proven', isProven);
      await cache.set('key', 'value');
      const { channel } = new KeyLayout({ prefix: 'cache', name });
      const bucket = new KeyLayout({ prefix: 'cache', name }).indexOf('key');
      const epoch = (await client.get(namesOf('key').counters))!.slice(DIGITS, 2 * DIGITS);
      const random = randomFrom(1);
      const forged = [
        [epoch, '999999999999999', 'x', bucket, 'k', 'other'],
        [epoch, '1', 'x', '16', 'k', 'key'],
        [epoch, '1', 'x', '-1', 'k', 'key'],
        [epoch, '1', 'x', '__proto__', 'k', 'key'],
        [epoch, '1e9', 'x', bucket, 'k', 'key'],
        ['', '', 'x', bucket, '', ''],
      ].map((parts) => parts.join('\u001e'));
      const noise = Array.from({ length: 200 }, () =>
        Buffer.from(Array.from({ length: random.below(100) }, () => random.below(256))),
      );
      for (const message of [...forged, ...noise]) await client.publish(channel, message);
      await until('changes are missed', () => cache.getMetrics().coherence!.missed >= 2);
      await until('copies are proven again', isProven);

      expect(['value', undefined]).toContain(await cache.get('key'));
      await cache.set('key', 'value');
      // A message that is lost later is missed all the same.
      const other = redisLevel({ client: one(server.port), name });
      try {
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        // A forged epoch has the cache tell its changes once more: what is set now may be deleted by that.
        await other.delete(['key']);
        await until('it is missed', async () => (await cache.get('key')) === undefined, 5_000);
      } finally {
        await other.close();
      }
    });
  });

  describe('two codecs side by side', () => {
    it('miss what the other one has stored, and fail nobody', async () => {
      const reports: string[] = [];
      const [old, young] = ['v1', 'v2'].map((id) => {
        const codec = { ...messagePack(), id };
        const remote = redisLevel({ client: one(server.port), name, codec });
        return open(remote, ({ code }) => reports.push(code));
      }) as [CacheHierarchy, CacheHierarchy];
      await until('copies are proven', () =>
        [old, young].every((cache) => cache.getMetrics().coherence!.proven),
      );
      for (let at = 0; at < 20; at++) {
        const key = `key:${at}`;
        await old.set(key, 'old');
        expect(await young.get(key)).toBeUndefined();
        expect(await young.getOrSet(key, () => 'young')).toBe('young');
        await until('the copy is dropped', () => !old.has(key));
        expect(await old.getOrSet(key, () => 'old')).toBe('old');
        await until('the copy is dropped', () => !young.has(key));
        await young.delete(key, { require: 'remote' });
        await until('the copy is dropped', () => !old.has(key));
      }

      expect(reports).toEqual(['CACHE_CODEC_DIFFERS', 'CACHE_CODEC_DIFFERS']);
      for (const cache of [old, young]) expect(cache.getMetrics().levelFailures).toBe(0);
    });
  });

  describe('two formats of records side by side', () => {
    it('miss what the other one has stored, and say nothing', async () => {
      const reports: unknown[] = [];
      const cache = open(level, (what) => reports.push(what));
      const keys = Array.from({ length: 20 }, (_, at) => `key:${at}`);
      for (const key of keys) {
        const stored = await write(key, 'old');
        expect(await valueOf(key, stored)).toBe('old');
        const other = Buffer.from(stored);
        other[RECORD_AT + 4] = 1;
        await client.set(namesOf(key).value, other);
        expect(await cache.getOrSet(key, () => 'loaded')).toBe('loaded');
        expect(await valueOf(key, (await client.getBuffer(namesOf(key).value))!)).toBe('loaded');
      }

      expect(reports).toEqual([]);
      expect(cache.getMetrics().levelFailures).toBe(0);
    });
  });
});
