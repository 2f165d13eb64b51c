import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InvalidOptionsError } from '../../lib/errors.js';
import { ConsistentHash, type ConsistentHashOptions } from '../../lib/memory/consistent-hash.js';
import { hashText } from '../../lib/memory/hash.js';
import { ownerByScan, pointsOf, type RingPoint } from '../support/hash-ring.js';

const EDGES = [0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32 - 2];

/** The hashes that a ring gives to another shard than a full scan does. */
function misplaced(ring: ConsistentHash, points: RingPoint[], hashes: number[]): number[] {
  return hashes.filter((hash32) => ring.shardForHash(hash32) !== ownerByScan(points, hash32));
}

describe(ConsistentHash.name, () => {
  it('gives a key to the first point at or after its hash, as the eye sees on a small ring', () => {
    const places: Record<string, number> = {
      'shard-0#0': 100,
      'shard-1#0': 200,
      'shard-2#0': 300,
      'shard-0#1': 3_000_000_000,
      'shard-1#1': 50,
      'shard-2#1': 4_000_000_000,
    };
    // Both candidates of a point in one place, so that the ring has no choice.
    const hash = (text: string): number => places[text.replace('/2', '')] ?? Number(text);

    const ring = new ConsistentHash({ numShards: 3, virtualNodes: 2, hash });

    const shards = [0, 50, 51, 100, 101, 200, 299, 300, 301, 3_000_000_001, 4_000_000_001].map(
      (key) => ring.shardFor(String(key)),
    );
    expect(shards).toEqual([1, 1, 0, 0, 1, 1, 2, 2, 0, 2, 1]);
  });

  it('finds what a full scan of its ring finds, for any hash', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer(),
        fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), { maxLength: 50 }),
        (numShards, virtualNodes, seed, hashes) => {
          const options = { numShards, virtualNodes, seed, hash: hashText };
          const points = pointsOf(options);
          const ring = new ConsistentHash(options);
          const around = points.flatMap(({ position }) => [position - 1, position, position + 1]);
          expect(misplaced(ring, points, [...EDGES, ...hashes, ...around])).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds what a full scan finds where points crowd, meet and touch the ends of the ring', () => {
    const position = fc.oneof(
      fc.constantFrom(...EDGES),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 2 ** 30 - 2, max: 2 ** 30 + 2 }),
    );
    fc.assert(
      fc.property(
        fc.array(position, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (positions, numShards, virtualNodes) => {
          const hash = (text: string): number => positions[text.length % positions.length]!;
          const options = { numShards, virtualNodes, seed: 1, hash };
          const points = pointsOf(options);
          const ring = new ConsistentHash(options);
          expect(misplaced(ring, points, [...EDGES, ...positions, 2 ** 30, 2, 4])).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes a signed and an unsigned hash for the same', () => {
    const ring = new ConsistentHash({ numShards: 16 });

    const differing = Array.from({ length: 1_000 }, (_, key) => hashText(`key-${key}`, 1)).filter(
      (hash32) => ring.shardForHash(hash32) !== ring.shardForHash(hash32 >>> 0),
    );

    expect(differing).toEqual([]);
  });

  it('hashes keys with its own seed', () => {
    const ring = new ConsistentHash({ numShards: 16, seed: 99 });

    expect(ring.shardFor('key')).toBe(ring.shardForHash(hashText('key', 99)));
  });

  it('agrees with every other ring of the same options, and not with one of another seed', () => {
    const keys = Array.from({ length: 200 }, (_, key) => `key-${key}`);
    const shardsOf = (options: Partial<ConsistentHashOptions>): number[] => {
      const ring = new ConsistentHash({ numShards: 16, ...options });
      return keys.map((key) => ring.shardFor(key));
    };

    expect(shardsOf({})).toEqual(shardsOf({}));
    expect(shardsOf({ seed: 1 })).not.toEqual(shardsOf({}));
  });

  it('gives everything to the only shard', () => {
    const ring = new ConsistentHash({ numShards: 1, virtualNodes: 1 });

    expect(new Set(EDGES.map((hash32) => ring.shardForHash(hash32)))).toEqual(new Set([0]));
  });

  it('gives everything to one shard when every hash is the same', () => {
    const ring = new ConsistentHash({ numShards: 8, hash: () => 7 });

    const shards = new Set([ring.shardFor('a'), ring.shardFor('b'), ring.shardForHash(8)]);

    expect(shards).toEqual(new Set([0]));
  });
});

describe(`${ConsistentHash.name}: options`, () => {
  it.each([
    ['numShards', 0, '0'],
    ['numShards', -1, '-1'],
    ['numShards', 1.5, '1.5'],
    ['numShards', Number.NaN, 'NaN'],
    ['numShards', 5_000, '5000'],
    ['numShards', '8', '"8"'],
    ['numShards', undefined, 'undefined'],
  ])('refuse %s: %p', (_, numShards, shown) => {
    const make = (): unknown => new ConsistentHash({ numShards: numShards as number });

    expect(make).toThrow(InvalidOptionsError);
    expect(make).toThrow(`numShards: must be a whole number from 1 to 1024, got ${shown}`);
  });

  it.each([0, -1, 1.5, Number.NaN, 1_025, Infinity])('refuse virtualNodes: %p', (virtualNodes) => {
    const make = (): unknown => new ConsistentHash({ numShards: 2, virtualNodes });

    expect(make).toThrow(InvalidOptionsError);
    expect(make).toThrow(
      `virtualNodes: must be a whole number from 1 to 1024, got ${virtualNodes}`,
    );
  });

  it('refuse a seed that is not a 32-bit number and a hash that is not a function', () => {
    const make = (): unknown =>
      new ConsistentHash({ numShards: 2, seed: 2 ** 32, hash: 'fnv' as unknown as () => number });

    expect(make).toThrow(
      'ConsistentHash has 2 problems in its options:\n' +
        '  - seed: must be a whole number from -2147483648 to 4294967295, got 4294967296\n' +
        '  - hash: must be a function, got "fnv"',
    );
  });

  it('accept the largest and the smallest ring', () => {
    const largest = new ConsistentHash({ numShards: 1_024, virtualNodes: 1 });
    const smallest = new ConsistentHash({ numShards: 1, virtualNodes: 1 });

    expect([largest.numShards, smallest.numShards]).toEqual([1_024, 1]);
  });

  it('refuse a ring of more than 262,144 points', () => {
    const make = (): unknown => new ConsistentHash({ numShards: 1_024, virtualNodes: 257 });

    expect(make).toThrow(
      'virtualNodes: must be at most 256 for 1024 shards: a ring has at most 262144 points, got 257',
    );
  });

  it('report one problem once', () => {
    const make = (): unknown => new ConsistentHash({ numShards: -1 });

    expect(make).toThrow('ConsistentHash has 1 problem in its options:');
  });
});
