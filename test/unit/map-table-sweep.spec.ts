import { beforeEach, describe, expect, it } from '@jest/globals';
import { MapTable } from '../../lib/memory/map-table.js';

const NEVER = Infinity;

let table: MapTable<number>;

beforeEach(() => {
  table = new MapTable();
});

function insert(key: string, deadline = NEVER): void {
  table.insert(key, { value: 1, deadline, facts: undefined });
}

function insertMany(count: number, deadline = NEVER): string[] {
  const keys = Array.from({ length: count }, (_, index) => `key-${index}`);
  for (const key of keys) insert(key, deadline);
  return keys;
}

function keysLeft(): string[] {
  return Array.from(table.entries(), ([key]) => key);
}

describe(`${MapTable.name}: sweep`, () => {
  const deadAt = (now: number) => (_: string, entry: { deadline: number }) => entry.deadline <= now;

  it('removes the dead rows and leaves the others', () => {
    insert('dead', 5);
    insert('alive', 6);
    table.beginSweep(deadAt(5));

    expect(table.sweepRows(10)).toEqual({ removed: 1, done: true });
    expect(keysLeft()).toEqual(['alive']);
  });

  it('looks at no more rows than it is told to, and goes on from there', () => {
    insertMany(10, 5);
    table.beginSweep(deadAt(5));

    const steps = [table.sweepRows(4), table.sweepRows(4), table.sweepRows(4)];

    expect(steps).toEqual([
      { removed: 4, done: false },
      { removed: 4, done: false },
      { removed: 2, done: true },
    ]);
  });

  it('does nothing when none was begun', () => {
    insertMany(2, 5);

    expect(table.sweepRows(10)).toEqual({ removed: 0, done: true });
    expect(table.size).toBe(2);
  });

  it('asks about rows by their key', () => {
    insertMany(3);
    table.beginSweep((key) => key === 'key-1');
    table.sweepRows(10);

    expect(keysLeft()).toEqual(['key-0', 'key-2']);
  });

  it('does not go on for ever when rows are added in between', () => {
    insertMany(10);
    table.beginSweep(deadAt(5));
    let steps = 0;
    for (let done = false; !done && steps < 100; steps++) {
      insert(`added-${steps}`);
      insert(`added-too-${steps}`);
      ({ done } = table.sweepRows(1));
    }

    expect(steps).toBeLessThan(15);
  });

  it('sees every dead row though rows are read, moved and evicted in between', () => {
    insertMany(50, 5);
    for (let row = 0; row < 50; row++) insert(`alive-${row}`);
    table.beginSweep(deadAt(5));
    for (let done = false, round = 0; !done; round++) {
      table.read(`alive-${round}`);
      table.evict(0);
      insert(`added-${round}`);
      ({ done } = table.sweepRows(7));
    }

    expect(keysLeft().filter((key) => key.startsWith('key-'))).toEqual([]);
  });

  it('ends with the table it was begun for', () => {
    insertMany(10, 5);
    table.beginSweep(deadAt(5));
    table.sweepRows(2);
    table.clear();
    insertMany(3, 5);

    expect(table.sweepRows(10)).toEqual({ removed: 0, done: true });
    expect(table.size).toBe(3);
  });

  it('begins from the first row when it is begun anew', () => {
    insertMany(4, 5);
    table.beginSweep(deadAt(0));
    table.sweepRows(2);
    table.beginSweep(deadAt(5));

    expect(table.sweepRows(10)).toEqual({ removed: 4, done: true });
  });
});

describe(`${MapTable.name}: earliest deadline`, () => {
  const nothingIsDead = (): boolean => false;

  it('is never later than that of a row', () => {
    insert('a', 9);
    insert('b', 5);
    insert('c');
    const inserted = table.earliestDeadline;
    table.replace('c', { value: 1, deadline: 2, facts: undefined });

    expect([inserted, table.earliestDeadline]).toEqual([5, 2]);
  });

  it('is infinite in an empty table and in one whose rows never expire', () => {
    const empty = table.earliestDeadline;
    insertMany(3);

    expect([empty, table.earliestDeadline]).toEqual([NEVER, NEVER]);
  });

  it('is found anew by a whole sweep', () => {
    insert('a', 5);
    insert('b', 9);
    table.delete('a');
    const before = table.earliestDeadline;
    table.beginSweep(nothingIsDead);
    table.sweepRows(10);

    expect([before, table.earliestDeadline]).toEqual([5, 9]);
  });

  it('holds during a sweep and after one that was begun anew', () => {
    insertMany(4, 5);
    table.beginSweep(nothingIsDead);
    table.sweepRows(2);
    const during = table.earliestDeadline;
    table.beginSweep(nothingIsDead);
    const anew = table.earliestDeadline;
    table.sweepRows(10);

    expect([during, anew, table.earliestDeadline]).toEqual([5, 5, 5]);
  });

  it('counts rows that come while a sweep is under way', () => {
    insertMany(4, 9);
    table.beginSweep(nothingIsDead);
    table.sweepRows(2);
    insert('new', 3);
    table.sweepRows(10);

    expect(table.earliestDeadline).toBe(3);
  });

  it('counts a row that an eviction moved out of the sight of a sweep', () => {
    insertMany(2, 20);
    insert('moved', 7);
    insert('evicted');
    table.beginSweep(nothingIsDead);
    table.sweepRows(2);
    for (const key of ['key-0', 'key-1', 'moved']) table.read(key);
    table.evict(0);
    table.sweepRows(10);

    expect(table.earliestDeadline).toBeLessThanOrEqual(7);
  });
});
