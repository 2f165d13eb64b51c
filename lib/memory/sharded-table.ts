import type { Clock } from '../clock.js';
import type { AbsenceMemory, AbsenceReason, MissCause } from './absence-memory.js';
import { Admission } from './admission.js';
import type { CacheShard, ShardPorts, Stamps, WeighedEntry } from './cache-shard.js';
import type { ConsistentHash } from './consistent-hash.js';
import { EntryBudget } from './entry-budget.js';
import { isStale, type Entry } from './entry.js';
import { spreadOf, type Hash } from './hash.js';
import type { RemovalNotifier } from './removal-notifier.js';
import { Resharding } from './resharding.js';
import { RetiredShards } from './retired-shards.js';
import type { RingOptions } from './ring-points.js';
import type { RowTable } from './row-table.js';
import type { SegmentDirectory } from './segment-directory.js';
import { ABSENT, REWRITTEN } from './segment.js';
import { openShards, type ShardSet } from './shard-set.js';
import { REFUSED } from './size-estimate.js';
import { sumOf, type TableMetrics } from './table-metrics.js';
import { TableSweeper } from './table-sweep.js';
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
  /** Where somebody asks why keys are not there, what remembers it. */
  readonly absences?: AbsenceMemory | undefined;
  /** Throws for a key that may not be stored; asked by {@link ShardedTable.write} for new ones. */
  readonly assertKey?: (key: string) => void;
}

/**
 * The synchronous inside of a cache: shards behind a ring, one budget for all of them together, and
 * a sweep that can be interrupted after every segment.
 *
 * What most calls are, a read that hits and an overwrite, goes from the hash to the segment through a
 * directory and is done there in one search. Everything else takes the longer way through the shard.
 */
export class ShardedTable<V> {
  readonly #options: ShardedTableOptions<V>;
  readonly #hash: Hash;
  readonly #seed: number;
  readonly #time: TurnTime;
  readonly #budget: EntryBudget;
  readonly #ports: ShardPorts<V>;
  readonly #admission: Admission<V>;
  /** Whether nobody weighs values, hears of their removal or asks for it: writes make no objects then. */
  readonly #plain: boolean;
  #set: ShardSet<V>;
  /** Of the set, kept here for the sake of every call. */
  #ring: ConsistentHash;
  #directory: SegmentDirectory<V>;
  #shards: readonly CacheShard<V>[];
  #resharding: Resharding<V> | undefined;
  readonly #retired = new RetiredShards<V>();
  readonly #sweeper: TableSweeper<V>;
  #refused = 0;
  /** Whether an entry has ever had facts. */
  #hasHeldFacts = false;

  constructor(options: ShardedTableOptions<V>) {
    const {
      clock,
      ring,
      maxEntries,
      maxBytes = Infinity,
      stamps,
      removals,
      absences,
      weigh,
    } = options;
    this.#options = options;
    this.#hash = ring.hash;
    this.#seed = ring.seed;
    this.#time = turnTimeOf(clock);
    this.#budget = new EntryBudget(maxEntries, maxBytes);
    const weighted = weigh !== undefined;
    const lastMiss: ShardPorts<V>['lastMiss'] = { reason: 'absent' };
    this.#ports = { lastMiss, budget: this.#budget, stamps, removals, absences, weighted };
    this.#plain = weigh === undefined && removals === undefined && absences === undefined;
    this.#admission = new Admission({ budget: this.#budget, tables: () => this.tables });
    this.#sweeper = new TableSweeper({ ...options, tables: () => this.tables });
    this.#set = openShards({ ring, ports: this.#ports, now: clock.now() });
    this.#ring = this.#set.ring;
    this.#directory = this.#set.directory;
    this.#shards = this.#set.shards;
  }

  /** Entries in all shards; expired ones count until they are removed. */
  get size(): number {
    return this.#budget.entries;
  }

