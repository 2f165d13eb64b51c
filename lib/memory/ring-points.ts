import type { Hash } from './hash.js';

/** The options of a ring with every default filled in. */
export interface RingOptions {
  readonly numShards: number;
  readonly virtualNodes: number;
  readonly seed: number;
  readonly hash: Hash;
}

/** The most shards of a ring: multiplied by it, a position leaves room for a shard's number. */
export const MAX_SHARDS = 1_024;

/** Positions on a ring are 32-bit hashes. */
export const RING_LENGTH = 2 ** 32;

/**
 * Returns a ring's points in ascending order, each as one number: its position times
 * {@link MAX_SHARDS}, plus its shard.
 *
 * Each point has two candidates, the hashes of two labels, and takes the one in the wider gap
 * between the points of the shards before it (the power of two choices, Mitzenmacher, 1996): the
 * shares of the shards differ by about a third less. Shards do not move the points of those before
 * them, so a ring of more shards still has all points of one of fewer.
 */
export function placePoints({ numShards, virtualNodes, seed, hash }: RingOptions): Float64Array {
  let ring = new Float64Array(0);
  const added = new Float64Array(virtualNodes);
  for (let shard = 0; shard < numShards; shard++) {
    for (let node = 0; node < virtualNodes; node++) {
      const label = `shard-${shard}#${node}`;
      const first = hash(label, seed) >>> 0;
      const second = hash(`${label}/2`, seed) >>> 0;
      const position = gapAt(ring, second) > gapAt(ring, first) ? second : first;
      added[node] = position * MAX_SHARDS + shard;
    }
    ring = merge(ring, added.toSorted());
  }
  return ring;
}

/** The distance between the two points that a position lies between. */
function gapAt(ring: Float64Array, position: number): number {
  if (ring.length === 0) return RING_LENGTH;
  const next = firstAtOrAfter(ring, position * MAX_SHARDS);
  const after = next < ring.length ? ring[next]! : ring[0]! + RING_LENGTH * MAX_SHARDS;
  const before = next > 0 ? ring[next - 1]! : ring.at(-1)! - RING_LENGTH * MAX_SHARDS;
  return Math.floor(after / MAX_SHARDS) - Math.floor(before / MAX_SHARDS);
}

function firstAtOrAfter(ring: Float64Array, point: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ring[middle]! < point) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(one: Float64Array, other: Float64Array): Float64Array<ArrayBuffer> {
  const merged = new Float64Array(one.length + other.length);
  let left = 0;
  let right = 0;
  for (let at = 0; at < merged.length; at++) {
    const takeLeft = right === other.length || (left < one.length && one[left]! < other[right]!);
    merged[at] = takeLeft ? one[left++]! : other[right++]!;
  }
  return merged;
}
