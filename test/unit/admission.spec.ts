import { describe, expect, it } from '@jest/globals';
import type { Hash } from '../../lib/memory/hash.js';
import { Admission } from '../../lib/memory/admission.js';
import { ShardedTable } from '../../lib/memory/sharded-table.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { structureProblems } from '../support/table-structure.js';

const SEED = 1;
const MULTIPLIER = 0x9e3779b1;
/** What a spread has to be multiplied by for the hash that it comes from. */
const INVERSE = Array.from({ length: 5 }).reduce<number>(
  (inverse) => Math.imul(inverse, 2 - Math.imul(MULTIPLIER, inverse)),
  MULTIPLIER,
);

/** Keys `<bits>:<id>`, whose spread has these bits for its segment and others of its own above. */
const hashOfSegmentBits: Hash = (key) => {
  const [bits, id] = key.split(':').map(Number);
  const home = Math.imul((id ?? 0) + 1, MULTIPLIER) >>> 12;
  return Math.imul((home << 12) | ((bits ?? 0) << 2), INVERSE);
};

describe(Admission.name, () => {
  it('makes room in the segment that a key has after a split that was not enough', () => {
    const table = new ShardedTable<number>({
      ring: { numShards: 1, virtualNodes: 1, seed: SEED, hash: hashOfSegmentBits },
      maxEntries: Infinity,
      maxWorkers: 1,
      clock: new SteppedClock(),
    });
    let id = 0;
    const put = (bits: number): string => {
      const key = `${bits}:${id++}`;
      table.write(key, id, Infinity);
      return key;
    };
    for (let count = 0; count < 4_097; count++) put(count % 2 === 0 ? 0 : 8);
    const full = table.tables[0]!;
    const alike: string[] = [];
    while (full.segmentOf(0).live < 32_766) alike.push(put(0));
    for (const key of alike.slice(0, 6_000)) table.delete(key);
    for (let count = 0; count < 6_000; count++) put(128);

    const lost = Array.from({ length: 20 }, () => put(0)).filter(
      (key) => table.peek(key) === undefined,
    );

    expect(lost).toEqual([]);
    expect(structureProblems(table, { hash: hashOfSegmentBits, seed: SEED })).toEqual([]);
  });
});
