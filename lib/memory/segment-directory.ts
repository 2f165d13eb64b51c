import type { Segment } from './segment.js';

/** The two low bits of a spread are not kept with the row: the next ones choose the segment. */
const UNKEPT_BITS = 2;

/** The bits of a spread that choose a segment, from the lowest on. */
export function segmentBitsOf(spread: number): number {
  return spread >>> UNKEPT_BITS;
}

/** A table as a directory sees it; a {@link RowTable}. */
export interface DirectoryTable<V> {
  /** For each value of the low bits the segment of those keys; a power of two of them. */
  readonly places: readonly Segment<V>[];
  /** Calls `changed` from now on, and nobody else, whenever `places` become others. */
  watch(changed: () => void): void;
}

/**
 * The segments of all shards in one array: a read gets from shard and hash to the segment in one
 * step, where going through shard and table takes five that each wait for the one before.
 *
 * It repeats what the tables know. Each shard has as many places as the deepest table needs, and a
 * table of which shards share is repeated for each of them.
 */
export class SegmentDirectory<V> {
  /** The table of each shard. */
  readonly #tables: readonly DirectoryTable<V>[];
  #segments: Segment<V>[] = [];
  /** A shard has 2^depth places. */
  #depth = 0;
  #mask = 0;

  constructor(tables: readonly DirectoryTable<V>[]) {
    this.#tables = tables;
    for (const table of new Set(tables)) table.watch(() => this.#update(table));
    this.#build();
  }

  /** The segment of a key of a shard. */
  segmentOf(shard: number, spread: number): Segment<V> {
    return this.#segments[(shard << this.#depth) | (segmentBitsOf(spread) & this.#mask)]!;
  }

  #update(table: DirectoryTable<V>): void {
    if (table.places.length > this.#mask + 1) {
      this.#build();
      return;
    }
    for (const [shard, own] of this.#tables.entries()) {
      if (own !== table) continue;
      for (let place = 0; place <= this.#mask; place++) {
        this.#segments[(shard << this.#depth) | place] = segmentFor(table, place);
      }
    }
  }

  #build(): void {
    this.#mask = Math.max(...this.#tables.map(({ places }) => places.length)) - 1;
    this.#depth = Math.log2(this.#mask + 1);
    this.#segments = this.#tables.flatMap((table) =>
      Array.from({ length: this.#mask + 1 }, (_, place) => segmentFor(table, place)),
    );
  }
}

function segmentFor<V>({ places }: DirectoryTable<V>, bits: number): Segment<V> {
  return places[bits & (places.length - 1)]!;
}
