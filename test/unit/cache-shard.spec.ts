import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheShard } from '../../lib/memory/cache-shard.js';
import { EntryBudget } from '../../lib/memory/entry-budget.js';
import type { EntryFacts } from '../../lib/memory/entry.js';
import { RowTable } from '../../lib/memory/row-table.js';

const SPREAD = 7;
const NOW = 0;
const FACTS: EntryFacts = { order: 1, bornAt: 0, tags: ['tag'] };

let stamps: { order: number; admits(): boolean };
let budget: EntryBudget;
let shard: CacheShard<number>;

beforeEach(() => {
  stamps = { order: 0, admits: () => stamps.order === 0 };
  budget = new EntryBudget(Infinity, Infinity);
  const lastMiss = { reason: 'absent' as const };
  const ports = { lastMiss, budget, stamps, removals: undefined, weighted: false };
  shard = new CacheShard<number>(ports, (owner) => {
    const options = { expectedRows: Infinity, owner, ownerOf: () => owner };
    return new RowTable<number>(options, NOW);
  });
});

afterEach(() => {
  expect(budget.entries).toBe(shard.size);
});

function invalidate(): void {
  stamps.order += 1;
}

function entry(value: number, deadline: number, facts?: EntryFacts) {
  return { value, deadline, facts, weight: 0 };
}

function insert(key: string, deadline = Infinity, facts?: EntryFacts): void {
  const segment = shard.table.segmentWithRoom(SPREAD, NOW)!;
  shard.insert(key, entry(1, deadline, facts), { segment, spread: SPREAD }, NOW);
}

describe(CacheShard.name, () => {
  it('counts reads that find something and reads that do not', () => {
    insert('key', 10);
    const found = shard.readEntry('key', SPREAD, 9);
    const absent = shard.readEntry('absent', SPREAD, 9);

    expect([found?.value, absent]).toEqual([1, undefined]);
    expect(shard.getMetrics()).toMatchObject({ hits: 1, misses: 1, expired: 0 });
  });

  it('counts the hits and sets that went past it', () => {
    shard.noteHit();
    shard.noteHit();
    shard.noteSet();

    expect(shard.getMetrics()).toMatchObject({ hits: 2, misses: 0, sets: 1, size: 0 });
  });

  it('removes an entry that a read finds expired, at its very deadline', () => {
    insert('key', 10);

    expect(shard.readEntry('key', SPREAD, 10)).toBeUndefined();
    expect(shard.getMetrics()).toMatchObject({ size: 0, misses: 1, expired: 1 });
  });

  it('returns the whole entry', () => {
    insert('live', 11, FACTS);
    insert('expired', 10);

    const found = ['live', 'expired', 'absent'].map((key) => shard.readEntry(key, SPREAD, 10));

    expect(found).toEqual([{ value: 1, deadline: 11, facts: FACTS }, undefined, undefined]);
    expect(shard.getMetrics()).toMatchObject({ size: 1, hits: 1, misses: 2, expired: 1 });
  });

  it('finds nothing expired at a peek, and moves and counts nothing', () => {
    insert('key', 10);
    const alive = shard.peek('key', SPREAD, 9)?.value;
    const expired = shard.peek('key', SPREAD, 10);

    expect([alive, expired]).toEqual([1, undefined]);
    expect(shard.getMetrics()).toMatchObject({ size: 1, hits: 0, misses: 0, expired: 0 });
  });

  it('counts what is stored, new or in place of another', () => {
    const absent = shard.replace('key', entry(1, 9), SPREAD, NOW);
    insert('key');
    const there = shard.replace('key', entry(2, 9), SPREAD, NOW);

    expect([absent, there]).toEqual([false, true]);
    expect(shard.peek('key', SPREAD, NOW)).toEqual({ value: 2, deadline: 9, facts: undefined });
    expect(shard.getMetrics()).toMatchObject({ size: 1, sets: 2, expired: 0 });
  });

  it('counts what had expired when another took its place', () => {
    insert('key', 10);
    shard.replace('key', entry(2, 20), SPREAD, 10);

    expect(shard.getMetrics()).toMatchObject({ size: 1, sets: 2, expired: 1 });
  });

  it('counts deletes of live entries, and what it drops itself not at all', () => {
    insert('live');
    insert('expired', 10);
    insert('dropped');

    const deleted = ['live', 'expired', 'absent'].map((key) => shard.delete(key, SPREAD, 10));
    shard.drop('dropped', SPREAD, 10);
    shard.drop('absent', SPREAD, 10);

    expect(deleted).toEqual([true, false, false]);
    expect(shard.getMetrics()).toMatchObject({ size: 0, deletes: 1, expired: 1 });
  });

  it('tells apart what was evicted and what had expired', () => {
    insert('a', 10);
    insert('b');
    const evict = (): boolean => shard.table.evictFrom(shard.table.segmentOf(SPREAD), 10);

    const evictions = [evict(), evict(), evict()];

    expect(evictions).toEqual([true, true, false]);
    expect(shard.getMetrics()).toMatchObject({ size: 0, expired: 1, evicted: 1 });
  });

  it('counts what a sweep removes as expired', () => {
    insert('dead', 10);
    insert('alive', 11);

    const segment = shard.table.segmentOf(SPREAD);
    const removed = shard.table.sweep(segment, { now: 10, admits: undefined });

    expect(removed).toBe(1);
    expect(shard.getMetrics()).toMatchObject({ size: 1, expired: 1 });
  });
});

