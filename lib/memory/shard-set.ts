import { CacheShard, type ShardPorts } from './cache-shard.js';
import { ConsistentHash } from './consistent-hash.js';
import type { RingOptions } from './ring-points.js';
import { RowTable } from './row-table.js';

/** The shards of a cache, the ring that gives each its keys, and the tables that hold the entries. */
export interface ShardSet<V> {
  readonly ring: ConsistentHash;
  readonly shards: readonly CacheShard<V>[];
  /** One for each shard; fewer in a small cache, where some share one. */
  readonly tables: readonly RowTable<V>[];
}

/** What {@link openShards} needs. */
export interface ShardSetOptions<V> {
  readonly ring: RingOptions;
  readonly ports: ShardPorts<V>;
  /** Clock time in milliseconds. */
  readonly now: number;
}

/** Eviction decides badly about fewer entries than this at a time (measured). */
const MIN_ENTRIES_PER_TABLE = 512;

/**
 * Makes the shards of a cache. A table for each is sized by the shard's share of the ring; shards
 * that would have too few entries for good eviction share tables.
 */
export function openShards<V>({ ring: options, ports, now }: ShardSetOptions<V>): ShardSet<V> {
  const { numShards, hash, seed } = options;
  const ring = new ConsistentHash(options);
  const { maxEntries, maxBytes } = ports.budget;
  const numTables = Math.min(
    numShards,
    Math.max(1, Math.floor(maxEntries / MIN_ENTRIES_PER_TABLE)),
  );
  const isBounded = maxEntries !== Infinity && maxBytes === Infinity;
  const shares = ring.shares();
  const shards: CacheShard<V>[] = [];
  const tables: RowTable<V>[] = [];

  const openTable = (share: number, owner: CacheShard<V> | undefined): RowTable<V> => {
    const table = new RowTable<V>(
      {
        expectedRows: isBounded ? maxEntries * share : Infinity,
        weighted: ports.weighted,
        owner,
        ownerOf: (key) => owner ?? shards[ring.shardForHash(hash(key, seed))]!,
      },
      now,
    );
    tables.push(table);
    return table;
  };

  for (let index = 0; index < numShards; index++) {
    const shard = new CacheShard<V>(ports, (owner) => {
      if (numTables === numShards) return openTable(shares[index]!, owner);
      return tables[index % numTables] ?? openTable(1 / numTables, undefined);
    });
    shards.push(shard);
  }
  return { ring, shards, tables };
}
