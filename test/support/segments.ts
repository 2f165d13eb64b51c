import { Segment } from '../../lib/memory/segment.js';

export const NEVER = Infinity;

/** A segment of small numbers with room for `capacity` entries, at clock time `now`. */
export function openSegment(capacity: number, now = 0): Segment<number> {
  const segment = new Segment<number>(0, now);
  segment.reallocate(capacity);
  return segment;
}

/** A spread whose home is a given part of the index, from 0 to 1, with a tag of its own. */
export function spreadAt(part: number, tag = 0): number {
  return (Math.floor(part * 2 ** 32) + (tag << 15)) | 0;
}

/** Adds `key-<id>` with a spread of its own. */
export function addRow(segment: Segment<number>, id: number, deadline = NEVER, now = 0): number {
  return segment.addPlain(`key-${id}`, spreadOfId(id), id, deadline, now);
}

/** The row of `key-<id>`, or -1. */
export function findRow(segment: Segment<number>, id: number): number {
  return segment.find(`key-${id}`, spreadOfId(id));
}

export function spreadOfId(id: number): number {
  return Math.imul(id + 1, 0x9e3779b1) & ~3;
}
