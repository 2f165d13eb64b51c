import { describe, expect, it } from '@jest/globals';
import { hashText, spreadOf } from '../../lib/memory/hash.js';
import { RowTable } from '../../lib/memory/row-table.js';
import { SegmentDirectory } from '../../lib/memory/segment-directory.js';

const owner = { hearsEach: false, noteLeaving: () => {}, noteExpired: () => {} };

function open(expectedRows = Infinity): RowTable<number> {
  return new RowTable({ expectedRows, owner, ownerOf: () => owner }, 0);
}

const spreads = Array.from({ length: 30_000 }, (_, id) => spreadOf(hashText(`key-${id}`, 1)));

function add(table: RowTable<number>, id: number): void {
  const spread = spreads[id]!;
  table.segmentWithRoom(spread, 0)!.addPlain(`key-${id}`, spread, id, Infinity, 0);
}

/** How many of the keys are looked for elsewhere than where their table has them. */
function misled(directory: SegmentDirectory<number>, tables: readonly RowTable<number>[]): number {
  return spreads.filter((spread) =>
    tables.some((table, shard) => directory.segmentOf(shard, spread) !== table.segmentOf(spread)),
  ).length;
}

describe(SegmentDirectory.name, () => {
  it('leads where the tables do, however differently they have split', () => {
    const tables = [open(), open(10_000), open()];
    const directory = new SegmentDirectory(tables);
    for (let id = 0; id < 30_000; id++) {
      add(tables[0]!, id);
      if (id < 6_000) add(tables[2]!, id);
    }

    expect(tables.map(({ places }) => places.length)).toEqual([8, 4, 2]);
    expect(misled(directory, tables)).toBe(0);
  });

  it('follows a table that is shared by shards for each of them', () => {
    const shared = open();
    const tables = [shared, open(), shared];
    const directory = new SegmentDirectory(tables);
    for (let id = 0; id < 30_000; id++) add(shared, id);

    expect(misled(directory, tables)).toBe(0);
  });

  it('knows the new segments after a table was cleared', () => {
    const tables = [open(), open()];
    const directory = new SegmentDirectory(tables);
    for (let id = 0; id < 30_000; id++) add(tables[1]!, id);
    for (const table of tables) table.clear(0);

    expect(misled(directory, tables)).toBe(0);
    expect(directory.segmentOf(1, spreads[0]!).live).toBe(0);
  });

  it('leaves a table to the directory that was made last', () => {
    const kept = open();
    const before = new SegmentDirectory([kept]);
    const after = new SegmentDirectory([open(), kept]);
    for (let id = 0; id < 30_000; id++) add(kept, id);

    expect(after.segmentOf(1, spreads[0]!)).toBe(kept.segmentOf(spreads[0]!));
    expect(misled(before, [kept])).toBeGreaterThan(0);
  });
});
