import { spreadOf, type Hash } from './hash.js';
import { WALK_END, type RowTable, type WalkPosition } from './row-table.js';
import type { Segment } from './segment.js';
import type { ShardSet } from './shard-set.js';

/** What a {@link Resharding} goes between. */
export interface ReshardingOptions<V> {
  readonly from: ShardSet<V>;
  readonly to: ShardSet<V>;
  readonly hash: Hash;
  readonly seed: number;
}

/**
 * The way of a cache's entries from one number of shards to another. The new ring holds from the
 * start: whoever asks for a key first brings it over, so nobody has to wait and no key is ever
 * missed. What nobody asks for is moved shard by shard.
 */
export class Resharding<V> {
  readonly #options: ReshardingOptions<V>;
  /** The shards of before that still have to be gone through, and how far the first of them was. */
  readonly #shards: number[];
  #position: WalkPosition = 0;

  constructor(options: ReshardingOptions<V>) {
    this.#options = options;
    this.#shards = [...options.from.shards.keys()];
  }

  /** The next shard of before whose entries are to be moved; `undefined` when all were. */
  get nextShard(): number | undefined {
    return this.#shards[0];
  }

  /** The tables of before that are not used any more. */
  get oldTables(): readonly RowTable<V>[] {
    const { from, to } = this.#options;
    return from.tables.filter((table) => !to.tables.includes(table));
  }

  /** Moves a key's entry to where it belongs now, if it is not there. */
  bring(key: string, hash: number, now: number): void {
    const { from } = this.#options;
    const shard = from.ring.shardForHash(hash);
    const spread = spreadOf(hash);
    const segment = from.tableOf[shard]!.segmentOf(spread);
    const row = segment.find(key, spread);
    if (row >= 0) this.#move(segment, row, hash, now);
  }

  /** Moves the entries of the next segment of the next shard. */
  step(now: number): void {
    const shard = this.nextShard;
    if (shard === undefined) return;
    const { from, hash, seed } = this.#options;
    const table = from.tableOf[shard]!;
    const segment = table.segmentAt(this.#position);
    this.#position = table.positionAfter(this.#position);
    for (let row = 0; row < segment.rows; row++) {
      if (segment.isReleased(row)) continue;
      const keyHash = hash(segment.keyAt(row), seed);
      if (from.ring.shardForHash(keyHash) === shard) this.#move(segment, row, keyHash, now);
    }
    if (this.#position < WALK_END) return;
    this.#shards.shift();
    this.#position = 0;
  }

  #move(segment: Segment<V>, row: number, hash: number, now: number): void {
    const { from, to } = this.#options;
    const source = from.ring.shardForHash(hash);
    const target = to.shards[to.ring.shardForHash(hash)]!;
    if (from.tableOf[source] === target.table) return;
    const spread = spreadOf(hash);
    let home = target.table.segmentWithRoom(spread, now);
    if (home === undefined) {
      home = target.table.segmentOf(spread);
      target.table.evictFrom(home, now);
    }
    home.addCopy(segment, row, now);
    const weight = segment.weightAt(row);
    segment.remove(row);
    const { sweptOrder } = from.tableOf[source]!;
    target.table.sweptOrder = Math.min(target.table.sweptOrder, sweptOrder);
    from.shards[source]!.noteMovedOut(weight);
    target.noteMovedIn(weight);
  }
}
