import { spreadOf, type Hash } from '../../lib/memory/hash.js';
import type { RowTable } from '../../lib/memory/row-table.js';
import type { Segment } from '../../lib/memory/segment.js';
import type { ShardedTable } from '../../lib/memory/sharded-table.js';

/**
 * Says what is wrong with the structure of a segment: every row must be found once and by its own
 * slot, no slot may lead elsewhere or be out of reach, and all released rows must be linked.
 */
export function segmentProblems<V>(segment: Segment<V>): string[] {
  const { words, indexAt, slots, shift, released } = segment.layout();
  const problems: string[] = [];
  const releasedRows = new Set<number>();
  for (let row = released; row >= 0; row = words[row * 2]!) {
    if (releasedRows.has(row)) return [`released row ${row} is linked twice`];
    if (!segment.isReleased(row)) problems.push(`row ${row} is linked and not released`);
    releasedRows.add(row);
  }
  const indexed = new Map<number, number>();
  for (let slot = 0; slot < slots; slot++) {
    const word = words[indexAt + slot]!;
    if (word === 0) continue;
    const row = (word & 0x7fff) - 1;
    if (indexed.has(row)) problems.push(`row ${row} has two slots`);
    indexed.set(row, slot);
    for (let at = word >>> shift; at !== slot; at = (at + 1) % slots) {
      if (words[indexAt + at] === 0) problems.push(`slot ${slot} is out of its home's reach`);
    }
  }
  let live = 0;
  for (let row = 0; row < segment.rows; row++) {
    if (segment.isReleased(row)) {
      if (!releasedRows.has(row)) problems.push(`released row ${row} is lost`);
      if (segment.valueAt(row) !== undefined) problems.push(`released row ${row} keeps its value`);
      continue;
    }
    live += 1;
    if (!indexed.has(row)) problems.push(`row ${row} has no slot`);
    const found = segment.find(segment.keyAt(row), segment.spreadAt(row));
    if (found !== row) problems.push(`the key of row ${row} is found in row ${found}`);
    if (segment.deadlineAt(row) < segment.earliestDeadline)
      problems.push('a deadline is too early');
  }
  if (live !== segment.live) problems.push(`${live} rows are live, not ${segment.live}`);
  if (indexed.size !== live) problems.push(`${indexed.size} slots lead to ${live} rows`);
  return problems;
}

function tableProblems<V>(table: RowTable<V>, hash: Hash, seed: number): string[] {
  return table.segments.flatMap((segment) => {
    const problems = segmentProblems(segment);
    for (let row = 0; row < segment.rows; row++) {
      if (segment.isReleased(row)) continue;
      const spread = spreadOf(hash(segment.keyAt(row), seed));
      if (table.segmentOf(spread) !== segment) problems.push(`row ${row} is in a wrong segment`);
    }
    return problems;
  });
}

/** Says what is wrong with a whole table, its counts and its bounds included. */
export function structureProblems<V>(
  table: ShardedTable<V>,
  { hash, seed, maxEntries = Infinity, maxBytes = Infinity }: TableFacts,
): string[] {
  const segments = table.tables.flatMap((rows) => rows.segments);
  const problems = table.tables.flatMap((rows) => tableProblems(rows, hash, seed));
  const metrics = table.getMetrics();
  const live = segments.reduce((sum, segment) => sum + segment.live, 0);
  let bytes = 0;
  for (const segment of segments) {
    for (let row = 0; row < segment.rows; row++) {
      if (!segment.isReleased(row)) bytes += segment.weightAt(row);
    }
  }
  if (live !== table.size) problems.push(`the size is ${table.size}, the rows are ${live}`);
  if (metrics.size !== live)
    problems.push(`the shards count ${metrics.size}, the rows are ${live}`);
  if (metrics.bytes !== bytes) problems.push(`bytes are ${metrics.bytes}, the rows' are ${bytes}`);
  const ofShards = metrics.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  // What has not moved yet is in shards that are not listed.
  if (table.movingShard === undefined && ofShards !== bytes)
    problems.push(`the shards count ${ofShards} bytes, the rows' are ${bytes}`);
  if (live > maxEntries) problems.push(`${live} entries are above ${maxEntries}`);
  if (bytes > maxBytes) problems.push(`${bytes} bytes are above ${maxBytes}`);
  for (const [shard, { size, bytes: weight }] of metrics.shards.entries()) {
    if (size < 0) problems.push(`shard ${shard} has ${size} entries`);
    if (weight < 0) problems.push(`shard ${shard} has ${weight} bytes`);
  }
  return problems;
}

/** What a table was made with. */
export interface TableFacts {
  readonly hash: Hash;
  readonly seed: number;
  readonly maxEntries?: number | undefined;
  readonly maxBytes?: number | undefined;
}
