import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Entry } from '../../lib/memory/entry.js';
import { hashText, type Hash } from '../../lib/memory/hash.js';
import { ShardedTable, type ShardedTableOptions } from '../../lib/memory/sharded-table.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { structureProblems } from '../support/table-structure.js';

const SEED = 1;
const KEYS = 61;
/** Beyond the 24.8 days that a tick of the table reaches. */
const FAR_MS = 40 * 86_400_000;

interface Shape {
  readonly numShards: number;
  readonly maxEntries?: number;
  readonly maxBytes?: number;
  readonly hash?: Hash;
}

interface Row {
  readonly value: number;
  readonly deadline: number;
  /** How far reads may move the deadline. */
  readonly freshUntil: number;
}

type Open = (options: ShardedTableOptions<number>) => ShardedTable<number>;

/** A table beside a plain map, with a clock that both share. */
class Comparison {
  readonly clock = new SteppedClock();
  readonly table: ShardedTable<number>;
  readonly #rows = new Map<string, Row>();
  readonly #shape: Shape;
  /** Live entries that were found missing: each must have been evicted. */
  #lost = 0;

  constructor(shape: Shape, open: Open) {
    this.#shape = shape;
    const { numShards, maxEntries = Infinity, maxBytes = Infinity, hash = hashText } = shape;
    this.table = open({
      ring: { numShards, virtualNodes: 20, seed: SEED, hash },
      maxEntries,
      maxBytes,
      weigh: maxBytes === Infinity ? undefined : (value) => weightOf(Number(value)),
      maxWorkers: 2,
      clock: this.clock,
    });
  }

  write(key: string, value: number, ttlMs: number): void {
    const fits = this.#hasRoomFor(value);
    const { evicted } = this.table.getMetrics();
    this.table.write(key, value, ttlMs);
    const deadline = this.clock.now() + ttlMs;
    this.#rows.set(key, { value, deadline, freshUntil: deadline });
    expectIs(`the value of ${key} just written`, this.table.peek(key), value);
    if (fits) expectIs('what was evicted with room left', this.table.getMetrics().evicted, evicted);
  }

  /** Writes an entry that is fresh for four times as long as it lives, unless it slides. */
  writeSliding(key: string, value: number, ttlMs: number): void {
    const now = this.clock.now();
    const [deadline, freshUntil] = [now + ttlMs, now + 4 * ttlMs];
    const facts = { order: undefined, bornAt: now, tags: undefined, freshUntil };
    this.table.writeEntry(key, { value, deadline, facts });
    this.#rows.set(key, { value, deadline, freshUntil });
    expectIs(`the value of ${key} just written`, this.table.peek(key), value);
  }

