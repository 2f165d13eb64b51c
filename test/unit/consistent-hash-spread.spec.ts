import { describe, expect, it } from '@jest/globals';
import { ConsistentHash } from '../../lib/memory/consistent-hash.js';
import type { Hash } from '../../lib/memory/hash.js';

// A global costs much more in Jest's realm than a constant of the module.
const { imul } = Math;

const KEYS = Array.from({ length: 10_000 }, (_, key) => `key-${key}`);
const NUM_SHARDS = 16;
/** One hundred seeds over the whole range, the same in every run and not chosen for their results. */
const SEEDS = Array.from({ length: 100 }, (_, index) => imul(index + 1, 0x9e3779b1));

/** FNV-1a without a final avalanche: known to load a ring unevenly. */
const unevenHash: Hash = (text, seed) => {
  let hash = seed ^ 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
};

/** Standard deviation of the shards' numbers of keys, as a share of their mean. */
function spreadOf(ring: ConsistentHash): number {
  const counts = Array.from({ length: ring.numShards }, () => 0);
  for (const key of KEYS) counts[ring.shardFor(key)]! += 1;
  const mean = KEYS.length / ring.numShards;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  return Math.sqrt(variance) / mean;
}

describe(`${ConsistentHash.name}: spread of keys`, () => {
  it('is under 10 % of the mean for 10,000 keys in 16 shards with the default seed', () => {
    expect(spreadOf(new ConsistentHash({ numShards: NUM_SHARDS }))).toBeLessThan(0.1);
  });

  it('has a median under 10 % over 100 seeds, and never more than 15 %', () => {
    const spreads = SEEDS.map((seed) =>
      spreadOf(new ConsistentHash({ numShards: NUM_SHARDS, seed })),
    ).toSorted((a, b) => a - b);

    expect((spreads[49]! + spreads[50]!) / 2).toBeLessThan(0.1);
    expect(spreads.at(-1)).toBeLessThanOrEqual(0.15);
  });

  it('is seen to be worse with a hash that has no avalanche (test of the test)', () => {
    const spreads = SEEDS.slice(0, 10).map((seed) =>
      spreadOf(new ConsistentHash({ numShards: NUM_SHARDS, seed, hash: unevenHash })),
    );

    expect(Math.max(...spreads)).toBeGreaterThan(0.15);
  });

  it('is even for keys that differ only at their end, at their start or in length', () => {
    const families = [
      (index: number) => `user:profile:settings:${index}`,
      (index: number) => `${index}:user`,
      (index: number) => 'x'.repeat(index % 500) + Math.floor(index / 500),
    ];

    const spreads = families.map((family) => {
      const ring = new ConsistentHash({ numShards: 4 });
      const counts = [0, 0, 0, 0];
      for (let index = 0; index < 10_000; index++) counts[ring.shardFor(family(index))]! += 1;
      return Math.max(...counts) / 2_500;
    });

    for (const largest of spreads) expect(largest).toBeLessThan(1.3);
  });
});

describe(`${ConsistentHash.name}: growing from 16 to 20 shards`, () => {
  const before = new ConsistentHash({ numShards: 16 });
  const after = new ConsistentHash({ numShards: 20 });
  const moved = KEYS.filter((key) => before.shardFor(key) !== after.shardFor(key));

  it('moves under 30 % of the keys, and not none', () => {
    expect(moved.length / KEYS.length).toBeLessThan(0.3);
    expect(moved.length / KEYS.length).toBeGreaterThan(0.1);
  });

  it('moves keys to new shards only', () => {
    expect(moved.filter((key) => after.shardFor(key) < 16)).toEqual([]);
  });

  it('moves four in five keys when shards are picked by remainder (test of the test)', () => {
    const remainder = (key: string, numShards: number): number => Number(key.slice(4)) % numShards;

    const share = KEYS.filter((key) => remainder(key, 16) !== remainder(key, 20)).length / 10_000;

    expect(share).toBeGreaterThan(0.3);
  });
});
