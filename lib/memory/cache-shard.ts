import type { AbsenceMemory, AbsenceReason, MissCause } from './absence-memory.js';
import type { EntryBudget } from './entry-budget.js';
import { isStale, type Entry, type EntryFacts } from './entry.js';
import type { RemovalNotifier, RemovalReason } from './removal-notifier.js';
import type { RowOwner, RowTable } from './row-table.js';
import type { Segment } from './segment.js';

/** What happened in a shard since the start, and how many entries it holds now. */
export interface ShardMetrics {
  /** Entries in the table; expired ones count until they are removed. */
  readonly size: number;
  /** What those weigh; 0 where nothing is weighed. */
  readonly bytes: number;
  /** Counted reads that found a live entry. */
  readonly hits: number;
  /** Counted reads that did not. */
  readonly misses: number;
  /** Those of the misses that found an entry whose time had passed. */
  readonly expiredMisses: number;
  /** Those of the misses that found an entry whose tag or namespace had been invalidated. */
  readonly tagMisses: number;
  /** Values stored. */
  readonly sets: number;
  /** Live entries removed because the user asked. */
  readonly deletes: number;
  /** Entries removed because their time had passed, or by a sweep after their tag was invalidated. */
  readonly expired: number;
  /** Entries removed to make room. */
  readonly evicted: number;
}

/**
 * Tells whether what an entry's tags and namespaces say still holds: entries invalidated through
 * them stay in the tables and are misses. Asked only for entries that carry facts.
 */
export interface Stamps {
  /** Moves on with each invalidation. */
  readonly order: number;
  admits(key: string, facts: EntryFacts): boolean;
}

/** What all shards of a cache share. */
export interface ShardPorts<V> {
  /** Why the last counted read that found nothing did not. */
  readonly lastMiss: { reason: MissCause };
  readonly budget: EntryBudget;
  readonly stamps: Stamps | undefined;
  readonly removals: RemovalNotifier<V> | undefined;
  /** Where somebody asks why keys are not there, what remembers it. */
  readonly absences?: AbsenceMemory | undefined;
  /** Whether entries have weights. */
  readonly weighted: boolean;
}

/** An entry to be stored, with what it weighs. */
export interface WeighedEntry<V> extends Entry<V> {
  readonly weight: number;
}

/**
 * One shard of a cache: the keys that the ring gives to it, and what happened to them. Its entries
 * are in a table of its own, or in a small cache in one that it shares with others. Everything is
 * synchronous, so no step can come between the parts of another. An entry that is found dead is
 * removed at once.
 */
export class CacheShard<V> implements RowOwner<V> {
  /** Where the entries are. */
  table: RowTable<V>;
  readonly #ports: ShardPorts<V>;
  #size = 0;
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #expiredMisses = 0;
  #tagMisses = 0;
  #sets = 0;
  #deletes = 0;
  #expired = 0;
  #evicted = 0;

  /** @param openTable makes the shard's table; a shard that shares one returns that */
  constructor(ports: ShardPorts<V>, openTable: (owner: CacheShard<V>) => RowTable<V>) {
    this.#ports = ports;
    this.table = openTable(this);
  }

  /** Entries held; expired ones count until they are removed. */
  get size(): number {
    return this.#size;
  }

  get hearsEach(): boolean {
    return this.#ports.weighted || this.#ports.removals !== undefined;
  }

  /** Counts a read that found a live entry without asking here. */
  noteHit(): void {
    this.#hits += 1;
  }

  /** Counts a value that was stored in place of another without asking here. */
  noteSet(): void {
    this.#sets += 1;
  }