  slide(key: string, slideMs: number): void {
    const found = this.table.readSliding(key, slideMs);
    const known = this.#known(key);
    if (found !== undefined || !this.#evicts) expectIs(`the value of ${key}`, found?.value, known);
    const row = this.#rows.get(key);
    if (found === undefined || row === undefined) return;
    const slidUntil = Math.min(this.clock.now() + slideMs, row.freshUntil);
    const deadline = Math.max(row.deadline, slidUntil);
    expectIs(`the deadline of ${key}`, found.deadline, deadline);
    this.#rows.set(key, { ...row, deadline });
  }

  read(key: string): void {
    const value = this.table.read(key);
    const known = this.#known(key);
    if (value !== undefined || !this.#evicts) expectIs(`the value of ${key}`, value, known);
  }

  delete(key: string): void {
    const deleted = this.table.delete(key);
    const known = this.#known(key) !== undefined;
    if (deleted || !this.#evicts) expectIs(`whether ${key} was there`, deleted, known);
    this.#rows.delete(key);
  }

  sweep(): void {
    while (this.table.sweep(1, false).more);
    for (const key of this.#rows.keys()) if (this.#known(key) === undefined) this.#rows.delete(key);
    if (!this.#evicts) expectIs('the size after a sweep', this.table.size, this.#rows.size);
  }

  clear(): void {
    this.table.clear();
    this.#rows.clear();
    expectIs('the size after a clear', this.table.size, 0);
  }

  reshard(numShards: number): void {
    this.finishResharding();
    this.table.reshard(numShards);
  }

  moveOn(): void {
    const shard = this.table.movingShard;
    if (shard !== undefined) this.table.moveOn(shard, 1);
  }

  finishResharding(): void {
    while (this.table.movingShard !== undefined) this.moveOn();
  }

  check(): void {
    const { hash = hashText } = this.#shape;
    const [problem] = structureProblems(this.table, { ...this.#shape, hash, seed: SEED });
    if (problem !== undefined) throw new Error(problem);
    for (const key of this.#rows.keys()) {
      const value = this.table.peek(key);
      const known = this.#known(key);
      if (value === undefined && known !== undefined && this.#evicts) {
        this.#rows.delete(key);
        this.#lost += 1;
      } else {
        expectIs(`the value of ${key}`, value, known);
      }
    }
    const { evicted } = this.table.getMetrics();
    if (this.#lost > evicted) throw new Error(`${this.#lost} were lost, ${evicted} evicted`);
  }

  /** Whether the bounds can ever ask for an eviction. */
  get #evicts(): boolean {
    const { maxEntries = Infinity, maxBytes = Infinity } = this.#shape;
    return maxEntries < KEYS || maxBytes !== Infinity;
  }

  #hasRoomFor(value: number): boolean {
    const { maxEntries = Infinity, maxBytes = Infinity } = this.#shape;
    const { bytes } = this.table.getMetrics();
    const weight = maxBytes === Infinity ? 0 : weightOf(value);
    return this.table.size < maxEntries && bytes + weight <= maxBytes;
  }

  #known(key: string): number | undefined {
    const row = this.#rows.get(key);
    return row === undefined || row.deadline <= this.clock.now() ? undefined : row.value;
  }
}

function weightOf(value: number): number {
  return value % 7;
}

function expectIs(what: string, got: unknown, wanted: unknown): void {
  if (!Object.is(got, wanted)) throw new Error(`${what} is ${String(got)}, not ${String(wanted)}`);
}

interface Step {
  run(both: Comparison): void;
  toString(): string;
}

function step(text: string, run: (both: Comparison) => void): Step {
  return { run, toString: () => text };
}

const keys = fc.nat(KEYS - 1).map((key) => `key-${key}`);
const ttls = fc.constantFrom(1, 5, 20, 1_000, FAR_MS, Infinity);
const waits = fc.constantFrom(1, 4, 25, FAR_MS, 400 * 86_400_000);
const writes = fc
  .tuple(keys, fc.nat(1_000), ttls)
  .map(([key, value, ttl]) =>
    step(`write ${key} ${value} ${ttl}`, (both) => both.write(key, value, ttl)),
  );

const slides = fc
  .tuple(keys, ttls)
  .map(([key, ms]) => step(`slide ${key} ${ms}`, (both) => both.slide(key, ms)));
const slidingWrites = fc
  .tuple(keys, fc.nat(1_000), ttls)
  .map(([key, value, ttl]) =>
    step(`write sliding ${key} ${value} ${ttl}`, (both) => both.writeSliding(key, value, ttl)),
  );

const steps = fc.oneof(
  { weight: 8, arbitrary: writes },
  { weight: 3, arbitrary: slidingWrites },
  { weight: 4, arbitrary: slides },
  { weight: 6, arbitrary: keys.map((key) => step(`read ${key}`, (both) => both.read(key))) },
  { weight: 3, arbitrary: keys.map((key) => step(`delete ${key}`, (both) => both.delete(key))) },
  { weight: 3, arbitrary: waits.map((ms) => step(`wait ${ms}`, (both) => both.clock.block(ms))) },
  { weight: 1, arbitrary: fc.constant(step('sweep', (both) => both.sweep())) },
  { weight: 1, arbitrary: fc.constant(step('clear', (both) => both.clear())) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 9 })
      .map((shards) => step(`reshard ${shards}`, (both) => both.reshard(shards))),
  },
  { weight: 2, arbitrary: fc.constant(step('move on', (both) => both.moveOn())) },
);

const programs = fc.array(steps, { maxLength: 120, size: 'max' });

function holdsWhatAMapDoes(
  shape: Shape,
  open: Open = (options) => new ShardedTable(options),
): fc.IProperty<[Step[]]> {
  return fc.property(programs, (program) => {
    const both = new Comparison(shape, open);
    for (const each of program) {
      each.run(both);
      both.check();
    }
    both.finishResharding();
    both.check();
  });
}

const allAlike: Hash = () => 7;
const fewBits: Hash = (text, seed) => hashText(text, seed) & 0x3000_0003;

describe(`${ShardedTable.name}: random programs`, () => {
  it.each<[string, Shape]>([
    ['1 shard', { numShards: 1 }],
    ['5 shards', { numShards: 5 }],
    ['5 shards and few different hashes', { numShards: 5, hash: fewBits }],
    ['one hash for all keys', { numShards: 3, hash: allAlike }],
    ['1 entry', { numShards: 2, maxEntries: 1 }],
    ['2 entries', { numShards: 1, maxEntries: 2 }],
    ['7 entries', { numShards: 3, maxEntries: 7 }],
    ['40 entries', { numShards: 8, maxEntries: 40 }],
    ['40 entries of one hash', { numShards: 8, maxEntries: 40, hash: allAlike }],
    ['2,000 entries, so that every shard has a table', { numShards: 3, maxEntries: 2_000 }],
    ['7 bytes', { numShards: 2, maxBytes: 7 }],
    ['100 bytes', { numShards: 4, maxBytes: 100 }],
    ['10 entries and 30 bytes', { numShards: 2, maxEntries: 10, maxBytes: 30 }],
  ])('hold what a plain map holds, and are whole after every step: %s', (_, shape) => {
    const compare = (): void => fc.assert(holdsWhatAMapDoes(shape), { numRuns: 60 });

    expect(compare).not.toThrow();
  });
});

/** Loses a key whenever it moves some to other shards. */
class ForgetfulTable extends ShardedTable<number> {
  override moveOn(shard: number, budgetMs: number): boolean {
    for (const [key] of this.entries()) {
      this.drop(key);
      break;
    }
    return super.moveOn(shard, budgetMs);
  }
}

/** Holds an entry a millisecond too long. */
class LateTable extends ShardedTable<number> {
  override write(key: string, value: number, ttlMs: number): boolean {
    return super.write(key, value, ttlMs + 1);
  }
}

/** Lets what slides live beyond its freshness. */
class EndlessTable extends ShardedTable<number> {
  override writeEntry(key: string, entry: Entry<number>): boolean {
    const facts = entry.facts && { ...entry.facts, freshUntil: Infinity };
    return super.writeEntry(key, { ...entry, facts });
  }
}

/** Drops every entry that a sweep comes across. */
class HastyTable extends ShardedTable<number> {
  override sweep(budgetMs: number, anew: boolean): ReturnType<ShardedTable<number>['sweep']> {
    this.clear();
    return super.sweep(budgetMs, anew);
  }
}

/** Holds one entry more than it may. */
class OverfullTable extends ShardedTable<number> {
  constructor(options: ShardedTableOptions<number>) {
    super({ ...options, maxEntries: options.maxEntries + 1 });
  }
}

/** Forgets everything before it takes something new. */
class WipingTable extends ShardedTable<number> {
  override write(key: string, value: number, ttlMs: number): boolean {
    this.clear();
    return super.write(key, value, ttlMs);
  }
}

/** Holds one entry, whatever it may. */
class StingyTable extends ShardedTable<number> {
  constructor(options: ShardedTableOptions<number>) {
    super({ ...options, maxEntries: 1 });
  }
}

/** Leaves the rows of a key in place and loses their slots. */
class BrokenTable extends ShardedTable<number> {
  override delete(key: string): boolean {
    const found = super.delete(key);
    const segment = this.tables[0]!.segments[0]!;
    if (segment.live > 0) segment.layout().words.fill(0, segment.layout().indexAt);
    return found;
  }
}

describe(`${ShardedTable.name}: random programs (test of the test)`, () => {
  it.each<[string, Open, Shape]>([
    ['keys are lost on the way', (options) => new ForgetfulTable(options), { numShards: 2 }],
    ['entries live too long', (options) => new LateTable(options), { numShards: 2 }],
    ['entries slide too far', (options) => new EndlessTable(options), { numShards: 2 }],
    ['a sweep takes live entries', (options) => new HastyTable(options), { numShards: 2 }],
    ['one is too many', (options) => new OverfullTable(options), { numShards: 1, maxEntries: 5 }],
    ['slots are lost', (options) => new BrokenTable(options), { numShards: 1, maxEntries: 50 }],
    ...[{ maxEntries: 2_000 }, { maxEntries: 40 }, { maxBytes: 100 }].flatMap(
      (bound): [string, Open, Shape][] => {
        const shape = { numShards: 2, ...bound };
        const name = JSON.stringify(bound);
        return [
          [`everything is forgotten, ${name}`, (options) => new WipingTable(options), shape],
          [`keys are lost, ${name}`, (options) => new ForgetfulTable(options), shape],
          [`too little is held, ${name}`, (options) => new StingyTable(options), shape],
        ];
      },
    ),
  ])('find a table in which %s', (_, open, shape) => {
    const found = fc.check(holdsWhatAMapDoes(shape, open), {
      numRuns: 300,
      seed: 1,
      endOnFailure: true,
    });

    expect(found.failed).toBe(true);
  });
});
