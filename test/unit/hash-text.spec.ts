import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { hashText, randomSeed } from '../../lib/memory/hash.js';

describe(hashText.name, () => {
  it('is a whole number of 32 bits, with sign', () => {
    const wholeNumbers = (): void =>
      fc.assert(
        fc.property(fc.array(fc.nat(0xffff)), fc.integer(), (units, seed) => {
          const hash = hashText(String.fromCharCode(...units), seed);
          return hash === (hash | 0);
        }),
      );

    expect(wholeNumbers).not.toThrow();
  });

  it('is the same for equal texts, however they were built', () => {
    const built = ['a', 'b', 'c'].join('');

    expect(hashText(built, 5)).toBe(hashText('abc', 5));
  });

  it('depends on every character and on their order', () => {
    const hashes = ['abc', 'abd', 'bbc', 'acb', 'abc\u0001', '', 'a'].map((text) =>
      hashText(text, 1),
    );

    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('depends on the seed', () => {
    const hashes = Array.from({ length: 100 }, (_, seed) => hashText('key', seed));

    expect(new Set(hashes).size).toBe(100);
  });

  it('changes about half of its bits with one bit of the text', () => {
    const changed = Array.from({ length: 1_000 }, (_, key) => {
      const one = hashText(`key-${key}`, 0);
      const other = hashText(`key-${key}`.replace('k', 'j'), 0);
      return bitsOf(one ^ other);
    });

    const mean = changed.reduce((sum, bits) => sum + bits, 0) / changed.length;
    expect(mean).toBeGreaterThan(15);
    expect(mean).toBeLessThan(17);
  });
});

/** Seeds whose bits are special: 0, 1, the golden ratio and what is near them. */
const SPECIAL_SEEDS = [0, 0x9e3779b1].flatMap((seed) =>
  [0, 1, 2, 3, -1, 0x8000, 0x10000, 0x1000000, 0x80000000].map((bits) => (seed ^ bits) | 0),
);

describe(`${hashText.name}: seeds`, () => {
  it.each(SPECIAL_SEEDS)('tells 20,000 keys apart with the seed %p', (seed) => {
    const hashes = new Set(Array.from({ length: 20_000 }, (_, key) => hashText(`k-${key}`, seed)));

    expect(hashes.size).toBeGreaterThan(19_990);
  });

  it('let keys that collide under one not collide under another', () => {
    const pairs = collisionsUnder(1);
    const others = [
      ...range(100).map((step) => 1 + step * 128),
      ...range(100).map((step) => step * 7_919),
    ];

    const still = others.filter((seed) =>
      pairs.some(([one, other]) => hashText(one, seed) === hashText(other, seed)),
    );

    expect(pairs.length).toBeGreaterThan(2);
    expect(still).toEqual([]);
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Pairs of keys of one length with the same hash; by the birthday paradox there are some. */
function collisionsUnder(seed: number): [string, string][] {
  const byHash = new Map<number, string>();
  const pairs: [string, string][] = [];
  for (let key = 100_000; key < 400_000; key++) {
    const text = `key-${key}`;
    const hash = hashText(text, seed);
    const other = byHash.get(hash);
    if (other !== undefined) pairs.push([other, text]);
    byHash.set(hash, text);
  }
  return pairs;
}

describe(randomSeed.name, () => {
  it('is a whole number of 32 bits and not always the same', () => {
    const seeds = Array.from({ length: 20 }, () => randomSeed());

    expect(seeds.map((seed) => seed | 0)).toEqual(seeds);
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });
});

function bitsOf(hash: number): number {
  return (hash >>> 0).toString(2).replaceAll('0', '').length;
}

describe(`${hashText.name}: texts made to collide`, () => {
  it('do not collide under every seed', () => {
    const pairs = Array.from({ length: 12 }, (_, bit) => bit);
    const texts = Array.from({ length: 4_096 }, (_, index) =>
      pairs.map((bit) => (((index >> bit) & 1) === 1 ? 'Aa' : 'BB')).join(''),
    );

    for (const seed of [0, 1, -1, 12_345, 0x9e3779b1]) {
      const hashes = new Set(texts.map((text) => hashText(text, seed)));
      expect(hashes.size).toBeGreaterThan(4_080);
    }
  });
});
