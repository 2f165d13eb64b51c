import { beforeEach, describe, expect, it } from '@jest/globals';
import { MapTable } from '../../lib/memory/map-table.js';

const NEVER = Infinity;
/** The hand passes at most this many used rows in one eviction. */
const HAND_STEPS = 128;

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

describe(MapTable.name, () => {
  it('finds what was inserted, with its deadline and facts', () => {
    const facts = { order: 3, bornAt: 5, tags: ['tag'] };
    table.insert('key', { value: 7, deadline: 9, facts });

    expect(table.read('key')).toMatchObject({ value: 7, deadline: 9, facts });
    expect(table.peek('key')).toMatchObject({ value: 7, deadline: 9, facts });
    expect(table.size).toBe(1);
  });

  it('replaces only what is there', () => {
    const absent = table.replace('key', { value: 1, deadline: 2, facts: undefined });
    insert('key');
    const there = table.replace('key', { value: 5, deadline: 6, facts: undefined });

    expect([absent, there]).toEqual([false, true]);
    expect(table.peek('key')).toMatchObject({ value: 5, deadline: 6 });
    expect(table.size).toBe(1);
  });

  it('lets go of the facts of what it replaces', () => {
    table.insert('key', { value: 1, deadline: 2, facts: { order: 1, bornAt: 1, tags: ['a'] } });
    table.replace('key', { value: 1, deadline: 2, facts: undefined });

    expect(table.peek('key')?.facts).toBeUndefined();
  });

  it('keeps nothing of an entry object that it was given', () => {
    const entry = { value: 1, deadline: 2, facts: undefined };
    table.insert('key', entry);

    entry.value = 99;

    expect(table.peek('key')?.value).toBe(1);
  });

  it('tells whether it deleted something', () => {
    insert('key');

    expect([table.delete('key'), table.delete('key'), table.size]).toEqual([true, false, 0]);
  });

  it('is empty after it was cleared, and takes new rows', () => {
    insertMany(3);
    table.clear();
    const cleared = [table.size, table.earliestDeadline];
    insert('new', 5);

    expect(cleared).toEqual([0, NEVER]);
    expect(keysLeft()).toEqual(['new']);
    expect(table.evict(0)).toBe('evicted');
  });
});

describe(`${MapTable.name}: eviction`, () => {
  it('takes the oldest row that nobody used', () => {
    insertMany(3);

    expect(table.evict(0)).toBe('evicted');
    expect(keysLeft()).toEqual(['key-1', 'key-2']);
  });

  it('gives a row that was read a second chance', () => {
    insertMany(3);
    table.read('key-0');

    table.evict(0);

    expect(keysLeft()).toEqual(['key-2', 'key-0']);
  });

  it('gives a row that was replaced a second chance', () => {
    insertMany(2);
    table.replace('key-0', { value: 2, deadline: NEVER, facts: undefined });

    table.evict(0);

    expect(keysLeft()).toEqual(['key-0']);
  });

  it('gives no second chance for a peek', () => {
    insertMany(2);
    table.peek('key-0');

    table.evict(0);

    expect(keysLeft()).toEqual(['key-1']);
  });

  it('takes a row at its second turn that was not used since the first', () => {
    insertMany(2);
    table.read('key-0');
    table.evict(0);
    insert('new');

    table.evict(0);

    expect(keysLeft()).toEqual(['new']);
  });

  it('ends when all rows are used, and takes one with each eviction', () => {
    insertMany(2);
    table.read('key-0');
    table.read('key-1');

    const evictions = [table.evict(0), table.evict(0)];

    expect(evictions).toEqual(['evicted', 'evicted']);
    expect(table.size).toBe(0);
  });

  it('takes an expired row before it gives a chance, and says so', () => {
    insertMany(1, 10);
    insert('other');
    table.read('key-0');

    expect(table.evict(10)).toBe('expired');
    expect(keysLeft()).toEqual(['other']);
  });

  it('takes a row for expired only from its deadline on', () => {
    insertMany(1, 10);

    expect(table.evict(9)).toBe('evicted');
  });

  it('has nothing to take from an empty table', () => {
    const empty = table.evict(0);
    insertMany(1);
    table.delete('key-0');

    expect([empty, table.evict(0)]).toEqual([undefined, undefined]);
  });

  it('goes on after the hand ran off the end of an emptied table', () => {
    insertMany(2);
    table.evict(0);
    table.evict(0);
    table.evict(0);
    insertMany(2);

    expect(table.evict(0)).toBe('evicted');
    expect(keysLeft()).toEqual(['key-1']);
  });

  it('ends when every row is used, whatever their deadlines', () => {
    const keys = insertMany(10);
    for (const key of keys) table.read(key);

    expect(table.evict(0)).toBe('evicted');
    expect(table.size).toBe(9);
  });

  it('looks at a bounded number of used rows', () => {
    const keys = insertMany(10 * HAND_STEPS);
    for (const key of keys) table.read(key);

    table.evict(0);

    expect(keysLeft()[0]).toBe(keys[HAND_STEPS + 1]);
    expect(table.peek(keys[HAND_STEPS]!)).toBeUndefined();
  });

  it('takes every row in the end, each once', () => {
    const keys = insertMany(300);
    for (const key of keys.slice(0, 150)) table.read(key);
    let evicted = 0;
    while (table.evict(0) !== undefined) evicted += 1;

    expect([evicted, table.size]).toEqual([300, 0]);
  });
});
