import { beforeEach, describe, expect, it } from '@jest/globals';
import { hashText } from '../../lib/memory/hash.js';
import { ShardedTable } from '../../lib/memory/sharded-table.js';
import { TickingClock } from '../support/ticking-clock.js';

/** Entries for each shard: a sweep looks at the clock after every segment, and a shard has one. */
const CHUNK = 256;
const BUDGET_MS = 1;

let clock: TickingClock;

beforeEach(() => {
  clock = new TickingClock();
});

function open({ numShards = 1, maxWorkers = 4 } = {}): ShardedTable<number> {
  const ring = { numShards, virtualNodes: 100, seed: 1, hash: hashText };
  return new ShardedTable<number>({ ring, maxEntries: Infinity, maxWorkers, clock });
}

function fill(table: ShardedTable<number>, count: number, ttlMs: number, prefix = 'key'): void {
  for (let key = 0; key < count; key++) table.write(`${prefix}-${key}`, 1, ttlMs);
}

/** Sweeps to the end; returns what each slice removed. */
function sweepAll(table: ShardedTable<number>, budgetMs = BUDGET_MS): number[] {
  const slices: number[] = [];
  for (let more = true; more;) {
    const slice = table.sweep(budgetMs, false);
    slices.push(slice.removed);
    ({ more } = slice);
  }
  return slices;
}

function sizesOf(table: ShardedTable<number>): number[] {
  return table.getMetrics().shards.map(({ size }) => size);
}

describe(`${ShardedTable.name}: sweep`, () => {
  it('removes what is expired, at the very deadline, and nothing else', () => {
    const table = open({ numShards: 3 });
    fill(table, 100, 10, 'dead');
    fill(table, 50, 11, 'alive');
    clock.block(10);

    expect(sweepAll(table)).toEqual([100]);
    expect(table.size).toBe(50);
  });

  it('ends a slice when its budget is spent, and goes on in the next', () => {
    const table = open({ numShards: 3 });
    fill(table, 3 * CHUNK, 10);
    const sizes = sizesOf(table);
    clock.block(10);
    clock.tickMs = 1;

    expect(sweepAll(table)).toEqual(sizes);
  });

  it('works longer in a slice of a larger budget', () => {
    const table = open({ numShards: 3 });
    fill(table, 3 * CHUNK, 10);
    const [first, second, third] = sizesOf(table);
    clock.block(10);
    clock.tickMs = 1;

    expect(sweepAll(table, 2)).toEqual([first! + second!, third]);
  });

  it('needs one slice when it costs no time', () => {
    const table = open({ numShards: 4 });
    fill(table, 20 * CHUNK, 10);
    clock.block(10);

    expect(sweepAll(table)).toEqual([20 * CHUNK]);
  });

  it('advances as many shards side by side as there are workers', () => {
    const table = open({ numShards: 3, maxWorkers: 2 });
    fill(table, 3 * 10_000, 10);
    clock.block(10);
    clock.tickMs = 1;
    const before = sizesOf(table);

    const touched = [1, 2, 3, 4].map(() => {
      table.sweep(BUDGET_MS, false);
      return sizesOf(table).map((size, shard) => size < before[shard]!);
    });

    expect(touched).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, false],
      [true, true, false],
    ]);
  });

  it('takes the next shard when one is done', () => {
    const table = open({ numShards: 3, maxWorkers: 1 });
    fill(table, 60, 10);
    clock.block(10);
    clock.tickMs = 1;

    const slices = sweepAll(table);

    expect(slices).toHaveLength(3);
    expect(slices.filter((removed) => removed === 0)).toEqual([]);
    expect(table.size).toBe(0);
  });

  it('does not look into shards in which nothing can have expired', () => {
    const table = open({ numShards: 8 });
    fill(table, 8 * CHUNK, Infinity);
    table.write('dead', 1, 10);
    clock.block(10);
    clock.tickMs = 1;

    expect(sweepAll(table)).toEqual([1, 0]);
    expect(table.size).toBe(8 * CHUNK);
  });

  it('looks at nothing at all while nothing is due', () => {
    const table = open();
    fill(table, 10 * CHUNK, 1_000_000);
    clock.tickMs = 1;

    expect(sweepAll(table)).toEqual([0]);
  });

  it('removes what was expired when it began, and leaves later ones to the next sweep', () => {
    const table = open({ numShards: 2 });
    fill(table, 2 * CHUNK, 10, 'first');
    fill(table, CHUNK, 20, 'second');
    clock.block(10);
    clock.tickMs = 1;
    table.sweep(BUDGET_MS, false);
    clock.block(100);

    const rest = sweepAll(table).reduce((sum, removed) => sum + removed, 0);

    expect([rest > 0, table.size]).toEqual([true, CHUNK]);
    expect(sweepAll(table).reduce((sum, removed) => sum + removed, 0)).toBe(CHUNK);
  });

  it('begins from the first shard when it is to begin anew, at the time it is then', () => {
    const table = open({ numShards: 2 });
    fill(table, 2 * CHUNK, 10, 'first');
    fill(table, CHUNK, 20, 'second');
    clock.block(10);
    clock.tickMs = 1;
    table.sweep(BUDGET_MS, true);
    clock.block(100);

    table.sweep(BUDGET_MS, true);
    sweepAll(table);

    expect(table.size).toBe(0);
  });

  it('ends early and well when everything is cleared in its middle', () => {
    const table = open({ numShards: 2, maxWorkers: 1 });
    fill(table, 8 * CHUNK, 10);
    clock.block(10);
    clock.tickMs = 1;
    table.sweep(BUDGET_MS, false);
    table.clear();
    fill(table, 10, 1_000, 'new');

    expect(sweepAll(table).filter((removed) => removed > 0)).toEqual([]);
    expect(table.size).toBe(10);
  });

  it('leaves entries that were written anew while it was under way', () => {
    const table = open({ numShards: 3 });
    fill(table, 3 * CHUNK, 10);
    clock.block(10);
    clock.tickMs = 1;
    table.sweep(BUDGET_MS, false);
    clock.tickMs = 0;
    fill(table, 3 * CHUNK, 1_000);
    sweepAll(table);

    expect(table.size).toBe(3 * CHUNK);
  });

  it('counts the time that it took, and not the time between its slices', () => {
    const table = open();
    fill(table, 2 * CHUNK, 10);
    clock.block(10);
    clock.tickMs = 1;
    const startedAt = clock.now();

    const slices = sweepAll(table);

    // Each slice's first look at the clock moves it before the slice has begun.
    const elapsedMs = clock.now() - 1 - startedAt;
    expect(table.getMetrics().cleanupDurationMs).toBe(elapsedMs - slices.length);
  });
});

