import type { Clock } from '../clock.js';
import type { CacheShard, ShardMetrics, ShardPorts, Stamps, WeighedEntry } from './cache-shard.js';
import type { ConsistentHash } from './consistent-hash.js';
import { EntryBudget } from './entry-budget.js';
import type { Entry } from './entry.js';
import { spreadOf, type Hash } from './hash.js';
import type { RemovalNotifier } from './removal-notifier.js';
import { Resharding } from './resharding.js';
import type { RingOptions } from './ring-points.js';
import type { RowTable } from './row-table.js';
import type { Segment } from './segment.js';
import { openShards, type ShardSet } from './shard-set.js';
import { REFUSED } from './size-estimate.js';
import { TableSweep } from './table-sweep.js';
import { turnTimeOf, type TurnTime } from './turn-time.js';

/** What a {@link ShardedTable} is made of; everything is resolved and checked. */
export interface ShardedTableOptions<V> {
  readonly ring: RingOptions;
  /** Exact bound over all shards. */
  readonly maxEntries: number;
  /** Shards that a sweep advances side by side. */
  readonly maxWorkers: number;
  readonly clock: Clock;
  readonly stamps?: Stamps | undefined;
  /** Exact bound on the weights of all entries together. @default Infinity */
  readonly maxBytes?: number;
  /** What an entry weighs, or `REFUSED` for one that may not be stored. Without it all weigh 0. */
  readonly weigh?: ((value: unknown, key: string) => number) | undefined;
  readonly removals?: RemovalNotifier<V> | undefined;
  /** Throws for a key that may not be stored; asked by {@link ShardedTable.write} for new ones. */
  readonly assertKey?: (key: string) => void;
}

/** What a cache's entries have been through since the start. Counters never go back. */
export interface TableMetrics {
  /** Counted reads: `get`, `getIfPresent` and `getOrSet`. Always hits + misses. */
  readonly gets: number;
  readonly hits: number;
  readonly misses: number;
  /** hits / gets, from 0 to 1; 0 before the first read. */
  readonly hitRatio: number;
  /** Values stored, by callers and loaders. */
  readonly sets: number;
  /** Live entries that were removed because somebody asked. */
  readonly deletes: number;
  /** Entries removed because their time had passed, or by a sweep after their tag was invalidated. */
  readonly expired: number;
  /** Entries removed to make room. */
  readonly evicted: number;
  /** Values that were not stored because they are too heavy, or could not be weighed. */
  readonly refused: number;
  /** Entries held now; expired ones count until they are removed. */
  readonly size: number;
  /** What those weigh; 0 where nothing is weighed. */
  readonly bytes: number;
  /** Time spent removing expired entries, in milliseconds. */
  readonly cleanupDurationMs: number;
  /** The same for each shard. */
  readonly shards: readonly ShardMetrics[];
}

/**
 * The synchronous inside of a cache: shards behind a ring, one budget for all of them together, and
 * a sweep that can be interrupted after every segment.
 *
 * The bounds are exact at every moment: whoever adds an entry to a full cache first takes others
 * out, the first of the same segment if it has any, so the sizes of the shards follow their shares
 * of the ring.
 */
export class ShardedTable<V> {
  readonly #options: ShardedTableOptions<V>;
  readonly #hash: Hash;
  readonly #seed: number;
  readonly #time: TurnTime;
  readonly #budget: EntryBudget;
  readonly #ports: ShardPorts<V>;
  /** Whether nobody weighs values or hears of their removal: writes make no objects then. */
  readonly #plain: boolean;
  #set: ShardSet<V>;
  /** Of the set, kept here for the sake of every call. */
  #ring: ConsistentHash;
  #shards: readonly CacheShard<V>[];
  #resharding: Resharding<V> | undefined;
  /** Shards that were given up and may still have entries: what they have counted still counts. */
  #retired: readonly CacheShard<V>[] = [];
  /** What shards have counted that were given up before. */
  #counted: readonly ShardMetrics[] = [];
  /** The table that gives the next entry away when a segment in need has none. */
  #donor = 0;
  #refused = 0;
  #sweep: TableSweep<V> | undefined;
  #sweepMs = 0;

  constructor(options: ShardedTableOptions<V>) {
    const { clock, ring, maxEntries, maxBytes = Infinity, stamps, removals, weigh } = options;
    this.#options = options;
    this.#hash = ring.hash;
    this.#seed = ring.seed;
    this.#time = turnTimeOf(clock);
    this.#budget = new EntryBudget(maxEntries, maxBytes);
    this.#ports = { budget: this.#budget, stamps, removals, weighted: weigh !== undefined };
    this.#plain = weigh === undefined && removals === undefined;
    this.#set = openShards({ ring, ports: this.#ports, now: clock.now() });
    this.#ring = this.#set.ring;
    this.#shards = this.#set.shards;
  }

