import { describe, expect, it } from '@jest/globals';
import { hashText } from '../../lib/memory/hash.js';
import { ShardedTable } from '../../lib/memory/sharded-table.js';
import { randomFrom } from '../support/random.js';
import { shareOf } from '../support/search-share.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { structureProblems } from '../support/table-structure.js';

const SEED = Number(process.env['SOAK_SEED'] ?? 20_261);
const OPERATIONS = 250_000;
const CHECK_EVERY = 50_000;
const CHURN = shareOf(10_000_000);

interface Shape {
  readonly numShards: number;
  readonly keys: number;
  readonly maxEntries?: number;
  readonly maxBytes?: number;
}

interface Row {
  readonly value: number;
  readonly deadline: number;
}

/** Does random things to a table and to a plain map, and compares every answer. */
function soak(shape: Shape): { readonly found: number; readonly problems: readonly string[] } {
  const { numShards, keys, maxEntries = Infinity, maxBytes = Infinity } = shape;
  const random = randomFrom(SEED);
  const clock = new SteppedClock();
  const names = Array.from({ length: keys }, (_, key) => `soak:${key}`);
  const rows = new Map<string, Row>();
  const table = new ShardedTable<number>({
    ring: { numShards, virtualNodes: 50, seed: SEED, hash: hashText },
    maxEntries,
    maxBytes,
    weigh: maxBytes === Infinity ? undefined : (value) => Number(value) % 50,
    maxWorkers: 3,
    clock,
  });
  const problems: string[] = [];
  let found = 0;
  const known = (key: string): number | undefined => {
    const row = rows.get(key);
    return row === undefined || row.deadline <= clock.now() ? undefined : row.value;
  };
  const evicts = maxEntries !== Infinity || maxBytes !== Infinity;
  const read = (key: string): void => {
    const value = table.read(key);
    if (value !== undefined) found += 1;
    const isRight = value === known(key) || (evicts && value === undefined);
    if (!isRight) problems.push(`${key} is ${value}, not ${known(key)}`);
  };
  const write = (key: string, value: number): void => {
    const ttlMs = random.pick([50, 500, 5_000, Infinity]);
    table.write(key, value, ttlMs);
    rows.set(key, { value, deadline: clock.now() + ttlMs });
  };
  const remove = (key: string): void => {
    table.delete(key);
    rows.delete(key);
  };
  const moveAll = (): void => {
    while (table.movingShard !== undefined) table.moveOn(table.movingShard, 1);
  };
  const rarely = (operation: number): void => {
    if (operation % 40_000 === 0) table.reshard(1 + random.below(2 * numShards));
    if (operation % 40_000 === 20_000) moveAll();
    if (operation % 1_000 === 0) table.sweep(1, false);
  };

  for (let operation = 1; operation <= OPERATIONS; operation++) {
    const key = names[Math.min(random.below(keys), random.below(keys))]!;
    random.weighted([
      [50, () => read(key)],
      [35, () => write(key, operation)],
      [10, () => remove(key)],
      [5, () => clock.block(1)],
    ])();
    rarely(operation);
    if (operation % CHECK_EVERY === 0) {
      problems.push(...structureProblems(table, { ...shape, hash: hashText, seed: SEED }));
    }
  }
  return { found, problems };
}

describe(`${ShardedTable.name}: a million random operations (SOAK_SEED=${SEED})`, () => {
  it.each<[string, Shape]>([
    ['no bound, many segments', { numShards: 3, keys: 60_000 }],
    ['10,000 entries', { numShards: 4, keys: 40_000, maxEntries: 10_000 }],
    ['300 entries in shared tables', { numShards: 8, keys: 2_000, maxEntries: 300 }],
    ['200,000 bytes', { numShards: 2, keys: 30_000, maxBytes: 200_000 }],
  ])('answer what a plain map does and leave a whole table: %s', (_, shape) => {
    const { found, problems } = soak(shape);

    expect(problems.slice(0, 5)).toEqual([]);
    expect(found).toBeGreaterThan(OPERATIONS / 20);
  });
});

/** Uses a table of constant size; returns how many words its segments take, at each tenth of the way. */
function churn(): { readonly sizes: number[]; readonly words: number[] } {
  const random = randomFrom(SEED);
  const clock = new SteppedClock();
  const names = Array.from({ length: 60_000 }, (_, key) => `churn:${key}`);
  const ring = { numShards: 4, virtualNodes: 50, seed: SEED, hash: hashText };
  const table = new ShardedTable<number>({ ring, maxEntries: 20_000, maxWorkers: 3, clock });
  const [sizes, words]: [number[], number[]] = [[], []];
  for (let operation = 1; operation <= CHURN; operation++) {
    const key = names[random.below(names.length)]!;
    const kind = operation % 10;
    if (kind === 0) table.delete(key);
    else if (kind < 4) table.read(key);
    else table.write(key, operation, kind === 4 ? 100 : 3_600_000);
    if (operation % 1_000 === 0) {
      clock.block(1);
      table.sweep(Infinity, true);
    }
    if (operation % (CHURN / 10) === 0) {
      const segments = table.tables.flatMap((rows) => rows.segments);
      sizes.push(table.size);
      words.push(segments.reduce((sum, segment) => sum + segment.layout().words.length, 0));
    }
  }
  return { sizes, words };
}

it(`takes no more room after ${CHURN} operations than after a tenth of them`, () => {
  const { sizes, words } = churn();

  expect(Math.max(...sizes)).toBeLessThanOrEqual(20_000);
  expect(Math.min(...sizes)).toBeGreaterThan(18_000);
  expect(Math.max(...words)).toBeLessThan(1.1 * words[0]!);
});
