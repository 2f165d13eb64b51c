import { FrequencySketch } from './frequency-sketch.js';

/** The part of a segment's rows that is its window. */
const WINDOW_SHARE = 0.1;
/** A window of fewer rows forgets a returning key too soon, unless it is a quarter of all. */
const WINDOW_FLOOR = 32;
/** The hand passes at most this many used rows before it takes one regardless: bounded work. */
const MAX_HAND_STEPS = 128;
/** A sketch for fewer than half of the rows is made anew. */
const OUTGROWN = 2;

/** The rows that an {@link Eviction} chooses among; a {@link Segment}, and it says what each does. */
export interface EvictionRows {
  readonly rows: number;
  isReleased(row: number): boolean;
  isExpired(row: number, now: number): boolean;
  spreadAt(row: number): number;
  usesOf(row: number): number;
  setUses(row: number, uses: number): void;
  remove(row: number): void;
  replaceBy(victim: number, winner: number): void;
}

/**
 * Chooses which entry of a full segment goes: a FIFO window, then a duel by frequency, then a CLOCK.
 *
 * New entries are in the window, the last tenth of the rows, used as a ring: the oldest is the next
 * candidate. It meets the victim of the main part, the other rows, which a hand finds as in CLOCK
 * (Corbató, 1968) with two bits for each row: a row in use loses one and stays. The candidate takes
 * the victim's row if it was read while it was new, or if a sketch has seen its key more often
 * (TinyLFU: Einziger, Friedman and Manes, 2017); otherwise it goes itself. So entries that are asked
 * for once, such as those of a scan, leave through the window and never displace what is in use.
 *
 * A hit costs nothing but its bits. The sketch is fed by misses and by the hand, and is made when
 * the first entry has to go: the rows are its history until then. Main part and window are given by
 * the number of rows alone, and a ring of rows with the winner put in the victim's place is the same
 * queue as a linked list, so nothing is moved otherwise.
 */
export class Eviction {
  readonly #segment: EvictionRows;
  #sketch: FrequencySketch;
  /** How many rows are the main part; the others are the window. */
  #main: number;
  /** Where the hand stands among the main rows. */
  #hand = 0;
  /** The oldest row of the window. */
  #oldest: number;
  /** The candidate that won its duel and is to take the victim's row. */
  #winner = -1;

  constructor(segment: EvictionRows) {
    this.#segment = segment;
    this.#main = mainRowsOf(segment.rows);
    this.#oldest = this.#main;
    this.#sketch = this.#newSketch();
  }

  /** Notes that a key was not there and is added. */
  miss(spread: number): void {
    this.#sketch.add(spread);
  }

  /** Notes that a row was added behind the others: the window moves on, and may leave one behind. */
  appended(): void {
    const { rows } = this.#segment;
    if (rows > OUTGROWN * this.#sketch.keys) this.#sketch = this.#newSketch();
    const left = this.#main;
    this.#main = mainRowsOf(rows);
    if (this.#main === left) return;
    this.#oldest = Math.max(this.#oldest, this.#main);
    if (this.#segment.isReleased(left) || this.#segment.usesOf(left) === 0) return;
    this.#sketch.add(this.#segment.spreadAt(left));
    this.#segment.setUses(left, 0);
  }

  /** Forgets where the rows were: they have been moved together. */
  rowsMoved(): void {
    this.#main = mainRowsOf(this.#segment.rows);
    this.#hand = 0;
    this.#oldest = this.#main;
  }

  /** Returns the row whose entry goes next: an expired one if it comes across it; -1 without any. */
  choose(now: number): number {
    const segment = this.#segment;
    this.#winner = -1;
    const candidate = this.#nextCandidate();
    if (candidate < 0) return this.#victim(now);
    const spread = segment.spreadAt(candidate);
    const hot = segment.usesOf(candidate) > 0;
    if (hot) this.#sketch.add(spread);
    if (segment.isExpired(candidate, now)) return candidate;
    const victim = this.#victim(now);
    if (victim < 0) return candidate;
    const wins =
      hot ||
      segment.isExpired(victim, now) ||
      this.#sketch.estimate(spread) > this.#sketch.estimate(segment.spreadAt(victim));
    if (!wins) return candidate;
    this.#winner = candidate;
    return victim;
  }

  /** Removes the entry of the row that was chosen; a candidate that won takes its place. */
  remove(row: number): void {
    if (this.#winner < 0) {
      this.#segment.remove(row);
    } else {
      this.#segment.replaceBy(row, this.#winner);
      this.#hand = row + 1;
    }
  }

  /** The oldest entry of the window, which is a ring; -1 if it is empty. */
  #nextCandidate(): number {
    const { rows } = this.#segment;
    for (let looked = rows - this.#main; looked > 0; looked--) {
      if (this.#oldest >= rows) this.#oldest = this.#main;
      const row = this.#oldest++;
      if (!this.#segment.isReleased(row)) return row;
    }
    return -1;
  }

  /** The main entry that goes if one has to; -1 if there is none. */
  #victim(now: number): number {
    const segment = this.#segment;
    let passed = 0;
    for (let empty = 0; empty < this.#main; this.#hand++) {
      if (this.#hand >= this.#main) this.#hand = 0;
      const row = this.#hand;
      if (segment.isReleased(row)) {
        empty += 1;
        continue;
      }
      const uses = segment.usesOf(row);
      if (uses === 0 || passed === MAX_HAND_STEPS || segment.isExpired(row, now)) return row;
      segment.setUses(row, uses - 1);
      this.#sketch.add(segment.spreadAt(row));
      passed += 1;
    }
    return -1;
  }

  /** A sketch with the segment's own history: each row was one miss, and one more if it was read. */
  #newSketch(): FrequencySketch {
    const segment = this.#segment;
    const sketch = new FrequencySketch(segment.rows);
    for (let row = 0; row < segment.rows; row++) {
      if (segment.isReleased(row)) continue;
      sketch.add(segment.spreadAt(row));
      if (row < this.#main && segment.usesOf(row) > 0) sketch.add(segment.spreadAt(row));
    }
    return sketch;
  }
}

/** The part of that many rows that is not the window. */
function mainRowsOf(rows: number): number {
  const share = Math.floor(rows * WINDOW_SHARE);
  return Math.max(0, rows - Math.max(1, share, Math.min(WINDOW_FLOOR, rows >> 2)));
}
