import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheShard } from '../../lib/memory/cache-shard.js';
import type { EntryFacts } from '../../lib/memory/entry-table.js';

const HASH = 7;
const FACTS: EntryFacts = { order: 1, bornAt: 0, tags: ['tag'] };

let stamps: { order: number; admits(): boolean };
let count: { entries: number };
let shard: CacheShard<number>;

beforeEach(() => {
  stamps = { order: 0, admits: () => stamps.order === 0 };
  count = { entries: 0 };
  shard = new CacheShard<number>(count, stamps);
});

afterEach(() => {
  expect(count.entries).toBe(shard.size);
});

function invalidate(): void {
  stamps.order += 1;
}

function insert(key: string, deadline = Infinity, facts?: EntryFacts): void {
  shard.insert(key, { value: 1, deadline, facts }, HASH);
}

describe(CacheShard.name, () => {
  it('counts reads that find something and reads that do not', () => {
    insert('key', 10);
    const found = shard.read('key', HASH, 9)?.value;
    const absent = shard.read('absent', HASH, 9);

    expect([found, absent]).toEqual([1, undefined]);
    expect(shard.getMetrics()).toMatchObject({ hits: 1, misses: 1, expired: 0 });
  });

  it('removes an entry that a read finds expired, at its very deadline', () => {
    insert('key', 10);

    expect(shard.read('key', HASH, 10)).toBeUndefined();
    expect(shard.getMetrics()).toMatchObject({ size: 0, misses: 1, expired: 1 });
  });

  it('finds nothing expired at a peek, and moves and counts nothing', () => {
    insert('key', 10);
    const alive = shard.peek('key', HASH, 9)?.value;
    const expired = shard.peek('key', HASH, 10);

    expect([alive, expired]).toEqual([1, undefined]);
    expect(shard.getMetrics()).toMatchObject({ size: 1, hits: 0, misses: 0, expired: 0 });
  });

  it('counts what is stored, new or in place of another', () => {
    const absent = shard.replace('key', { value: 1, deadline: 9, facts: undefined }, HASH);
    insert('key');
    const there = shard.replace('key', { value: 2, deadline: 9, facts: undefined }, HASH);

    expect([absent, there]).toEqual([false, true]);
    expect(shard.getMetrics()).toMatchObject({ size: 1, sets: 2 });
  });

  it('counts deletes of live entries, and what it drops itself not at all', () => {
    insert('live');
    insert('expired', 10);
    insert('dropped');

    const deleted = ['live', 'expired', 'absent'].map((key) => shard.delete(key, HASH, 10));
    shard.drop('dropped', HASH);

    expect(deleted).toEqual([true, false, false]);
    expect(shard.getMetrics()).toMatchObject({ size: 0, deletes: 1, expired: 1 });
  });

  it('tells apart what was evicted and what had expired', () => {
    insert('a', 10);
    insert('b');

    const evictions = [shard.evict(10), shard.evict(10), shard.evict(10)];

    expect(evictions).toEqual([true, true, false]);
    expect(shard.getMetrics()).toMatchObject({ expired: 1, evicted: 1 });
  });

  it('counts what a sweep removes as expired', () => {
    insert('dead', 10);
    insert('alive', 11);
    shard.beginSweep(10);

    expect(shard.sweepRows(5)).toEqual({ removed: 1, done: true });
    expect(shard.getMetrics()).toMatchObject({ size: 1, expired: 1 });
  });

  it('lists the live entries', () => {
    insert('dead', 10);
    insert('alive', 11);

    expect([...shard.entries({ now: () => 10 })]).toEqual([['alive', 1]]);
  });

  it('keeps its counts when it is cleared', () => {
    insert('key');
    shard.clear();

    expect(shard.getMetrics()).toMatchObject({ size: 0, sets: 1, deletes: 0 });
  });
});

describe(`${CacheShard.name}: a sweep`, () => {
  it('is due when an entry can have expired, at its very deadline', () => {
    insert('key', 10);
    insert('other');

    expect([shard.isDue(9), shard.isDue(10)]).toEqual([false, true]);
  });

  it('is due when something was invalidated and an entry can have carried it', () => {
    insert('plain');
    invalidate();
    const withoutFacts = shard.isDue(0);
    insert('tagged', Infinity, FACTS);

    expect([withoutFacts, shard.isDue(0)]).toEqual([false, true]);
  });

  it('is not due again before the next invalidation', () => {
    insert('tagged', Infinity, FACTS);
    invalidate();
    shard.beginSweep(0);
    shard.sweepRows(5);
    const swept = shard.isDue(0);
    invalidate();

    expect([swept, shard.isDue(0)]).toEqual([false, true]);
  });
});

describe(`${CacheShard.name}: entries that were invalidated by tag or namespace`, () => {
  it('are live until then', () => {
    insert('key', 10, FACTS);

    expect(shard.read('key', HASH, 9)?.facts).toEqual(FACTS);
  });

  it('are misses for every kind of reading, and removed by those that count', () => {
    for (const key of ['read', 'peeked', 'deleted']) insert(key, 10, FACTS);
    invalidate();

    const found = [
      shard.read('read', HASH, 9),
      shard.peek('peeked', HASH, 9),
      shard.delete('deleted', HASH, 9),
      ...shard.entries({ now: () => 9 }),
    ];

    expect(found).toEqual([undefined, undefined, false]);
    expect(shard.getMetrics()).toMatchObject({ size: 1, misses: 1, deletes: 0, expired: 0 });
  });

  it('are removed by a sweep', () => {
    insert('tagged', 10, FACTS);
    insert('plain', 10);
    invalidate();
    shard.beginSweep(5);

    expect(shard.sweepRows(5)).toEqual({ removed: 1, done: true });
    expect(shard.peek('plain', HASH, 5)?.value).toBe(1);
  });

  it('are not asked about when they carry nothing', () => {
    insert('plain', 10);
    invalidate();

    expect(shard.read('plain', HASH, 9)?.value).toBe(1);
  });
});