  /**
   * Returns a live entry, counts the read and marks the entry as used. One that is only a stale
   * answer is returned, too, and counts as a miss.
   */
  readEntry(key: string, spread: number, now: number): Entry<V> | undefined {
    const segment = this.table.segmentOf(spread);
    const row = segment.find(key, spread);
    if (row < 0) return this.#missAbsent(spread);
    if (!this.#isLive(segment, row, now)) return this.#missDead(segment, row, now);
    const entry = entryAt(segment, row);
    if (isStale(entry, now)) {
      this.#noteDead('expired');
    } else {
      this.#hits += 1;
      segment.touch(row);
    }
    return entry;
  }

  /**
   * Returns the value of a live entry that has stamps to be checked and is to be refreshed, moved or told
   * from a stale answer by nobody; counts the read and marks the entry as used. Anything else is `undefined`
   * and not counted.
   */
  readStamped(key: string, spread: number, now: number): V | undefined {
    const segment = this.table.segmentOf(spread);
    if (!segment.holdsFacts) return undefined;
    const row = segment.find(key, spread);
    const facts = row < 0 ? undefined : segment.factsAt(row);
    if (facts === undefined || facts.freshUntil !== undefined || facts.refreshAt !== undefined)
      return undefined;
    if (!this.#isLive(segment, row, now)) return undefined;
    this.#hits += 1;
    segment.touch(row);
    return segment.valueAt(row);
  }

  /**
   * Does what {@link readEntry} does. A live entry that is fresh beyond its deadline lives for another
   * `slideMs` from now on, but not beyond its `freshUntil`.
   */
  readSliding(key: string, spread: number, now: number, slideMs: number): Entry<V> | undefined {
    const entry = this.readEntry(key, spread, now);
    const freshUntil = entry?.facts?.freshUntil;
    if (entry === undefined || freshUntil === undefined) return entry;
    const deadline = Math.floor(Math.min(now + slideMs, freshUntil));
    if (deadline <= entry.deadline) return entry;
    const segment = this.table.segmentOf(spread);
    segment.setDeadline(segment.find(key, spread), deadline, now);
    return { ...entry, deadline };
  }

  /** Finds a live entry, or one that is only a stale answer, and moves nothing. */
  peek(key: string, spread: number, now: number): Entry<V> | undefined {
    const segment = this.table.segmentOf(spread);
    const row = segment.find(key, spread);
    return row >= 0 && this.#isLive(segment, row, now) ? entryAt(segment, row) : undefined;
  }

  /** Tells why a key has no hit; `undefined` where it has one, or nobody knows why not. */
  whyNot(key: string, spread: number, now: number): AbsenceReason | undefined {
    const segment = this.table.segmentOf(spread);
    const row = segment.find(key, spread);
    if (row < 0) return this.#ports.absences?.reasonOf(spread);
    if (segment.isExpired(row, now)) return 'expired';
    if (segment.holdsFacts && !this.#isAdmitted(segment, row)) return 'tag';
    return isStale(entryAt(segment, row), now) ? 'expired' : undefined;
  }

  /**
   * Replaces the key's entry in its row; returns whether that was done. It is not where the key is
   * absent, or where the new entry is too heavy to take the old one's place: that one is gone then.
   */
  replace(key: string, entry: WeighedEntry<V>, spread: number, now: number): boolean {
    const segment = this.table.segmentOf(spread);
    const row = segment.find(key, spread);
    if (row < 0) return false;
    const { budget, weighted } = this.#ports;
    const heavier = weighted ? entry.weight - segment.weightAt(row) : 0;
    const expired = segment.isExpired(row, now);
    if (heavier > 0 && budget.bytes + heavier > budget.maxBytes) {
      this.noteLeaving(segment, row, expired ? 'expired' : 'replaced');
      segment.remove(row);
      return false;
    }
    if (expired) this.#expired += 1;
    this.#ports.removals?.note(key, segment.valueAt(row), expired ? 'expired' : 'replaced');
    budget.bytes += heavier;
    this.#bytes += heavier;
    this.#sets += 1;
    segment.overwrite(row, entry, now);
    return true;
  }

  /** Adds an entry whose key is not there to a segment that has room for it. */
  insert(
    key: string,
    entry: WeighedEntry<V>,
    { segment, spread }: { readonly segment: Segment<V>; readonly spread: number },
    now: number,
  ): void {
    this.#ports.budget.add(entry.weight);
    this.#size += 1;
    this.#bytes += entry.weight;
    this.#sets += 1;
    const { value, deadline, facts, weight } = entry;
    segment.add({ key, spread, value, deadline, facts, weight }, now);
  }

  /** Does what {@link insert} does with a plain entry, for values that nobody weighs. */
  insertPlain(
    segment: Segment<V>,
    key: string,
    spread: number,
    value: V,
    deadline: number,
    now: number,
  ): void {
    this.#ports.budget.add(0);
    this.#size += 1;
    this.#sets += 1;
    segment.addPlain(key, spread, value, deadline, now);
  }

  /** Removes an entry because the user asked; returns whether a live one was there. */
  delete(key: string, spread: number, now: number): boolean {
    this.#ports.absences?.forget(spread);
    const segment = this.table.segmentOf(spread);
    const row = segment.find(key, spread);
    if (row < 0) return false;
    const isLive = this.#isLive(segment, row, now) && !isStale(entryAt(segment, row), now);
    if (isLive) this.#deletes += 1;
    this.#remove(segment, row, now);
    return isLive;
  }

  /** Removes an entry that the cache itself gives up; counts nothing. */
  drop(key: string, spread: number, now: number): void {
    const segment = this.table.segmentOf(spread);
    const row = segment.find(key, spread);
    if (row >= 0) this.#remove(segment, row, now);
  }

  noteLeaving(segment: Segment<V>, row: number, reason: RemovalReason): void {
    this.#size -= 1;
    if (reason === 'expired') this.#expired += 1;
    else if (reason === 'evicted') this.#noteEvicted(segment.spreadAt(row));
    const weight = segment.weightAt(row);
    this.#bytes -= weight;
    this.#ports.budget.remove(weight);
    this.#ports.removals?.note(segment.keyAt(row), segment.valueAt(row), reason);
  }

  noteExpired(count: number): void {
    this.#size -= count;
    this.#expired += count;
    this.#ports.budget.entries -= count;
  }

  /** Notes an entry that belongs to another shard from now on. */
  noteMovedOut(weight: number): void {
    this.#size -= 1;
    this.#bytes -= weight;
  }

  /** Notes an entry that belonged to another shard until now. */
  noteMovedIn(weight: number): void {
    this.#size += 1;
    this.#bytes += weight;
  }

  /** Notes that all entries were dropped at once. */
  noteCleared(): void {
    this.#size = 0;
    this.#bytes = 0;
  }

  getMetrics(): ShardMetrics {
    return {
      size: this.#size,
      bytes: this.#bytes,
      hits: this.#hits,
      misses: this.#misses,
      expiredMisses: this.#expiredMisses,
      tagMisses: this.#tagMisses,
      sets: this.#sets,
      deletes: this.#deletes,
      expired: this.#expired,
      evicted: this.#evicted,
    };
  }

  /** Counts from zero again; what is held now stays. */
  resetMetrics(): void {
    this.#hits = 0;
    this.#misses = 0;
    this.#expiredMisses = 0;
    this.#tagMisses = 0;
    this.#sets = 0;
    this.#deletes = 0;
    this.#expired = 0;
    this.#evicted = 0;
  }

  #noteEvicted(spread: number): void {
    this.#evicted += 1;
    this.#ports.absences?.note(spread, 'evicted', this.#ports.budget.entries);
  }

  #isLive(segment: Segment<V>, row: number, now: number): boolean {
    if (segment.isExpired(row, now)) return false;
    return !segment.holdsFacts || this.#isAdmitted(segment, row);
  }

  #isAdmitted(segment: Segment<V>, row: number): boolean {
    const facts = segment.factsAt(row);
    const { stamps } = this.#ports;
    return facts === undefined || stamps === undefined || stamps.admits(segment.keyAt(row), facts);
  }

  #missAbsent(spread: number): undefined {
    this.#misses += 1;
    this.#ports.lastMiss.reason = this.#ports.absences?.reasonOf(spread) ?? 'absent';
  }

  #missDead(segment: Segment<V>, row: number, now: number): undefined {
    const reason = segment.isExpired(row, now) ? 'expired' : 'tag';
    this.#noteDead(reason);
    this.#ports.absences?.note(segment.spreadAt(row), reason, this.#ports.budget.entries);
    this.#remove(segment, row, now);
  }

  #noteDead(reason: 'expired' | 'tag'): void {
    this.#misses += 1;
    if (reason === 'expired') this.#expiredMisses += 1;
    else this.#tagMisses += 1;
    this.#ports.lastMiss.reason = reason;
  }

  #remove(segment: Segment<V>, row: number, now: number): void {
    this.noteLeaving(segment, row, segment.isExpired(row, now) ? 'expired' : 'deleted');
    segment.remove(row);
  }
}

function entryAt<V>(segment: Segment<V>, row: number): Entry<V> {
  return {
    value: segment.valueAt(row),
    deadline: segment.deadlineAt(row),
    facts: segment.factsAt(row),
  };
}
