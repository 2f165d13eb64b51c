import type { EntryFacts } from './entry.js';
import { MAX_ROWS, type Segment } from './segment.js';

/** From this part of dead rows on, making the index anew is cheaper than to unlink each. */
const MANY = 1 / 16;
/** A segment with fewer entries than this part of its rows gets smaller arrays. */
const SPARSE = 1 / 4;
const SMALLEST = 64;

/** Whether a segment's arrays have become far too large for what is left in it. */
export function isSparse<V>({ capacity, live }: Segment<V>): boolean {
  return capacity > SMALLEST && live < capacity * SPARSE;
}

/** What a sweep asks and tells. */
export interface SweepPorts {
  /** Clock time in milliseconds. */
  readonly now: number;
  /** Whether what the entry's tags and namespaces say still holds; asked for entries with facts. */
  readonly admits: ((key: string, facts: EntryFacts) => boolean) | undefined;
}

/** The dead rows of the segment that is swept: nothing interrupts that, so one list is enough. */
const dead = new Uint16Array(MAX_ROWS);

/**
 * Removes a segment's dead entries, in the way that is cheapest for as many as there are, and gives
 * back arrays that have become far too large.
 *
 * @param leaving is called with the row of each before it goes, if somebody has to know
 * @returns how many
 */
export function sweepSegment<V>(
  segment: Segment<V>,
  ports: SweepPorts,
  leaving: ((row: number) => void) | undefined,
): number {
  const count = findDead(segment, ports);
  if (leaving !== undefined) for (let at = 0; at < count; at++) leaving(dead[at]!);
  if (count === segment.live) segment.clear();
  else if (count > segment.live * MANY) segment.removeMany(dead, count);
  else for (let at = 0; at < count; at++) segment.remove(dead[at]!);
  if (isSparse(segment)) {
    segment.reallocate(Math.max(SMALLEST, 2 * segment.live));
  }
  return count;
}

/** Lists the dead rows and returns how many; notes the earliest deadline of the others. */
function findDead<V>(segment: Segment<V>, { now, admits }: SweepPorts): number {
  const asked = segment.holdsFacts ? admits : undefined;
  let count = 0;
  let earliest = Infinity;
  for (let row = 0; row < segment.rows; row++) {
    if (segment.isReleased(row)) continue;
    if (segment.isExpired(row, now) || isForbidden(segment, row, asked)) {
      dead[count++] = row;
    } else {
      const deadline = segment.deadlineAt(row);
      if (deadline < earliest) earliest = deadline;
    }
  }
  segment.earliestDeadline = earliest;
  return count;
}

function isForbidden<V>(segment: Segment<V>, row: number, admits: SweepPorts['admits']): boolean {
  if (admits === undefined) return false;
  const facts = segment.factsAt(row);
  return facts !== undefined && !admits(segment.keyAt(row), facts);
}