describe(`${ShardedTable.name}: sweeps of invalidated entries`, () => {
  const ENTRIES = 20_000;

  it('remove in the end what one that was given up had not seen', () => {
    let order = 0;
    const stamps = {
      get order() {
        return order;
      },
      admits: () => order === 0,
    };
    const ring = { numShards: 1, virtualNodes: 50, seed: 1, hash: hashText };
    const options = { ring, maxEntries: 40_000, maxWorkers: 4, clock, stamps };
    const table = new ShardedTable<number>(options);
    const facts = { order: 0, bornAt: 0, tags: ['tag'] };
    for (let id = 0; id < ENTRIES; id++) {
      table.writeEntry(`key-${id}`, { value: 1, deadline: Infinity, facts });
    }
    order = 1;
    const first = table.sweep(0, true);
    const second = table.sweep(Infinity, true);

    expect(first).toMatchObject({ more: true });
    expect(first.removed + second.removed).toBe(ENTRIES);
    expect(table.size).toBe(0);
  });
});

describe(`${ShardedTable.name}: sweeps of what has slid`, () => {
  const SLIDE_MS = 10;

  /** Entries that live for 10 ms, and for 10 more after each hit. */
  function fillSliding(table: ShardedTable<number>, count: number): void {
    const facts = { order: undefined, bornAt: 0, tags: undefined, freshUntil: 100_000 };
    const deadline = clock.now() + SLIDE_MS;
    for (let id = 0; id < count; id++) table.writeEntry(`key-${id}`, { value: 1, deadline, facts });
  }

  function slide(table: ShardedTable<number>, from: number, to: number): void {
    for (let id = from; id < to; id++) table.readSliding(`key-${id}`, SLIDE_MS);
  }

  it('remove each entry when its own time is over', () => {
    const table = open({ numShards: 2 });
    fillSliding(table, 300);
    clock.block(5);
    slide(table, 100, 300);
    clock.block(4);
    slide(table, 200, 300);

    const swept = [1, 4, 1, 3, 1].map((ms) => {
      clock.block(ms);
      return sweepAll(table);
    });

    expect(swept).toEqual([[100], [0], [100], [0], [100]]);
    expect(table.size).toBe(0);
  });

  it('leave what slides while they are under way', () => {
    const table = open({ numShards: 3 });
    fillSliding(table, 3 * CHUNK);
    fill(table, 3 * CHUNK, SLIDE_MS, 'other');
    clock.block(SLIDE_MS - 1);
    slide(table, 0, CHUNK);
    clock.block(1);
    clock.tickMs = 1;
    table.sweep(BUDGET_MS, false);
    clock.tickMs = 0;
    slide(table, 0, CHUNK);
    clock.block(SLIDE_MS - 1);
    sweepAll(table);

    expect(table.size).toBe(CHUNK);
    clock.block(1);
    expect(sweepAll(table)).toEqual([CHUNK]);
  });

  it('look at a segment once in vain after its entries have slid, and not again', () => {
    const table = open();
    fillSliding(table, CHUNK);
    clock.block(SLIDE_MS - 1);
    slide(table, 0, CHUNK);
    clock.block(1);
    const [segment] = table.tables[0]!.segments;
    const before = segment!.earliestDeadline;
    sweepAll(table);

    expect(segment!.earliestDeadline - before).toBe(SLIDE_MS - 1);
  });
});

describe(`${ShardedTable.name}: sweeps of what never expires`, () => {
  it('give the arrays of deleted entries back', () => {
    const table = open();
    fill(table, 20_000, Infinity);
    const wordsOf = (): number =>
      table.tables[0]!.segments.reduce((sum, segment) => sum + segment.layout().words.length, 0);
    const before = wordsOf();
    for (let id = 0; id < 20_000; id++) if (id % 100 > 0) table.delete(`key-${id}`);
    sweepAll(table);

    expect(table.size).toBe(200);
    expect(wordsOf()).toBeLessThan(before / 10);
    expect(table.peek('key-100')).toBe(1);
  });
});
