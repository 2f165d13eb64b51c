import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { compress, decompress, messagePack, type Packed } from '../../lib/redis/codec.js';
import { decodeRecord, encodeRecord, type RecordContent } from '../../lib/redis/record.js';
import { randomNumbers } from '../../lib/testing/random-numbers.js';

const KEY = 'place:1';
const NONCES = ['AAAAAAAAAAAA', 'BBBBBBBBBBBB'];

function contentOf(overrides: Partial<RecordContent> = {}): RecordContent {
  return {
    freshUntil: 1_700_000_000_000,
    staleUntil: 1_700_000_060_000,
    loadMs: 12,
    tags: ['places'],
    codec: 'msgpack',
    payload: { bytes: Buffer.from('payload'), isCompressed: false },
    ...overrides,
  };
}

/** What stands in Redis: the record behind what a script writes. */
function stored(
  record: Buffer,
  { fresh = 1_700_000_000_000, stale = 1_700_000_060_000 } = {},
): Buffer {
  const head = [1_690_000_000_000_001, fresh, stale].map((n) => String(n).padStart(16, '0'));
  return Buffer.concat([Buffer.from(`${head.join('')}02${NONCES.join('')}`), record]);
}

describe('a record', () => {
  it('comes back as it was made', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.array(fc.string({ unit: 'binary', maxLength: 256 }), { maxLength: 32 }),
        fc.uint8Array({ maxLength: 500 }),
        fc.option(fc.nat(1e6), { nil: undefined }),
        fc.constantFrom('', 'v', 'a'.repeat(32)),
        (key, tags, payload, loadMs, codec) => {
          const bytes = Buffer.from(payload);
          const content = contentOf({
            tags,
            loadMs,
            codec,
            payload: { bytes, isCompressed: true },
          });

          expect(decodeRecord(key, stored(encodeRecord(key, content)))).toEqual({
            ...content,
            nonces: Buffer.from(NONCES.join('')),
          });
        },
      ),
    );
  });

  it('is none of another key', () => {
    expect(decodeRecord('place:2', stored(encodeRecord(KEY, contentOf())))).toBeUndefined();
  });

  it('is shortened by what a script says, and never prolonged', () => {
    const record = encodeRecord(KEY, contentOf());

    expect(decodeRecord(KEY, stored(record, { fresh: 5, stale: 6 }))).toMatchObject({
      freshUntil: 5,
      staleUntil: 6,
    });
    expect(decodeRecord(KEY, stored(record, { fresh: 9e15, stale: 9e15 }))).toMatchObject({
      freshUntil: 1_700_000_000_000,
      staleUntil: 1_700_000_060_000,
    });
  });

  it('is none once a bit of it has flipped, or what it says is shorter', () => {
    const whole = stored(encodeRecord(KEY, contentOf()));
    const recordAt = whole.length - encodeRecord(KEY, contentOf()).length;
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const record = decodeRecord(KEY, flipped);
      if (bit >= 8 * recordAt) expect(record).toBeUndefined();
      else expect(record?.freshUntil ?? 0).toBeLessThanOrEqual(1_700_000_000_000);
    }
  });

  it('is none where bytes are missing, or are not ours', () => {
    const whole = stored(encodeRecord(KEY, contentOf()));
    for (let length = 0; length < whole.length; length++)
      expect(decodeRecord(KEY, whole.subarray(0, length))).toBeUndefined();
    const random = randomNumbers(1);
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)));
      expect(decodeRecord(KEY, bytes)).toBeUndefined();
    }
  });
});

describe(messagePack, () => {
  const codec = messagePack();

  it.each([
    ['dates', new Date(5)],
    ['maps', new Map<unknown, unknown>([[1, new Set(['a'])]])],
    ['big integers', 2n ** 80n],
    ['bytes', Buffer.from('bytes')],
    ['undefined in an object', { a: undefined, b: null }],
    ['regular expressions', /a+/gi],
    ['numbers that are none', [NaN, Infinity]],
  ])('keeps %s', (_, value) => {
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('keeps circles', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;

    const copy = codec.decode(codec.encode(circle)) as typeof circle;
    expect(copy.self).toBe(copy);
  });

  it('gives bytes out that do not keep the answer of Redis', () => {
    const answer = Buffer.concat([
      codec.encode({ bytes: Buffer.from('few') }),
      Buffer.alloc(10_000),
    ]);
    const { bytes } = codec.decode(answer.subarray(0, -10_000)) as { bytes: Buffer };

    expect(bytes.buffer).not.toBe(answer.buffer);
  });

  it('pollutes nothing', () => {
    const hostile = codec.encode(JSON.parse('{"__proto__":{"polluted":true}}'));
    const value = codec.decode(hostile) as object;

    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.assign({}, value)).not.toHaveProperty('polluted');
  });
});

describe(compress, () => {
  it('shortens what is long, and leaves what is short or does not shrink', () => {
    const long = Buffer.from('all the same '.repeat(1_000));
    const packed = compress(long) as Packed;
    expect(packed.isCompressed).toBe(true);
    expect(packed.bytes.length).toBeLessThan(long.length / 10);
    expect(decompress(packed, 1e6)).toEqual(long);

    expect(compress(Buffer.from('short'))).toMatchObject({ isCompressed: false });
    const random = randomNumbers(1);
    const noise = Buffer.from(Array.from({ length: 4_000 }, () => Math.floor(random() * 256)));
    expect(compress(noise)).toEqual({ bytes: noise, isCompressed: false });
  });

  it('has a thread do what takes long, both ways', async () => {
    const long = Buffer.from('all the same '.repeat(100_000));
    const packed = compress(long);
    expect(packed).toBeInstanceOf(Promise);
    expect((await packed).bytes.length).toBeLessThan(long.length / 10);

    const restored = decompress(await packed, long.length);
    expect(restored).toBeInstanceOf(Promise);
    expect(await restored).toEqual(long);
    expect(() => decompress({ bytes: Buffer.alloc(3), isCompressed: true }, 1e6)).toThrow('bounds');
  });

  it('refuses to make more of it than it may', async () => {
    const bomb = await compress(Buffer.alloc(1_000_000));

    expect(() => decompress(bomb, 999_999)).toThrow('larger than 999999 bytes');
  });

  it.each([1_000, 100_000])('makes no more of it than the %i bytes that it says', async (said) => {
    const { bytes } = await compress(Buffer.alloc(1_000_000));
    bytes.writeUInt32BE(said, 0);

    const made = async (): Promise<Buffer> => decompress({ bytes, isCompressed: true }, 1e9);
    await expect(made()).rejects.toThrow(`larger than ${said} bytes`);
  });
});
