import { CacheShard, type ShardPorts } from './cache-shard.js';
import { ConsistentHash } from './consistent-hash.js';
import type { RingOptions } from './ring-points.js';
import { RowTable } from './row-table.js';
import { SegmentDirectory } from './segment-directory.js';

/** The shards of a cache, the ring that gives each its keys, and the tables that hold the entries. */
export interface ShardSet<V> {
  readonly ring: ConsistentHash;
  readonly shards: readonly CacheShard<V>[];
  /** One for each shard; fewer in a small cache, where some share one. */
  readonly tables: readonly RowTable<V>[];
  readonly directory: SegmentDirectory<V>;
  /** The table of each shard. */
  readonly tableOf: readonly RowTable<V>[];
}

/** What {@link openShards} needs. */
export interface ShardSetOptions<V> {
  readonly ring: RingOptions;
  readonly ports: ShardPorts<V>;
  /** Clock time in milliseconds. */
  readonly now: number;
  /** The set that this one replaces: shards of the same number go on, with their tables if they can. */
  readonly previous?: ShardSet<V>;
}

/** Eviction decides badly about fewer entries than this at a time (measured). */
const MIN_ENTRIES_PER_TABLE = 512;

/**
 * Makes the shards of a cache. A table for each is sized by the shard's share of the ring; shards
 * that would have too few entries for good eviction share tables.
 */
export function openShards<V>(options: ShardSetOptions<V>): ShardSet<V> {
  const { ring: ringOptions, ports, now, previous } = options;
  const { numShards, hash, seed } = ringOptions;
  const ring = new ConsistentHash(ringOptions);
  const { maxEntries, maxBytes } = ports.budget;
  const mostTables = Math.max(1, Math.floor(maxEntries / MIN_ENTRIES_PER_TABLE));
  const numTables = Math.min(numShards, mostTables);
  const isBounded = maxEntries !== Infinity && maxBytes === Infinity;
  const held = previous === undefined ? Infinity : Math.max(1, ports.budget.entries);
  const expected = isBounded ? maxEntries : held;
  const shares = ring.shares();
  const shards: CacheShard<V>[] = [];

  const ownerOf = (key: string): CacheShard<V> => shards[ring.shardForHash(hash(key, seed))]!;
  const openTable = (share: number, owner: CacheShard<V> | undefined): RowTable<V> => {
    const expectedRows = expected === Infinity ? Infinity : expected * share;
    return new RowTable<V>(
      { expectedRows, owner, ownerOf: owner === undefined ? ownerOf : () => owner },
      now,
    );
  };

  const isShared = numTables < numShards;
  const shared = Array.from({ length: isShared ? numTables : 0 }, () =>
    openTable(1 / numTables, undefined),
  );
  const keepsTables = previous?.tables.length === previous?.shards.length && !isShared;
  for (let index = 0; index < numShards; index++) {
    const known = previous?.shards[index];
    const open = (owner: CacheShard<V>): RowTable<V> =>
      isShared ? shared[index % numTables]! : openTable(shares[index]!, owner);
    if (known !== undefined && !keepsTables) known.table = open(known);
    shards.push(known ?? new CacheShard<V>(ports, open));
  }
  const tableOf = shards.map(({ table }) => table);
  const directory = new SegmentDirectory(tableOf);
  return { ring, shards, tables: [...new Set(tableOf)], directory, tableOf };
}