describe(`${CacheShard.name}: sliding`, () => {
  const SLIDE_MS = 10;

  function deadlineAt(key: string, now: number): number | undefined {
    return shard.peek(key, SPREAD, now)?.deadline;
  }

  it('lets a live entry live for another time, and keeps all that it has', () => {
    const facts = { ...FACTS, freshUntil: 100 };
    insert('key', 10, facts);
    const found = shard.readSliding('key', SPREAD, 9, SLIDE_MS);

    expect(found).toEqual({ value: 1, deadline: 19, facts });
    expect(shard.readEntry('key', SPREAD, 18)).toEqual(found);
    expect(shard.readEntry('key', SPREAD, 19)).toBeUndefined();
  });

  it('lets none live beyond its freshness', () => {
    insert('key', 10, { ...FACTS, freshUntil: 15.5 });
    shard.readSliding('key', SPREAD, 9, SLIDE_MS);
    shard.readSliding('key', SPREAD, 14, SLIDE_MS);

    expect(deadlineAt('key', 14)).toBe(15);
  });

  it('never ends an entry earlier than it would have ended', () => {
    insert('key', 10, { ...FACTS, freshUntil: 100 });
    shard.readSliding('key', SPREAD, 9, 0.5);

    expect(deadlineAt('key', 9)).toBe(10);
  });

  it('moves nothing of plain, stale, expired and invalidated entries', () => {
    insert('plain', 10);
    insert('stale', 10, { ...FACTS, freshUntil: 5 });
    insert('expired', 9, { ...FACTS, freshUntil: 100 });
    const read = (key: string): unknown => shard.readSliding(key, SPREAD, 9, SLIDE_MS)?.deadline;

    expect(['plain', 'stale', 'expired', 'absent'].map(read)).toEqual([
      10,
      10,
      undefined,
      undefined,
    ]);
    insert('invalidated', 10, { ...FACTS, freshUntil: 100 });
    invalidate();
    expect(read('invalidated')).toBeUndefined();
  });

  it('counts a read and a use, as any hit does', () => {
    insert('key', 10, { ...FACTS, freshUntil: 100 });
    shard.readSliding('key', SPREAD, 9, SLIDE_MS);
    shard.readSliding('absent', SPREAD, 9, SLIDE_MS);

    expect(shard.table.segmentOf(SPREAD).usesOf(0)).toBe(1);
    expect(shard.getMetrics()).toMatchObject({ hits: 1, misses: 1, sets: 1, expired: 0 });
  });
});

describe(`${CacheShard.name}: entries that were invalidated by tag or namespace`, () => {
  it('are live until then', () => {
    insert('key', 10, FACTS);

    expect(shard.readEntry('key', SPREAD, 9)?.facts).toEqual(FACTS);
  });

  it('are misses for every kind of reading, and removed by those that count', () => {
    for (const key of ['read', 'peeked', 'deleted']) insert(key, 10, FACTS);
    invalidate();

    const found = [
      shard.readEntry('read', SPREAD, 9),
      shard.peek('peeked', SPREAD, 9),
      shard.delete('deleted', SPREAD, 9),
    ];

    expect(found).toEqual([undefined, undefined, false]);
    expect(shard.getMetrics()).toMatchObject({ size: 1, misses: 1, deletes: 0, expired: 0 });
  });

  it('are removed by a sweep that asks the stamps', () => {
    insert('tagged', 10, FACTS);
    insert('plain', 10);
    invalidate();

    const segment = shard.table.segmentOf(SPREAD);
    const removed = shard.table.sweep(segment, { now: 5, admits: () => stamps.admits() });

    expect(removed).toBe(1);
    expect(shard.peek('plain', SPREAD, 5)?.value).toBe(1);
  });

  it('are not asked about when they carry nothing', () => {
    insert('plain', 10);
    invalidate();

    expect(shard.readEntry('plain', SPREAD, 9)?.value).toBe(1);
  });
});
