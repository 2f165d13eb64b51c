import type { Clock } from '../clock.js';
import { InvalidArgumentError, show } from '../errors.js';
import type { KeyCoordinator } from './key-coordinator.js';
import { MAX_SHARDS } from './ring-points.js';
import type { ShardedTable } from './sharded-table.js';

/** What a {@link LiveResharding} is made of. */
export interface LiveReshardingOptions<V> {
  readonly table: ShardedTable<V>;
  readonly coordinator: Pick<KeyCoordinator, 'acquireShard'>;
  readonly clock: Clock;
}

/** Entries move to other shards for this long in one turn of the event loop. */
const MOVE_SLICE_MS = 1;

/**
 * Gives a cache another number of shards while it is in use: the ring at once, the entries a shard at
 * a time, each after the updates of that shard that are under way, in slices of about a millisecond.
 */
export class LiveResharding<V> {
  readonly #options: LiveReshardingOptions<V>;
  /** Settles when the last call has ended. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: LiveReshardingOptions<V>) {
    this.#options = options;
  }

  /** Does so after the calls before; see `EnhancedAsyncTTLCache.reshard`. */
  async run(numShards: number): Promise<void> {
    if (!Number.isInteger(numShards) || numShards < 1 || numShards > MAX_SHARDS) {
      const range = `a whole number from 1 to ${MAX_SHARDS}`;
      throw new InvalidArgumentError(`numShards must be ${range}, got ${show(numShards)}.`);
    }
    const resharded = this.#last.then(() => this.#reshard(numShards));
    this.#last = resharded.catch(() => {});
    return resharded;
  }

  async #reshard(numShards: number): Promise<void> {
    const { table } = this.#options;
    await this.#moveEntries();
    if (numShards === table.numShards) return;
    table.reshard(numShards);
    await this.#moveEntries();
  }

  /** Moves all entries that are not in the shard they belong to. */
  async #moveEntries(): Promise<void> {
    const { table, coordinator, clock } = this.#options;
    for (let shard = table.movingShard; shard !== undefined; shard = table.movingShard) {
      const release = await coordinator.acquireShard(shard);
      try {
        while (table.moveOn(shard, MOVE_SLICE_MS)) {
          await new Promise<void>((resolve) => clock.setImmediate(resolve));
        }
      } finally {
        release();
      }
    }
  }
}
