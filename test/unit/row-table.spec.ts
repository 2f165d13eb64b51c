import { describe, expect, it } from '@jest/globals';
import { hashText, spreadOf } from '../../lib/memory/hash.js';
import { RowTable, WALK_END } from '../../lib/memory/row-table.js';
import type { Segment } from '../../lib/memory/segment.js';
import { segmentProblems } from '../support/table-structure.js';

const owner = { hearsEach: false, noteLeaving: () => {}, noteExpired: () => {} };

function open(expectedRows = Infinity): RowTable<number> {
  return new RowTable({ expectedRows, owner, ownerOf: () => owner }, 0);
}

function spreadOfKey(id: number): number {
  return spreadOf(hashText(`key-${id}`, 1));
}

/** Adds a key; returns whether there was room. */
function add(table: RowTable<number>, id: number, spread = spreadOfKey(id)): boolean {
  const segment = table.segmentWithRoom(spread, 0);
  segment?.addPlain(`key-${id}`, spread, id, Infinity, 0);
  return segment !== undefined;
}

function has(table: RowTable<number>, id: number, spread = spreadOfKey(id)): boolean {
  return table.segmentOf(spread).find(`key-${id}`, spread) >= 0;
}

function walk(table: RowTable<number>, each: (segment: Segment<number>) => void): void {
  for (let position = 0; position < WALK_END;) {
    const segment = table.segmentAt(position);
    position = table.positionAfter(position);
    each(segment);
  }
}

describe(RowTable.name, () => {
  it('splits its segments as it grows, and finds every key again', () => {
    const table = open();
    for (let id = 0; id < 60_000; id++) add(table, id);

    const lost = Array.from({ length: 60_000 }, (_, id) => id).filter((id) => !has(table, id));

    expect(lost).toEqual([]);
    expect(table.segments.length).toBeGreaterThan(14);
    expect(table.segments.filter(({ live }) => live > 4_096)).toEqual([]);
    expect(table.segments.flatMap((segment) => segmentProblems(segment))).toEqual([]);
  });

  it('begins with the segments that it will need, and leaves them so', () => {
    const table = open(20_000);
    const before = table.segments.length;
    for (let id = 0; id < 20_000; id++) add(table, id);

    expect([before, table.segments.length]).toEqual([8, 8]);
    expect(Math.max(...table.segments.map(({ capacity }) => capacity))).toBeLessThan(2_900);
  });

  it('does not begin with more than 256, however many entries it expects', () => {
    expect(open(2 ** 30).segments).toHaveLength(256);
  });

  it('tells keys apart that share many low bits', () => {
    const table = open();
    const spreads = Array.from({ length: 10_000 }, (_, id) => Math.imul(id, 0x9e3779b1) & ~0x1c);
    for (const [id, spread] of spreads.entries()) add(table, id, spread);

    expect(spreads.filter((spread, id) => !has(table, id, spread))).toEqual([]);
    expect(table.segments.filter(({ live }) => live > 4_096)).toEqual([]);
  });

  it('keeps keys of one hash together up to the hard limit of a segment', () => {
    const table = open();
    // Slots are taken in a row: adding one by one would take a minute, so they differ in the home.
    const spreadOfId = (id: number): number => ((id * 131_071) << 8) | 0;
    let added = 0;
    while (added < 40_000 && add(table, added, spreadOfId(added))) added += 1;

    expect(added).toBe(32_766);
    expect(has(table, 32_765, spreadOfId(32_765))).toBe(true);
  });

  it('walks over every segment once', () => {
    const table = open();
    for (let id = 0; id < 30_000; id++) add(table, id);
    const seen: Segment<number>[] = [];
    walk(table, (segment) => seen.push(segment));

    expect(new Set(seen)).toEqual(new Set(table.segments));
    expect(seen).toHaveLength(table.segments.length);
  });

  it('walks past every key once, also when segments split on the way', () => {
    const table = open();
    for (let id = 0; id < 20_000; id++) add(table, id);
    const seen: string[] = [];
    let next = 20_000;
    for (const key of table.keys()) {
      if (Number(key.slice(4)) < 20_000) seen.push(key);
      for (let more = 0; more < 3; more++) add(table, next++);
    }

    expect(new Set(seen).size).toBe(20_000);
    expect(seen).toHaveLength(20_000);
  });

  it('finds a segment with an entry to give away, each in turn', () => {
    const table = open(20_000);
    const none = table.nextDonor();
    for (let id = 0; id < 1_000; id++) add(table, id);
    const donors = table.segments.map(() => table.nextDonor());

    expect(none).toBeUndefined();
    expect(new Set(donors)).toEqual(new Set(table.segments));
  });

  it('drops everything at once and hands the old segments out', () => {
    const table = open();
    for (let id = 0; id < 10_000; id++) add(table, id);
    const dropped = table.clear(0);
    add(table, 1);

    expect(dropped.reduce((sum, { live }) => sum + live, 0)).toBe(10_000);
    expect([has(table, 0), has(table, 1), table.segments.length]).toEqual([false, true, 1]);
  });
});
