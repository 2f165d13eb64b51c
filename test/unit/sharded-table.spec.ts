import { beforeEach, describe, expect, it } from '@jest/globals';
import { hashText } from '../../lib/memory/hash.js';
import { ShardedTable, type ShardedTableOptions } from '../../lib/memory/sharded-table.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock();
});

interface Shape extends Partial<ShardedTableOptions<number>> {
  readonly numShards?: number;
}

function open({ numShards = 4, ...options }: Shape = {}): ShardedTable<number> {
  return new ShardedTable<number>({
    ring: { numShards, virtualNodes: 50, seed: 1, hash: hashText },
    maxEntries: Infinity,
    maxWorkers: 4,
    clock,
    ...options,
  });
}

function write(table: ShardedTable<number>, key: string, ttlMs = Infinity): void {
  table.write(key, 1, ttlMs);
}

describe(ShardedTable.name, () => {
  it('finds every key again, whatever its shard', () => {
    const table = open();
    for (let key = 0; key < 500; key++) write(table, `key-${key}`);

    const found = Array.from({ length: 500 }, (_, key) => table.read(`key-${key}`));

    expect(found.filter((value) => value !== 1)).toEqual([]);
    expect(table.size).toBe(500);
    expect(table.getMetrics().shards.filter(({ size }) => size === 0)).toEqual([]);
  });

  it('keeps a key in the shard that its ring says', () => {
    const table = open();
    write(table, 'key');

    const sizes = table.getMetrics().shards.map(({ size }) => size);

    expect(sizes[table.shardOf('key')]).toBe(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1);
  });

  it('lists entries that are not expired, shard by shard', () => {
    const table = open();
    for (let key = 0; key < 20; key++) write(table, `key-${key}`, key < 10 ? 10 : 20);
    clock.block(10);

    const keys = Array.from(table.entries(), ([key]) => key);

    expect(keys).toHaveLength(10);
    expect(keys.filter((key) => Number(key.slice(4)) < 10)).toEqual([]);
  });

  it('drops what the cache gives up without counting it', () => {
    const table = open({ numShards: 1 });
    write(table, 'key');
    table.drop('key');

    expect(table.getMetrics().shards[0]).toMatchObject({ size: 0, deletes: 0 });
  });

  it('does not list an entry that expires while the list is walked', () => {
    const table = open({ numShards: 1 });
    write(table, 'first', 10);
    write(table, 'second', 10);
    const entries = table.entries();
    entries.next();

    clock.block(10);

    expect([...entries]).toEqual([]);
  });
});

describe(`${ShardedTable.name}: entries that slide`, () => {
  it('do so in whatever shard they are, and on the way to another', () => {
    const table = open();
    const facts = { order: undefined, bornAt: 0, tags: undefined, freshUntil: Infinity };
    const entry = { value: 1, deadline: clock.now() + 10, facts };
    for (let key = 0; key < 100; key++) table.writeEntry(`key-${key}`, entry);
    table.reshard(7);
    clock.block(9);
    const slid = Array.from({ length: 100 }, (_, key) => table.readSliding(`key-${key}`, 10));
    clock.block(9);

    expect(slid.filter((found) => found?.deadline === clock.now() + 1)).toHaveLength(100);
    expect([...table.entries()]).toHaveLength(100);
    expect(table.readSliding('absent', 10)).toBeUndefined();
    expect(table.getMetrics()).toMatchObject({ hits: 100, misses: 1, sets: 100 });
  });
});

describe(`${ShardedTable.name}: the bound on entries`, () => {
  it.each(
    [1, 2, 7, 100].flatMap((maxEntries) =>
      [1, 3, 8].map((numShards) => [maxEntries, numShards] as const),
    ),
  )('of %p is exact at every moment with %p shards', (maxEntries, numShards) => {
    const table = open({ maxEntries, numShards });
    const sizes: number[] = [];
    for (let key = 0; key < 3 * maxEntries + 20; key++) {
      write(table, `key-${key}`);
      sizes.push(table.size);
    }

    const evicted = table.getMetrics().shards.reduce((sum, shard) => sum + shard.evicted, 0);

    expect(sizes).toEqual(sizes.map((_, key) => Math.min(key + 1, maxEntries)));
    expect(evicted).toBe(2 * maxEntries + 20);
  });

  it('is kept by a shard that is empty: another one gives an entry away', () => {
    const table = open({ maxEntries: 1, numShards: 8 });
    const keys = Array.from({ length: 50 }, (_, key) => `key-${key}`);
    const kept = keys.map((key) => {
      write(table, key);
      return Array.from(table.entries(), ([held]) => held);
    });

    expect(kept).toEqual(keys.map((key) => [key]));
  });

  it('takes no entry out when a value is replaced', () => {
    const table = open({ maxEntries: 7, numShards: 3 });
    for (let key = 0; key < 7; key++) write(table, `key-${key}`);
    for (let key = 0; key < 7; key++) write(table, `key-${key}`);

    expect(table.size).toBe(7);
    expect(table.getMetrics().shards.filter(({ evicted }) => evicted > 0)).toEqual([]);
  });

  it('counts what is expired until it is removed', () => {
    const table = open({ maxEntries: 2, numShards: 1 });
    write(table, 'expired', 10);
    write(table, 'live');
    clock.block(10);
    write(table, 'new');

    expect(Array.from(table.entries(), ([key]) => key).toSorted()).toEqual(['live', 'new']);
    expect(table.getMetrics().shards[0]).toMatchObject({ evicted: 0, expired: 1 });
  });

  it('leaves room again after deletes and a clear', () => {
    const table = open({ maxEntries: 2, numShards: 2 });
    write(table, 'a');
    write(table, 'b');
    table.delete('a');
    write(table, 'c');
    const kept = table.peek('b');
    table.clear();
    write(table, 'd');
    write(table, 'e');

    expect([kept, table.size]).toEqual([1, 2]);
    expect(table.getMetrics().shards.filter(({ evicted }) => evicted > 0)).toEqual([]);
  });

  it('keeps what is read all the time among many that are read once', () => {
    const table = open({ maxEntries: 100, numShards: 4 });
    const hot = Array.from({ length: 20 }, (_, key) => `hot-${key}`);
    for (const key of hot) write(table, key);
    for (let cold = 0; cold < 2_000; cold++) {
      write(table, `cold-${cold}`);
      for (const key of hot) table.read(key);
    }

    expect(hot.filter((key) => table.peek(key) === undefined)).toEqual([]);
  });
});
