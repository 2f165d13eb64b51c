import { MAX_SHARDS, placePoints, type RingOptions } from '../../lib/memory/ring-points.js';

/** A point of a ring: its position and the shard it belongs to. */
export interface RingPoint {
  readonly position: number;
  readonly shard: number;
}

/** The plain definition of consistent hashing: the first point at or after the hash, by a full scan. */
export function ownerByScan(points: readonly RingPoint[], hash32: number): number {
  const position = hash32 >>> 0;
  let first: RingPoint | undefined;
  let lowest: RingPoint | undefined;
  for (const point of points) {
    if (isBefore(point, lowest)) lowest = point;
    if (point.position >= position && isBefore(point, first)) first = point;
  }
  return (first ?? lowest)!.shard;
}

/** Of points in one place the one with the lower shard comes first. */
function isBefore(point: RingPoint, other: RingPoint | undefined): boolean {
  if (other === undefined || point.position < other.position) return true;
  return point.position === other.position && point.shard < other.shard;
}

/** The points of a ring with these options. */
export function pointsOf(options: RingOptions): RingPoint[] {
  return Array.from(placePoints(options), (point) => ({
    position: Math.floor(point / MAX_SHARDS),
    shard: point % MAX_SHARDS,
  }));
}
