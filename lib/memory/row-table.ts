import type { RemovalReason } from './removal-notifier.js';
import { segmentBitsOf } from './segment-directory.js';
import { sweepSegment, type SweepPorts } from './segment-sweep.js';
import { MAX_ROWS, Segment } from './segment.js';

/** A segment of this many rows splits: its own pauses stay well below a millisecond. */
const SPLIT_ROWS = 4_096;
/** A table whose size is known begins with segments that will hold about this many. */
const TARGET_ROWS = 3_584;
const SMALLEST_CAPACITY = 8;
/** A table begins with at most 2^8 segments, however many entries it expects. */
const MAX_FIRST_DEPTH = 8;
const MAX_DEPTH = 24;
/** A split is worth its place in the directory if this part of the rows goes either way. */
const WORTHWHILE = 1 / 8;
/** How many splits ahead may do that; keys whose hashes are equal are never told apart. */
const LOOK_AHEAD_BITS = 4;
/** A directory has at most this many places for each segment, whatever the hashes are. */
const MAX_PLACES_PER_SEGMENT = 16;

/** Keeps account of entries that leave a table on their own: the shard that they belong to. */
export interface RowOwner<V> {
  /** Whether it has to be told of each entry; else a number is enough. */
  readonly hearsEach: boolean;
  /** Notes an entry that is about to leave its row. */
  noteLeaving(segment: Segment<V>, row: number, reason: RemovalReason): void;
  /** Notes that many entries have expired. */
  noteExpired(count: number): void;
}

/** What a {@link RowTable} is made for. */
export interface RowTableOptions<V> {
  /** Whom all entries belong to; `undefined` where that is asked for each. */
  readonly owner: RowOwner<V> | undefined;
  readonly ownerOf: (key: string) => RowOwner<V>;
  /** How many entries it will hold at most, about; `Infinity` where nothing is known. */
  readonly expectedRows: number;
}

/** A place in a walk over the segments of a table: from 0 up to {@link WALK_END}. */
export type WalkPosition = number;

/** Where a walk is over. */
export const WALK_END: WalkPosition = 2 ** MAX_DEPTH;

/**
 * The entries of a shard, in small segments: whatever takes a time that grows with a table (to
 * grow, to be swept, to choose a victim) is done to one segment and takes a fraction of a
 * millisecond.
 *
 * The low bits of a key's spread choose its segment through a directory. A table that knows how many
 * entries it will hold begins with enough segments. One that does not splits a full segment in two
 * by the next bit, and doubles the directory when that segment used all bits of it (extendible
 * hashing: Fagin, Nievergelt, Pippenger and Strong, 1979).
 */
export class RowTable<V> {
  readonly #options: RowTableOptions<V>;
  readonly #firstDepth: number;
  /** What a segment's capacity grows to before it takes small steps. */
  readonly #targetRows: number;
  /** For each value of the low bits the segment of those keys; a power of two of them. */
  #places: readonly Segment<V>[] = [];
  #segmentCount = 0;
  #onChange: (() => void) | undefined;
  /** The order up to which entries killed through a tag or a namespace have been swept away. */
  sweptOrder = 0;
  /** Where the search for an entry to give away goes on. */
  #donor = 0;

  constructor(options: RowTableOptions<V>, now: number) {
    const { expectedRows } = options;
    this.#options = options;
    const segments = expectedRows === Infinity ? 1 : expectedRows / TARGET_ROWS;
    const depth = Math.max(0, Math.ceil(Math.log2(segments)));
    this.#firstDepth = Math.min(depth, MAX_FIRST_DEPTH);
    this.#targetRows = roomFor(expectedRows / 2 ** this.#firstDepth);
    this.clear(now);
  }

