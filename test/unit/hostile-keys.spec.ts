import { describe, expect, it } from '@jest/globals';
import { hashText, spreadOf } from '../../lib/memory/hash.js';
import { RowTable } from '../../lib/memory/row-table.js';

/** Keys that an attacker has chosen: they all begin their search at one slot under this seed. */
const KNOWN_SEED = 12_345;
const KEYS = 1_000;

function keysMadeFor(seed: number): string[] {
  const keys: string[] = [];
  for (let number = 0; keys.length < KEYS; number++) {
    const key = `session:${number}`;
    // Ten bits choose one of 1,024 places: home slots, and segments too.
    if (spreadOf(hashText(key, seed)) >>> 22 === 0) keys.push(key);
  }
  return keys;
}

/** How many other slots a search for each of the keys has to look at, in the mean. */
function meanDetour(keys: readonly string[], seed: number): number {
  const owner = { hearsEach: false, noteLeaving: () => {}, noteExpired: () => {} };
  const options = { expectedRows: 2_000, owner, ownerOf: () => owner };
  const table = new RowTable<number>(options, 0);
  for (const key of keys) {
    const spread = spreadOf(hashText(key, seed));
    const segment = table.segmentWithRoom(spread, 0)!;
    segment.add({ key, spread, value: 1, deadline: Infinity, facts: undefined, weight: 0 }, 0);
  }
  let detours = 0;
  for (const segment of table.segments) {
    const { words, indexAt, slots, shift } = segment.layout();
    for (let slot = 0; slot < slots; slot++) {
      const word = words[indexAt + slot]!;
      if (word !== 0) detours += (slot - (word >>> shift) + slots) % slots;
    }
  }
  return detours / keys.length;
}

describe('keys made against one seed', () => {
  const keys = keysMadeFor(KNOWN_SEED);

  it('make every search under that seed a long one (test of the test)', () => {
    expect(meanDetour(keys, KNOWN_SEED)).toBeGreaterThan(KEYS / 4);
  });

  it.each([0, 1, -1, KNOWN_SEED + 1, KNOWN_SEED ^ 0x8000_0000, 0x5eed])(
    'cost no more than others under the seed %p',
    (seed) => {
      expect(meanDetour(keys, seed)).toBeLessThan(1.5);
    },
  );
});
