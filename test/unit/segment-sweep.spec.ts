import { describe, expect, it } from '@jest/globals';
import { sweepSegment } from '../../lib/memory/segment-sweep.js';
import { addRow, findRow, openSegment } from '../support/segments.js';
import { segmentProblems } from '../support/table-structure.js';

const AT_TEN = { now: 10, admits: undefined };

function fill(dead: number, alive: number) {
  const segment = openSegment(dead + alive);
  for (let id = 0; id < dead + alive; id++) {
    // Dead ones in between: every removal has neighbours.
    addRow(segment, id, (id * dead) % (dead + alive) < dead ? 10 : 20);
  }
  return segment;
}

describe(sweepSegment.name, () => {
  it.each([
    ['all', 100, 0],
    ['many', 50, 50],
    ['few', 3, 197],
    ['none', 0, 100],
  ])('removes what has expired and nothing else: %s', (_, dead, alive) => {
    const segment = fill(dead, alive);
    const ids = Array.from({ length: dead + alive }, (__, id) => id);
    const living = ids.filter((id) => segment.deadlineAt(findRow(segment, id)) > 10);
    const removed = sweepSegment(segment, AT_TEN, undefined);

    expect([removed, segment.live]).toEqual([dead, alive]);
    expect(ids.filter((id) => findRow(segment, id) >= 0)).toEqual(living);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('knows afterwards when the next entry expires', () => {
    const segment = fill(10, 10);
    const before = segment.earliestDeadline;
    sweepSegment(segment, AT_TEN, undefined);
    const after = segment.earliestDeadline;
    sweepSegment(segment, { now: 20, admits: undefined }, undefined);

    expect([before, after, segment.earliestDeadline]).toEqual([10, 20, Infinity]);
  });

  it('tells of each dead row once, before it goes', () => {
    const segment = fill(4, 96);
    const told: string[] = [];
    sweepSegment(segment, AT_TEN, (row) => told.push(segment.keyAt(row)));

    expect(new Set(told).size).toBe(4);
    expect(told).toHaveLength(4);
  });

  it('asks about entries with facts, and about no others', () => {
    const segment = openSegment(4);
    const facts = { order: 1, bornAt: 0, tags: ['a'] };
    addRow(segment, 0);
    segment.add({ key: 'key-1', spread: 4, value: 1, deadline: 20, facts, weight: 0 }, 0);
    const asked: string[] = [];
    const admits = (key: string): boolean => asked.push(key) === 0;

    expect([sweepSegment(segment, { now: 10, admits }, undefined), asked]).toEqual([1, ['key-1']]);
  });

  it('does not remove what was written anew, or was removed before', () => {
    const segment = fill(2, 0);
    segment.overwritePlain(0, 7, 30, 5);
    segment.remove(1);

    expect([sweepSegment(segment, AT_TEN, undefined), segment.valueAt(0)]).toEqual([0, 7]);
  });

  it('gives arrays back that have become far too large', () => {
    const segment = openSegment(1_000);
    for (let id = 0; id < 1_000; id++) addRow(segment, id, id < 900 ? 10 : 20);
    sweepSegment(segment, AT_TEN, undefined);
    const left = Array.from({ length: 100 }, (_, id) => findRow(segment, 900 + id));

    expect(segment.capacity).toBe(200);
    expect(left.toSorted((a, b) => a - b)).toEqual(left);
    expect(left).not.toContain(-1);
    expect(segmentProblems(segment)).toEqual([]);
  });
});
