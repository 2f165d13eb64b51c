import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { hashText, type Hash } from '../../lib/memory/hash.js';
import { placePoints, type RingOptions } from '../../lib/memory/ring-points.js';
import { pointsOf, type RingPoint } from '../support/hash-ring.js';

const RING_LENGTH = 2 ** 32;

describe(placePoints.name, () => {
  it('leaves the points of the shards where they are when more shards come', () => {
    const options = { virtualNodes: 40, seed: 5, hash: hashText };
    const few = pointsOf({ ...options, numShards: 6 });
    const many = pointsOf({ ...options, numShards: 9 });

    expect(many.filter(({ shard }) => shard < 6)).toEqual(few);
  });

  it('takes the candidate in the wider gap', () => {
    const places: Record<string, number> = {
      'shard-0#0': 100,
      'shard-0#0/2': 200,
      'shard-0#1': 1_100,
      'shard-0#1/2': 5,
      'shard-1#0': 600,
      'shard-1#0/2': 3_000_000_000,
      'shard-1#1': 2_000_000_000,
      'shard-1#1/2': 500,
    };

    const points = pointsOf({
      numShards: 2,
      virtualNodes: 2,
      seed: 0,
      hash: (text) => places[text]!,
    });

    expect(points).toEqual([
      { position: 100, shard: 0 },
      { position: 1_100, shard: 0 },
      { position: 2_000_000_000, shard: 1 },
      { position: 3_000_000_000, shard: 1 },
    ]);
  });

  it('places every point as a naive search through all earlier ones does', () => {
    const shapes = fc.record({
      numShards: fc.integer({ min: 1, max: 5 }),
      virtualNodes: fc.integer({ min: 1, max: 6 }),
      seed: fc.integer(),
      // Few places make points meet; all of them make the ring a common one.
      places: fc.constantFrom(3, 50, 2 ** 32),
    });
    const placesAlike = (): void =>
      fc.assert(
        fc.property(shapes, ({ places, ...shape }) => {
          const hash: Hash = (text, seed) => (hashText(text, seed) >>> 0) % places;
          const options = { ...shape, hash };
          expect(pointsOf(options)).toEqual(placeNaively(options));
        }),
        { numRuns: 200 },
      );

    expect(placesAlike).not.toThrow();
  });
});

/** Every shard's points, each in the wider of two gaps between those of the shards before it. */
function placeNaively({ numShards, virtualNodes, seed, hash }: RingOptions): RingPoint[] {
  let placed: RingPoint[] = [];
  for (let shard = 0; shard < numShards; shard++) {
    const added = Array.from({ length: virtualNodes }, (_, node) => {
      const first = hash(`shard-${shard}#${node}`, seed) >>> 0;
      const second = hash(`shard-${shard}#${node}/2`, seed) >>> 0;
      const position = gapAround(placed, second) > gapAround(placed, first) ? second : first;
      return { position, shard };
    });
    placed = placed.concat(added);
  }
  return placed.toSorted((a, b) => a.position - b.position || a.shard - b.shard);
}

function gapAround(points: readonly RingPoint[], position: number): number {
  if (points.length === 0) return RING_LENGTH;
  const positions = points.map((point) => point.position);
  const before = Math.max(...positions.map((at) => (at < position ? at : at - RING_LENGTH)));
  const after = Math.min(...positions.map((at) => (at >= position ? at : at + RING_LENGTH)));
  return after - before;
}