  /** Every segment once. */
  get segments(): readonly Segment<V>[] {
    return [...new Set(this.#places)];
  }

  /** For each value of the low bits the segment of those keys; a power of two of them. */
  get places(): readonly Segment<V>[] {
    return this.#places;
  }

  /** The segment of a key. */
  segmentOf(spread: number): Segment<V> {
    return this.#places[segmentBitsOf(spread) & (this.#places.length - 1)]!;
  }

  /** Calls `changed` from now on, and nobody else, whenever a key's segment becomes another. */
  watch(changed: () => void): void {
    this.#onChange = changed;
  }

  /**
   * Returns the segment of a key with room for one more entry. One can be too large to grow only where
   * hashes tell its keys hardly apart: `undefined` then, and one of its entries has to go.
   */
  segmentWithRoom(spread: number, now: number): Segment<V> | undefined {
    for (;;) {
      const segment = this.segmentOf(spread);
      if (segment.hasRoom) return segment;
      if (segment.capacity >= SPLIT_ROWS && this.#split(segment, spread, now)) continue;
      if (segment.capacity === MAX_ROWS) return undefined;
      segment.reallocate(this.#nextCapacity(segment.capacity));
    }
  }

  /** Returns a segment that has an entry to give away, each in turn; `undefined` if all are empty. */
  nextDonor(): Segment<V> | undefined {
    for (let looked = 0; looked < this.#places.length; looked++) {
      this.#donor = (this.#donor + 1) % this.#places.length;
      const segment = this.#places[this.#donor]!;
      if (segment.live > 0) return segment;
    }
    return undefined;
  }

  /** Removes one entry of a segment to make room: an expired or a little used one. */
  evictFrom(segment: Segment<V>, now: number): boolean {
    const row = segment.chooseVictim(now);
    if (row < 0) return false;
    const owner = this.#options.owner ?? this.#options.ownerOf(segment.keyAt(row));
    owner.noteLeaving(segment, row, segment.isExpired(row, now) ? 'expired' : 'evicted');
    segment.evict(row);
    return true;
  }

  /** Removes the dead entries of a segment; returns how many. */
  sweep(segment: Segment<V>, ports: SweepPorts): number {
    const { owner, ownerOf } = this.#options;
    if (owner?.hearsEach === false) {
      const removed = sweepSegment(segment, ports, undefined);
      owner.noteExpired(removed);
      return removed;
    }
    return sweepSegment(segment, ports, (row) => {
      ownerOf(segment.keyAt(row)).noteLeaving(segment, row, 'expired');
    });
  }

  /**
   * The segment at a position of a walk. The positions count the directory's bits from the highest
   * to the lowest, so a walk that goes on after a split meets each half of what it had not seen, and
   * nothing twice (as SCAN does in Redis).
   */
  segmentAt(position: WalkPosition): Segment<V> {
    return this.#places[reverseBits(position) & (this.#places.length - 1)]!;
  }

  /** The position behind the segment at a position. */
  positionAfter(position: WalkPosition): WalkPosition {
    const { depth } = this.segmentAt(position);
    return (position | (2 ** (MAX_DEPTH - depth) - 1)) + 1;
  }

  /** The keys of all rows, a segment at a time: those of one are listed when it is reached. */
  *keys(): IterableIterator<string> {
    for (let position = 0; position < WALK_END;) {
      const segment = this.segmentAt(position);
      position = this.positionAfter(position);
      const keys: string[] = [];
      for (let row = 0; row < segment.rows; row++) {
        if (!segment.isReleased(row)) keys.push(segment.keyAt(row));
      }
      yield* keys;
    }
  }

  /** Drops every entry in one step; returns the segments that held them. */
  clear(now: number): readonly Segment<V>[] {
    const dropped = this.segments;
    const depth = this.#firstDepth;
    this.#segmentCount = 2 ** depth;
    this.#change(Array.from({ length: this.#segmentCount }, () => new Segment<V>(depth, now)));
    return dropped;
  }

  #nextCapacity(capacity: number): number {
    if (capacity < this.#targetRows) {
      const next = capacity < SPLIT_ROWS / 2 ? 2 * capacity : capacity + (capacity >> 2);
      return Math.min(Math.max(next, SMALLEST_CAPACITY), this.#targetRows);
    }
    const step = capacity < SPLIT_ROWS ? capacity >> 4 : capacity >> 2;
    const limit = capacity < SPLIT_ROWS ? SPLIT_ROWS : MAX_ROWS;
    return Math.min(capacity + Math.max(step, 1), limit);
  }

  /** Replaces a segment by two; returns whether its keys can be told apart. */
  #split(segment: Segment<V>, spread: number, now: number): boolean {
    const { depth } = segment;
    const deepens = this.#places.length === 2 ** depth;
    if (deepens && 2 * this.#places.length > MAX_PLACES_PER_SEGMENT * this.#segmentCount)
      return false;
    if (!isSeparable(segment)) return false;
    const rows = rowsByBit(segment, depth);
    const low = this.#part(segment, rows.clear, now);
    const high = this.#part(segment, rows.set, now);
    const places = deepens ? [...this.#places, ...this.#places] : [...this.#places];
    const prefix = segmentBitsOf(spread) & (2 ** depth - 1);
    for (let place = prefix; place < places.length; place += 2 ** depth) {
      places[place] = (place & (2 ** depth)) === 0 ? low : high;
    }
    this.#segmentCount += 1;
    this.#change(places);
    return true;
  }

  #change(places: readonly Segment<V>[]): void {
    this.#places = places;
    this.#onChange?.();
  }

  /** A segment with some of another's rows, in their order. */
  #part(from: Segment<V>, rows: readonly number[], now: number): Segment<V> {
    const part = new Segment<V>(from.depth + 1, now);
    const spare = Math.min(SPLIT_ROWS, rows.length + (rows.length >> 2));
    if (rows.length > 0) part.reallocate(Math.max(rows.length, spare));
    for (const row of rows) part.addCopy(from, row, now);
    return part;
  }
}

/** Whether one of the next bits tells enough of a segment's keys apart. */
function isSeparable<V>(segment: Segment<V>): boolean {
  const lastDepth = Math.min(MAX_DEPTH, segment.depth + LOOK_AHEAD_BITS) - 1;
  for (let depth = segment.depth; depth <= lastDepth; depth++) {
    const rows = rowsByBit(segment, depth);
    if (Math.min(rows.set.length, rows.clear.length) >= segment.live * WORTHWHILE) return true;
  }
  return false;
}

/** The rows by one of the bits that choose their segment. */
function rowsByBit<V>(segment: Segment<V>, bit: number): Record<'set' | 'clear', number[]> {
  const rows: Record<'set' | 'clear', number[]> = { set: [], clear: [] };
  for (let row = 0; row < segment.rows; row++) {
    if (!segment.isReleased(row))
      rows[((segmentBitsOf(segment.spreadAt(row)) >>> bit) & 1) === 0 ? 'clear' : 'set'].push(row);
  }
  return rows;
}

/** Shares differ by chance: three standard deviations more leave hardly a segment too small. */
function roomFor(rows: number): number {
  const room = Math.ceil(rows + 3 * Math.sqrt(rows));
  return Math.min(Math.max(room, SMALLEST_CAPACITY), SPLIT_ROWS);
}

/** Turns the 24 bits of a number round. */
function reverseBits(bits: number): number {
  let reversed = ((bits & 0x555555) << 1) | ((bits >>> 1) & 0x555555);
  reversed = ((reversed & 0x333333) << 2) | ((reversed >>> 2) & 0x333333);
  reversed = ((reversed & 0x0f0f0f) << 4) | ((reversed >>> 4) & 0x0f0f0f);
  return ((reversed & 0xff) << 16) | (reversed & 0xff00) | (reversed >>> 16);
}
