import { OptionReader } from '../options.js';
import { hashText, type Hash } from './hash.js';
import { MAX_SHARDS, placePoints, RING_LENGTH, type RingOptions } from './ring-points.js';

/** Options of a {@link ConsistentHash}. */
export interface ConsistentHashOptions {
  /** Number of shards, from 1 to 1,024. */
  readonly numShards: number;
  /**
   * Points that each shard has on the ring, from 1 to 1,024. More points spread the keys more
   * evenly and make the ring larger: the spread falls with the square root.
   * @default 150
   */
  readonly virtualNodes?: number;
  /**
   * Seed of the hash, for the points and the keys alike. Rings agree only with equal seeds.
   * @default a constant whose rings are even
   */
  readonly seed?: number;
  /** The hash of points and keys; the ring reads all 32 bits. */
  readonly hash?: Hash;
}

export const DEFAULT_VIRTUAL_NODES = 150;
/** Found by trying 600 seeds: the most even rings of 2 to 64 shards at 150 virtual nodes. */
export const DEFAULT_RING_SEED = 571;

/** More would take seconds to place. */
const MAX_POINTS = 262_144;

/** Slots in the look-up table for each point on the ring: 93 of 100 look-ups compare no point. */
const SLOTS_PER_POINT = 8;
/** What a slot says in place of a shard when a point lies in it. */
const MIXED = 0xffff;

/**
 * Maps keys to shards by consistent hashing (Karger et al., 1997): every shard owns many points on a
 * ring of 32-bit hashes and a key belongs to the first point at or after its own hash. Going from n
 * to m shards moves only the keys that the new shards take, about (m - n) / m of them.
 *
 * A table over the hash's top bits says the shard where a slot belongs to one. In the other slots a
 * second table says where on the ring to begin: a look-up is one read, or a short scan, and gives
 * exactly the answer of a binary search.
 */
export class ConsistentHash {
  readonly numShards: number;
  readonly #seed: number;
  readonly #hash: Hash;
  /** Positions of the points in ascending order, and the shard that each belongs to. */
  readonly #positions: Uint32Array;
  readonly #owners: Uint16Array;
  /** For each value of the hash's top bits the shard that all its positions belong to, or `MIXED`. */
  readonly #slots: Uint16Array;
  readonly #slotShift: number;
  /** The first point that lies in a slot or behind it. */
  readonly #firstPoints: Int32Array;

  /** @throws {InvalidOptionsError} for a number of shards or virtual nodes out of range */
  constructor(options: ConsistentHashOptions) {
    const read = new OptionReader('ConsistentHash', options);
    const ring = readRingOptions(read, DEFAULT_RING_SEED);
    read.finish();
    this.numShards = ring.numShards;
    this.#seed = ring.seed;
    this.#hash = ring.hash;
    const points = placePoints(ring);
    this.#positions = Uint32Array.from(points, (point) => Math.floor(point / MAX_SHARDS));
    this.#owners = Uint16Array.from(points, (point) => point % MAX_SHARDS);
    const slotBits = Math.ceil(Math.log2(points.length * SLOTS_PER_POINT));
    this.#slotShift = 32 - slotBits;
    this.#firstPoints = firstPointsOf(this.#positions, slotBits);
    this.#slots = ownersOf(this.#firstPoints, this.#positions, this.#owners);
  }

  /** Returns the shard of a key, from 0 to `numShards - 1`. */
  shardFor(key: string): number {
    return this.shardForHash(this.#hash(key, this.#seed));
  }

  /** Returns the shard of a 32-bit hash that was made with this ring's seed; its sign does not matter. */
  shardForHash(hash32: number): number {
    const shard = this.#slots[hash32 >>> this.#slotShift]!;
    return shard === MIXED ? this.#scan(hash32 >>> 0) : shard;
  }

  /** Returns the share of all hashes that each shard has; together they are 1. */
  shares(): Float64Array {
    const shares = new Float64Array(this.numShards);
    let before = this.#positions.at(-1)! - RING_LENGTH;
    for (const [point, position] of this.#positions.entries()) {
      shares[this.#owners[point]!]! += (position - before) / RING_LENGTH;
      before = position;
    }
    return shares;
  }

  #scan(position: number): number {
    const positions = this.#positions;
    let point = this.#firstPoints[position >>> this.#slotShift]!;
    while (point < positions.length && positions[point]! < position) point++;
    return this.#owners[point === positions.length ? 0 : point]!;
  }
}

/** Reads the options that a ring shares with the caches built on one; those have a default for each. */
export function readRingOptions(
  read: OptionReader,
  defaultSeed: number,
  defaultShards?: number,
): RingOptions {
  const isMissing = defaultShards === undefined && read.raw('numShards') === undefined;
  if (isMissing) read.reject('numShards', 'must be a whole number from 1 to 1024');
  const ring = {
    numShards: read.integer('numShards', defaultShards ?? 1, { min: 1, max: MAX_SHARDS }),
    virtualNodes: read.integer('virtualNodes', DEFAULT_VIRTUAL_NODES, { min: 1, max: 1_024 }),
    seed: read.integer('seed', defaultSeed, { min: -(2 ** 31), max: 2 ** 32 - 1 }),
    hash: read.callback('hash', hashText),
  };
  const mostNodes = Math.floor(MAX_POINTS / ring.numShards);
  if (ring.virtualNodes > mostNodes) {
    const shards = `${ring.numShards} shards: a ring has at most ${MAX_POINTS} points`;
    read.reject('virtualNodes', `must be at most ${mostNodes} for ${shards}`);
  }
  return ring;
}

function firstPointsOf(positions: Uint32Array, slotBits: number): Int32Array {
  const firstPoints = new Int32Array(2 ** slotBits);
  const slotLength = RING_LENGTH / firstPoints.length;
  let point = 0;
  for (let slot = 0; slot < firstPoints.length; slot++) {
    while (point < positions.length && positions[point]! < slot * slotLength) point++;
    firstPoints[slot] = point;
  }
  return firstPoints;
}

/** The shard of each slot: a point on its last position is the owner of the whole slot. */
function ownersOf(
  firstPoints: Int32Array,
  positions: Uint32Array,
  owners: Uint16Array,
): Uint16Array {
  const slotLength = RING_LENGTH / firstPoints.length;
  return Uint16Array.from(firstPoints, (point, slot) => {
    const lastPosition = (slot + 1) * slotLength - 1;
    const isWhole = point === positions.length || positions[point]! >= lastPosition;
    return isWhole ? owners[point % positions.length]! : MIXED;
  });
}