  /** Why the last counted read that found nothing did not. */
  get lastMiss(): MissCause {
    return this.#ports.lastMiss.reason;
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
    const shard = this.#ring.shardForHash(hash);
    const spread = spreadOf(hash);
    const segment = this.#directory.segmentOf(shard, spread);
    const now = this.#time.now();
    const value = segment.use(key, spread, now);
    if (value === undefined) return freshValueOf(this.#readEntry(key, hash, now), now);
    this.#shards[shard]!.noteHit();
    return value;
  }

  /**
   * Does what {@link read} does for an entry without facts. Anything else is `undefined` and not
   * counted: {@link readEntry} tells a miss from an entry with facts.
   */
  readPlain(key: string): V | undefined {
    const hash = this.#hash(key, this.#seed);
    const shard = this.#ring.shardForHash(hash);
    const spread = spreadOf(hash);
    const segment = this.#directory.segmentOf(shard, spread);
    const value = segment.use(key, spread, this.#time.now());
    if (value !== undefined) this.#shards[shard]!.noteHit();
    return value;
  }

  /**
   * Does what {@link readPlain} does for an entry whose stamps are all that is to be looked at beside it: one
   * that has tags or is in a namespace.
   */
  readStamped(key: string): V | undefined {
    if (!this.#hasHeldFacts) return undefined;
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).readStamped(key, spreadOf(hash), this.#time.now());
  }

  /** Returns all that is kept of an entry; also of one that is only a stale answer, a counted miss. */
  readEntry(key: string): Entry<V> | undefined {
    return this.#readEntry(key, this.#hash(key, this.#seed), this.#time.now());
  }

  /**
   * Does what {@link readEntry} does, and lets a live entry whose `freshUntil` lies beyond its deadline
   * live for another `slideMs` from now on, up to then.
   */
  readSliding(key: string, slideMs: number): Entry<V> | undefined {
    const hash = this.#hash(key, this.#seed);
    const shard = this.#shardAt(key, hash);
    return shard.readSliding(key, spreadOf(hash), this.#time.now(), slideMs);
  }

  /** Finds a live entry, or one that is only a stale answer, and moves nothing. */
  peekEntry(key: string, now = this.#time.now()): Entry<V> | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).peek(key, spreadOf(hash), now);
  }

  /** Tells why a key has no hit, as far as that is known; moves nothing. */
  whyNot(key: string): AbsenceReason | undefined {
    const hash = this.#hash(key, this.#seed);
    return this.#shardAt(key, hash).whyNot(key, spreadOf(hash), this.#time.now());
  }

  /** Remembers why a key is not there, where somebody asks for that. */
  noteAbsence(key: string, reason: AbsenceReason): void {
    const { absences } = this.#options;
    absences?.note(spreadOf(this.#hash(key, this.#seed)), reason, this.size);
  }

  /** Finds a live value and moves nothing. */
  peek(key: string): V | undefined {
    const now = this.#time.now();
    return freshValueOf(this.peekEntry(key, now), now);
  }

  /**
   * Stores a value for `ttlMs`, evicting others if the table is full. One that is too heavy, or can
   * not be weighed, is not stored, and what it was to replace goes. A key that is there was checked
   * when it came; a new one is checked here.
   *
   * @returns whether it was stored
   */
  write(key: string, value: V, ttlMs: number): boolean {
    const hash = this.#hash(key, this.#seed);
    const now = this.#time.nowForWrite(ttlMs);
    const deadline = now + ttlMs;
    if (!this.#plain) return this.#writeWeighed(key, value, deadline, { hash, now });
    const shard = this.#ring.shardForHash(hash);
    const spread = spreadOf(hash);
    const segment = this.#directory.segmentOf(shard, spread);
    const outcome = segment.rewrite(key, spread, value, deadline, now);
    if (outcome === REWRITTEN) this.#shards[shard]!.noteSet();
    else if (outcome === ABSENT && this.#resharding === undefined)
      this.#insertPlain(shard, key, value, deadline, now, spread);
    else this.#writeWeighed(key, value, deadline, { hash, now });
    return true;
  }

  /** Does what {@link write} does with a checked key, and all that is to be kept of the entry. */
  writeEntry(key: string, { value, deadline, facts }: Entry<V>): boolean {
    const hash = this.#hash(key, this.#seed);
    const shard = this.#shardAt(key, hash);
    const now = this.#time.now();
    const entry = { value, deadline, facts, weight: this.#weigh(value, key) };
    if (facts !== undefined) this.#hasHeldFacts = true;
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
      this.#options.removals?.noteCleared(dropped, now);
    }
    for (const shard of this.#set.shards) shard.noteCleared();
    this.#retired.noteCleared();
    this.#options.absences?.clear();
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
    this.#directory = this.#set.directory;
    this.#shards = this.#set.shards;
    this.#retired.add(from.shards.slice(numShards));
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
   * The live entries, table by table. One that is stored or removed meanwhile may be left out. While
   * entries move to other shards one may come twice, or be left out.
   */
  *entries(): IterableIterator<[key: string, value: V]> {
    for (const table of this.tables) {
      for (const key of table.keys()) {
        const value = this.peek(key);
        if (value !== undefined) yield [key, value];
      }
    }
  }

  getMetrics(): TableMetrics {
    const shards = this.#set.shards.map((shard) => shard.getMetrics());
    const total = sumOf([...shards, ...this.#retired.getMetrics()]);
    const gets = total.hits + total.misses;
    return {
      ...total,
      gets,
      hitRatio: gets === 0 ? 0 : total.hits / gets,
      refused: this.#refused,
      bytes: this.#budget.bytes,
      ...this.#sweeper.getMetrics(),
      shards,
    };
  }

  /** Counts from zero again; what is held now stays. */
  resetMetrics(): void {
    for (const shard of this.#set.shards) shard.resetMetrics();
    this.#retired.resetMetrics();
    this.#sweeper.resetMetrics();
    this.#refused = 0;
  }

  /**
   * Removes entries that were expired when the sweep began, for about `budgetMs`; `more` says that
   * the sweep has not seen all. `anew` begins one and forgets another that was under way. Segments
   * in which nothing can have expired are skipped unseen, and at most `maxWorkers` shards advance
   * side by side.
   */
  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    return this.#sweeper.run(budgetMs, anew);
  }

  #endResharding(): void {
    this.#resharding = undefined;
    this.#retired.settle();
  }

  #shardAt(key: string, hash: number): CacheShard<V> {
    if (this.#resharding !== undefined) this.#resharding.bring(key, hash, this.#time.now());
    return this.#shards[this.#ring.shardForHash(hash)]!;
  }

  #weigh(value: V, key: string): number {
    const { weigh } = this.#options;
    return weigh === undefined ? 0 : weigh(value, key);
  }

  #readEntry(key: string, hash: number, now: number): Entry<V> | undefined {
    return this.#shardAt(key, hash).readEntry(key, spreadOf(hash), now);
  }

  #insertPlain(
    shardNumber: number,
    key: string,
    value: V,
    deadline: number,
    now: number,
    spread: number,
  ): void {
    this.#options.assertKey?.(key);
    const shard = this.#shards[shardNumber]!;
    const segment = this.#admission.makeRoom(shard.table, spread, 0, now);
    shard.insertPlain(segment, key, spread, value, deadline, now);
  }

  #writeWeighed(
    key: string,
    value: V,
    deadline: number,
    { hash, now }: { readonly hash: number; readonly now: number },
  ): boolean {
    const shard = this.#shardAt(key, hash);
    const entry = { value, deadline, facts: undefined, weight: this.#weigh(value, key) };
    return this.#store({ key, hash, shard, now, assertKey: this.#options.assertKey }, entry);
  }

  #store({ key, hash, shard, now, assertKey }: Place<V>, entry: WeighedEntry<V>): boolean {
    const spread = spreadOf(hash);
    if (entry.weight === REFUSED) {
      assertKey?.(key);
      this.#refused += 1;
      shard.drop(key, spread, now);
      return false;
    }
    this.#options.absences?.forget(spread);
    if (shard.replace(key, entry, spread, now)) return true;
    assertKey?.(key);
    const segment = this.#admission.makeRoom(shard.table, spread, entry.weight, now);
    shard.insert(key, entry, { segment, spread }, now);
    return true;
  }
}

function freshValueOf<V>(entry: Entry<V> | undefined, now: number): V | undefined {
  return entry === undefined || isStale(entry, now) ? undefined : entry.value;
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
