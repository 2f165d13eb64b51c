import type { EntryBudget } from './entry-budget.js';
import type { RowTable } from './row-table.js';
import type { Segment } from './segment.js';

/** What an {@link Admission} is made of. */
export interface AdmissionOptions<V> {
  readonly budget: EntryBudget;
  /** Every table that holds entries now. */
  readonly tables: () => readonly RowTable<V>[];
}

/**
 * Lets new entries in, and takes others out for them where a bound asks for it: first of the
 * segment that the new one goes to, so the sizes of the shards follow their shares of the ring, then
 * of the others in turn. So the bounds hold at every moment.
 */
export class Admission<V> {
  readonly #options: AdmissionOptions<V>;
  /** The table that gives the next entry away when a segment in need has none. */
  #donor = 0;

  constructor(options: AdmissionOptions<V>) {
    this.#options = options;
  }

  /** Takes out what must go for a new entry, and returns the segment that has room for it. */
  makeRoom(table: RowTable<V>, spread: number, weight: number, now: number): Segment<V> {
    const { budget } = this.#options;
    const home = table.segmentOf(spread);
    if (budget.fits(weight)) {
      home.noteMiss(spread);
    } else {
      home.openEviction();
      home.noteMiss(spread);
      if (!table.evictFrom(home, now)) this.#donate(now);
      while (!budget.fits(weight)) this.#donate(now);
    }
    if (home.hasRoom) return home;
    const segment = table.segmentWithRoom(spread, now);
    if (segment !== undefined) return segment;
    // Another than before: it may have split, and not often enough.
    const full = table.segmentOf(spread);
    table.evictFrom(full, now);
    return full;
  }

  /** Takes an entry out of the next table that has one. */
  #donate(now: number): void {
    const tables = this.#options.tables();
    for (;;) {
      this.#donor = (this.#donor + 1) % tables.length;
      const table = tables[this.#donor]!;
      const segment = table.nextDonor();
      if (segment !== undefined && table.evictFrom(segment, now)) return;
    }
  }
}