  /** Entries in all shards; expired ones count until they are removed. */
  get size(): number {
    return this.#budget.entries;
  }

  /** The tables in use, those that entries are still moved out of first. */
  get tables(): readonly RowTable<V>[] {
    if (this.#resharding === undefined) return this.#set.tables;
    return [...this.#resharding.oldTables, ...this.#set.tables];
  }

  get numShards(): number {
    return this.#set.shards.length;
  }

  /** The shard of before whose entries {@link moveOn} moves next; `undefined` if all are in place. */
  get movingShard(): number | undefined {
    return this.#resharding?.nextShard;
  }

  /** The shard that a key belongs to. */
  shardOf(key: string): number {
    return this.#set.ring.shardForHash(this.#hash(key, this.#seed));
  }

  /** Returns a live value, counts the read and marks the entry as used. */
  read(key: string): V | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).read(key, spreadOf(hash), this.#time.now());
  }

  /** Does what {@link read} does, and returns all that is kept of the entry. */
  readEntry(key: string): Entry<V> | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).readEntry(key, spreadOf(hash), this.#time.now());
  }

  /** Finds a live entry and moves nothing. */
  peek(key: string): Entry<V> | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).peek(key, spreadOf(hash), this.#time.now());
  }

  /**
   * Stores a value for `ttlMs`, evicting others if the table is full. One that is too heavy, or can
   * not be weighed, is not stored, and what it was to replace goes. A key that is there was checked
   * when it came; a new one is checked here.
   *
   * @returns whether it was stored
   */
  write(key: string, value: V, ttlMs: number): boolean {
    const { assertKey } = this.#options;
    const hash = this.#hash(key, this.#seed);
    const shard = this.#shardAt(key, hash);
    const now = this.#time.nowForWrite();
    const deadline = now + ttlMs;
    if (!this.#plain) {
      const entry = { value, deadline, facts: undefined, weight: this.#weigh(value, key) };
      return this.#store({ key, hash, shard, now, assertKey }, entry);
    }
    const spread = spreadOf(hash);
    if (shard.overwritePlain(key, spread, value, deadline, now)) return true;
    if (assertKey !== undefined) assertKey(key);
    const segment = this.#makeRoom(shard, spread, 0, now);
    shard.insertPlain(segment, key, spread, value, deadline, now);
    return true;
  }

  /** Does what {@link write} does with a checked key, and all that is to be kept of the entry. */
  writeEntry(key: string, { value, deadline, facts }: Entry<V>): boolean {
    const hash = this.#hash(key, this.#seed);
    const shard = this.#shardAt(key, hash);
    const now = this.#time.nowForWrite();
    const entry = { value, deadline, facts, weight: this.#weigh(value, key) };
    return this.#store({ key, hash, shard, now, assertKey: undefined }, entry);
  }

  /** Removes an entry because the user asked; returns whether a live one was there. */
  delete(key: string): boolean {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).delete(key, spreadOf(hash), this.#time.now());
  }

  /** Removes an entry that the cache itself gives up; counts nothing. */
  drop(key: string): void {
    const hash = this.#hash(key, this.#seed);
    this.#shardAt(key, hash).drop(key, spreadOf(hash), this.#time.now());
  }

  /** Drops all entries, in time proportional to the number of shards. */
  clear(): void {
    const now = this.#options.clock.now();
    for (const table of this.tables) {
      const dropped = table.clear(now);
      this.#options.removals?.noteCleared(dropped);
    }
    for (const shard of [...this.#set.shards, ...this.#retired]) shard.noteCleared();
    this.#budget.clear();
    this.#endResharding();
  }

  /**
   * Gives every key to one of `numShards` shards, from this call on. The entries follow when they
   * are asked for, and by {@link moveOn}; a resharding before must have come to its end.
   */
  reshard(numShards: number): void {
    const { ring, clock } = this.#options;
    const from = this.#set;
    const [now, ports] = [clock.now(), this.#ports];
    this.#set = openShards({ ring: { ...ring, numShards }, ports, now, previous: from });
    this.#ring = this.#set.ring;
    this.#shards = this.#set.shards;
    this.#retired = from.shards.slice(numShards);
    const { hash, seed } = ring;
    this.#resharding = new Resharding({ from, to: this.#set, hash, seed });
  }

  /** Moves entries of one shard of before for about `budgetMs`; returns whether it has more. */
  moveOn(shard: number, budgetMs: number): boolean {
    const { clock } = this.#options;
    const endAt = clock.now() + budgetMs;
    while (this.#resharding?.nextShard === shard) {
      const now = clock.now();
      if (now >= endAt) return true;
      this.#resharding.step(now);
      if (this.#resharding.nextShard === undefined) this.#endResharding();
    }
    return false;
  }

  /**
   * The live entries, table by table. One that is stored or removed meanwhile may be left out, and
   * while entries move to other shards one may come twice.
   */
  *entries(): IterableIterator<[key: string, value: V]> {
    for (const table of this.tables) {
      for (const key of table.keys()) {
        const entry = this.peek(key);
        if (entry !== undefined) yield [key, entry.value];
      }
    }
  }

  getMetrics(): TableMetrics {
    const shards = this.#set.shards.map((shard) => shard.getMetrics());
    const retired = this.#retired.map((shard) => shard.getMetrics());
    const total = sumOf([...shards, ...retired, ...this.#counted]);
    const gets = total.hits + total.misses;
    return {
      ...total,
      gets,
      hitRatio: gets === 0 ? 0 : total.hits / gets,
      refused: this.#refused,
      bytes: this.#budget.bytes,
      cleanupDurationMs: this.#sweepMs,
      shards,
    };
  }

  /**
   * Removes entries that were expired when the sweep began, for about `budgetMs`; `more` says that
   * the sweep has not seen all. `anew` begins one and forgets another that was under way. Segments
   * in which nothing can have expired are skipped unseen, and at most `maxWorkers` shards advance
   * side by side.
   */
  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    const { clock, maxWorkers, stamps } = this.#options;
    const startedAt = clock.now();
    if (anew || this.#sweep === undefined) {
      const { tables } = this;
      this.#sweep = new TableSweep({ tables, maxWorkers, stamps, now: startedAt });
    }
    const sweep = this.#sweep;
    let removed = 0;
    let endedAt: number;
    do {
      removed += sweep.step();
      endedAt = clock.now();
    } while (!sweep.done && endedAt - startedAt < budgetMs);
    if (sweep.done) this.#sweep = undefined;
    this.#sweepMs += endedAt - startedAt;
    return { removed, more: !sweep.done };
  }

  #endResharding(): void {
    this.#resharding = undefined;
    const retired = [...this.#counted, ...this.#retired.map((shard) => shard.getMetrics())];
    this.#counted = retired.length === 0 ? [] : [sumOf(retired)];
    this.#retired = [];
  }

  #shardAt(key: string, hash: number): CacheShard<V> {
    if (this.#resharding !== undefined) this.#resharding.bring(key, hash, this.#time.now());
    return this.#shards[this.#ring.shardForHash(hash)]!;
  }

  #weigh(value: V, key: string): number {
    const { weigh } = this.#options;
    return weigh === undefined ? 0 : weigh(value, key);
  }

  #store({ key, hash, shard, now, assertKey }: Place<V>, entry: WeighedEntry<V>): boolean {
    const spread = spreadOf(hash);
    if (entry.weight === REFUSED) {
      assertKey?.(key);
      this.#refused += 1;
      shard.drop(key, spread, now);
      return false;
    }
    if (shard.replace(key, entry, spread, now)) return true;
    assertKey?.(key);
    const segment = this.#makeRoom(shard, spread, entry.weight, now);
    shard.insert(key, entry, { segment, spread }, now);
    return true;
  }

  /** Takes out what must go for a new entry, and returns the segment that has room for it. */
  #makeRoom(shard: CacheShard<V>, spread: number, weight: number, now: number): Segment<V> {
    const { table } = shard;
    const home = table.segmentOf(spread);
    if (this.#budget.fits(weight)) {
      home.noteMiss(spread);
    } else {
      home.openEviction();
      home.noteMiss(spread);
      if (!table.evictFrom(home, now)) this.#donate(now);
      while (!this.#budget.fits(weight)) this.#donate(now);
    }
    let segment = table.segmentWithRoom(spread, now);
    if (segment === undefined) {
      table.evictFrom(home, now);
      segment = home;
    }
    return segment;
  }

  /** Takes an entry out of the next table that has one. */
  #donate(now: number): void {
    const tables = this.tables;
    for (;;) {
      this.#donor = (this.#donor + 1) % tables.length;
      const table = tables[this.#donor]!;
      const segment = table.nextDonor();
      if (segment !== undefined && table.evictFrom(segment, now)) return;
    }
  }
}

/** Where and when an entry is stored. */
interface Place<V> {
  readonly key: string;
  readonly hash: number;
  readonly shard: CacheShard<V>;
  readonly now: number;
  /** Throws for a key that may not be stored. */
  readonly assertKey: ((key: string) => void) | undefined;
}

function sumOf(shards: readonly ShardMetrics[]): ShardMetrics {
  const sum = (name: keyof ShardMetrics): number =>
    shards.reduce((total, shard) => total + shard[name], 0);
  return {
    size: sum('size'),
    hits: sum('hits'),
    misses: sum('misses'),
    sets: sum('sets'),
    deletes: sum('deletes'),
    expired: sum('expired'),
    evicted: sum('evicted'),
  };
}
