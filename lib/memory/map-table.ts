import type { EntryTable, Eviction, FoundEntry, NewEntry, SweepStep } from './entry-table.js';

interface Row<V> extends NewEntry<V> {
  /** Whether it was read since the hand last passed. */
  used: boolean;
}

/** The hand passes at most this many used rows before it takes one regardless: bounded work. */
const MAX_HAND_STEPS = 128;

/**
 * A table over a `Map`. Eviction is CLOCK, in its form of a queue with second chances (Corbató,
 * 1968): the hand takes the oldest row; one that was read since its last turn goes to the end of the
 * queue instead, unmarked. A `Map` iterates in insertion order and its iterators go on while rows
 * come and go, so the hand is one iterator that stands at the front for as long as rows exist.
 */
export class MapTable<V> implements EntryTable<V> {
  #rows = new Map<string, Row<V>>();
  /** Made when it is first needed: an iterator that stands still keeps every table the map outgrew. */
  #hand: MapIterator<[string, Row<V>]> | undefined;
  #sweep: Sweep<V> | undefined;
  #earliestDeadline = Infinity;

  get size(): number {
    return this.#rows.size;
  }

  get earliestDeadline(): number {
    return Math.min(this.#earliestDeadline, this.#sweep?.earliestBefore ?? Infinity);
  }

  read(key: string): FoundEntry<V> | undefined {
    const row = this.#rows.get(key);
    if (row !== undefined) row.used = true;
    return row;
  }

  peek(key: string): FoundEntry<V> | undefined {
    return this.#rows.get(key);
  }

  replace(key: string, entry: NewEntry<V>): boolean {
    const row = this.#rows.get(key);
    if (row === undefined) return false;
    row.value = entry.value;
    row.deadline = entry.deadline;
    row.facts = entry.facts;
    row.used = true;
    this.#note(entry.deadline);
    return true;
  }

  insert(key: string, { value, deadline, facts }: NewEntry<V>): void {
    this.#rows.set(key, { value, deadline, facts, used: false });
    this.#note(deadline);
  }

  delete(key: string): boolean {
    return this.#rows.delete(key);
  }

  clear(): void {
    this.#rows = new Map();
    this.#hand = undefined;
    this.#sweep = undefined;
    this.#earliestDeadline = Infinity;
  }

  evict(now: number): Eviction | undefined {
    for (let step = 0; ; step++) {
      const next = this.#nextAtHand();
      if (next === undefined) return undefined;
      const [key, row] = next;
      this.#rows.delete(key);
      if (row.deadline <= now) return 'expired';
      if (!row.used || step >= MAX_HAND_STEPS) return 'evicted';
      row.used = false;
      this.#rows.set(key, row);
      this.#note(row.deadline);
    }
  }

  beginSweep(isDead: (key: string, entry: FoundEntry<V>) => boolean): void {
    this.#sweep = {
      isDead,
      rows: this.#rows.entries(),
      left: this.#rows.size,
      earliestSurvivor: Infinity,
      earliestBefore: this.earliestDeadline,
    };
    this.#earliestDeadline = Infinity;
  }

  sweepRows(count: number): SweepStep {
    const sweep = this.#sweep;
    if (sweep === undefined) return { removed: 0, done: true };
    let removed = 0;
    for (let looked = 0; looked < count; looked++) {
      const next = sweep.left-- > 0 ? sweep.rows.next() : undefined;
      if (next === undefined || next.done === true) {
        this.#sweep = undefined;
        this.#note(sweep.earliestSurvivor);
        return { removed, done: true };
      }
      const [key, row] = next.value;
      if (sweep.isDead(key, row)) {
        this.#rows.delete(key);
        removed += 1;
      } else {
        sweep.earliestSurvivor = Math.min(sweep.earliestSurvivor, row.deadline);
      }
    }
    return { removed, done: false };
  }

  entries(): IterableIterator<[string, FoundEntry<V>]> {
    return this.#rows.entries();
  }

  #note(deadline: number): void {
    if (deadline < this.#earliestDeadline) this.#earliestDeadline = deadline;
  }

  /** The row at the front. The hand starts again when it ran off an emptied table. */
  #nextAtHand(): [string, Row<V>] | undefined {
    let next = this.#hand?.next();
    if (next === undefined || next.done === true) {
      this.#hand = this.#rows.entries();
      next = this.#hand.next();
    }
    return next.done === true ? undefined : next.value;
  }
}

interface Sweep<V> {
  readonly isDead: (key: string, entry: FoundEntry<V>) => boolean;
  readonly rows: MapIterator<[string, Row<V>]>;
  /** Rows to look at: those that were there at the start. */
  left: number;
  earliestSurvivor: number;
  /** Holds for the table until the sweep has seen every row. */
  readonly earliestBefore: number;
}
