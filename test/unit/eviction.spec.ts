import { describe, expect, it } from '@jest/globals';
import { Eviction } from '../../lib/memory/eviction.js';
import { Segment } from '../../lib/memory/segment.js';
import { addRow, findRow, openSegment, spreadOfId } from '../support/segments.js';
import { segmentProblems } from '../support/table-structure.js';

function fill(rows: number, deadline = Infinity): Segment<number> {
  const segment = openSegment(rows);
  for (let id = 0; id < rows; id++) addRow(segment, id, deadline);
  return segment;
}

/** Adds an entry to a full segment as a table does; returns the id that went. */
function replaceOne(segment: Segment<number>, id: number, now = 0): number {
  segment.openEviction();
  segment.noteMiss(spreadOfId(id));
  const row = segment.chooseVictim(now);
  const gone = segment.valueAt(row);
  segment.evict(row);
  addRow(segment, id, Infinity, now);
  return gone;
}

describe(Eviction.name, () => {
  it.each([1, 2, 3, 7, 100])('goes on for ever with %p rows, used or not', (rows) => {
    const segment = fill(rows);
    for (let id = rows; id < 10 * rows + 50; id++) {
      for (let row = 0; row < rows; row++) segment.touch(row);
      replaceOne(segment, id);
    }

    expect(segment.live).toBe(rows);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('finds nothing in a segment whose entries are all gone', () => {
    const segment = fill(20);
    segment.openEviction();
    for (let row = 0; row < 20; row++) segment.remove(row);

    expect([segment.chooseVictim(0), segment.chooseVictim(0)]).toEqual([-1, -1]);
  });

  it('takes the oldest of the window when nothing speaks for it', () => {
    const segment = fill(100);
    const gone = [100, 101, 102].map((id) => replaceOne(segment, id));

    // A quarter, and at least 32 rows where that is less: rows 75 to 99 are the window of 100.
    expect(gone).toEqual([75, 76, 77]);
  });

  it('keeps an entry that was read while it was new, in place of a little used one', () => {
    const segment = fill(100);
    segment.touch(75);
    const gone = replaceOne(segment, 100);

    expect([gone, findRow(segment, 75), findRow(segment, 100)]).toEqual([0, 0, 75]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('keeps an entry whose key was asked for more often than the victim', () => {
    const segment = fill(100);
    segment.openEviction();
    for (let time = 0; time < 3; time++) segment.noteMiss(spreadOfId(75) | 3);
    const gone = replaceOne(segment, 100);

    expect([gone, findRow(segment, 75) >= 0]).toEqual([0, true]);
  });

  it('passes entries in use, once for each use', () => {
    const segment = fill(100);
    for (const row of [0, 1, 3]) segment.touch(row);
    for (const row of [75, 76, 77]) segment.touch(row);
    const gone = [100, 101, 102].map((id) => replaceOne(segment, id));

    expect(gone).toEqual([2, 4, 5]);
    expect([0, 1, 3].map((row) => segment.usesOf(row))).toEqual([0, 0, 0]);
  });

  it('passes at most 128 entries, and takes the next whatever its uses', () => {
    const segment = fill(1_000);
    for (let row = 0; row < 1_000; row++) for (let use = 0; use < 3; use++) segment.touch(row);
    const gone = replaceOne(segment, 1_000);

    expect(gone).toBe(128);
  });

  it('takes expired entries first, wherever it comes across them', () => {
    const segment = openSegment(100);
    for (let id = 0; id < 100; id++) addRow(segment, id, id === 0 || id === 75 ? 10 : Infinity);
    segment.touch(76);
    for (let use = 0; use < 3; use++) segment.touch(0);

    expect([replaceOne(segment, 100, 10), replaceOne(segment, 101, 10)]).toEqual([75, 0]);
  });

  it('does not let a scan displace what is in use', () => {
    const segment = fill(200);
    const hot = Array.from({ length: 100 }, (_, id) => id);
    for (let id = 200; id < 5_000; id++) {
      if (id % 50 === 0) for (const key of hot) segment.touch(findRow(segment, key));
      replaceOne(segment, id);
    }

    expect(hot.filter((id) => findRow(segment, id) < 0)).toEqual([]);
  });

  it('goes on when the segment grows, and when its rows move together', () => {
    const segment = fill(100);
    replaceOne(segment, 100);
    segment.reallocate(300);
    for (let id = 101; id < 301; id++) addRow(segment, id);
    for (let id = 301; id < 400; id++) replaceOne(segment, id);
    for (let row = 0; row < 250; row++) segment.remove(row);
    segment.reallocate(50);
    for (let id = 400; id < 600; id++) replaceOne(segment, id);

    expect(segment.live).toBe(50);
    expect(segmentProblems(segment)).toEqual([]);
  });
});
