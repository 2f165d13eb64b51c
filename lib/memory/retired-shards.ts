import type { CacheShard, ShardMetrics } from './cache-shard.js';
import { sumOf } from './table-metrics.js';

/**
 * The shards that a cache has given up. What they have counted still counts, and until their entries
 * have moved they go on counting.
 */
export class RetiredShards<V> {
  #shards: readonly CacheShard<V>[] = [];
  /** What those have counted whose entries have moved, all together. */
  #counted: ShardMetrics | undefined;

  /** Adds shards that still have entries. */
  add(shards: readonly CacheShard<V>[]): void {
    this.#shards = [...this.#shards, ...shards];
  }

  /** Lets go of the shards: their entries have moved, or are gone. */
  settle(): void {
    if (this.#shards.length > 0) this.#counted = sumOf(this.getMetrics());
    this.#shards = [];
  }

  /** Notes that all entries were dropped at once. */
  noteCleared(): void {
    for (const shard of this.#shards) shard.noteCleared();
  }

  resetMetrics(): void {
    this.#counted = undefined;
    for (const shard of this.#shards) shard.resetMetrics();
  }

  getMetrics(): readonly ShardMetrics[] {
    const counted = this.#counted === undefined ? [] : [this.#counted];
    return [...counted, ...this.#shards.map((shard) => shard.getMetrics())];
  }
}
