import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { EntryTable } from '../../lib/memory/entry-table.js';
import { MapTable } from '../../lib/memory/map-table.js';

interface KeyedStep {
  readonly do: 'insert' | 'read' | 'delete';
  readonly key: number;
  readonly deadline: number;
}

type Step =
  | KeyedStep
  | { readonly do: 'evict' | 'advance' | 'clear' | 'begin' }
  | { readonly do: 'sweep'; readonly rows: number };

const keyed = fc.record({
  do: fc.constantFrom('insert', 'insert', 'read', 'delete'),
  key: fc.nat(15),
  deadline: fc.oneof({ weight: 3, arbitrary: fc.nat(15) }, fc.constant(Infinity)),
}) as fc.Arbitrary<Step>;
const plain = fc.record({
  do: fc.constantFrom('evict', 'advance', 'advance', 'begin'),
}) as fc.Arbitrary<Step>;
const clear = fc.constant<Step>({ do: 'clear' });
const sweep = fc.record({
  do: fc.constant('sweep'),
  rows: fc.integer({ min: 1, max: 4 }),
}) as fc.Arbitrary<Step>;
/** Runs of one kind of step, so that a sweep may come to its end undisturbed. */
const programs = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.array(keyed, { maxLength: 10 }) },
      { weight: 6, arbitrary: fc.array(plain, { maxLength: 4 }) },
      { weight: 8, arbitrary: fc.array(sweep, { maxLength: 5 }) },
      { weight: 1, arbitrary: fc.array(clear, { maxLength: 1 }) },
    ),
    { maxLength: 20 },
  )
  .map((runs) => runs.flat());

interface NaiveRow {
  readonly value: number;
  readonly deadline: number;
}

/**
 * Runs a program on a table and on a naive map. After each step both hold the same keys and values
 * and no row expires before `earliestDeadline`; a sweep removes only what was dead when it began,
 * and all of it where nothing was added or moved meanwhile.
 */
class TableProgram {
  readonly #table: EntryTable<number>;
  readonly #naive = new Map<string, NaiveRow>();
  #now = 0;
  #sweepsAt = -1;
  #disturbed = false;

  constructor(table: EntryTable<number>) {
    this.#table = table;
  }

  run(program: readonly Step[]): void {
    for (const [value, step] of program.entries()) {
      if (step.do === 'advance') this.#now += 5;
      else if (step.do === 'clear') this.#clear();
      else if (step.do === 'begin') this.#begin();
      else if (step.do === 'evict') this.#evict();
      else if (step.do === 'sweep') this.#sweep(step.rows);
      else this.#doKeyed(step as KeyedStep, value);
      this.#compare();
    }
  }

  #doKeyed(step: KeyedStep, value: number): void {
    const key = `key-${step.key}`;
    const entry = { value, deadline: step.deadline, facts: undefined };
    if (step.do === 'read') this.#table.read(key, 0);
    if (step.do === 'delete') expect(this.#table.delete(key, 0)).toBe(this.#naive.delete(key));
    if (step.do !== 'insert') return;
    this.#disturbed = true;
    expect(this.#table.replace(key, entry, 0)).toBe(this.#naive.has(key));
    if (!this.#naive.has(key)) this.#table.insert(key, entry, 0);
    this.#naive.set(key, entry);
  }

  #clear(): void {
    this.#table.clear();
    this.#naive.clear();
  }

  #begin(): void {
    const now = this.#now;
    this.#sweepsAt = now;
    this.#disturbed = false;
    this.#table.beginSweep((_, { deadline }) => deadline <= now);
  }

  #sweep(rows: number): void {
    const { removed, done } = this.#table.sweepRows(rows);
    const gone = this.#takeGone();
    expect(gone).toHaveLength(removed);
    for (const { deadline } of gone) expect(deadline).toBeLessThanOrEqual(this.#sweepsAt);
    if (!done) return;
    const dead = [...this.#naive.values()].filter(({ deadline }) => deadline <= this.#sweepsAt);
    if (!this.#disturbed) expect(dead).toEqual([]);
    this.#sweepsAt = -1;
  }

  /** Whichever row was taken, it was one, and called expired if and only if it was. */
  #evict(): void {
    this.#disturbed = true;
    const eviction = this.#table.evict(this.#now);
    const gone = this.#takeGone();
    expect(gone).toHaveLength(eviction === undefined ? 0 : 1);
    for (const { deadline } of gone) {
      expect(eviction).toBe(deadline <= this.#now ? 'expired' : 'evicted');
    }
  }

  /** What the table has removed of its own accord. */
  #takeGone(): NaiveRow[] {
    const gone = [...this.#naive].filter(([key]) => this.#table.peek(key, 0) === undefined);
    for (const [key] of gone) this.#naive.delete(key);
    return gone.map(([, row]) => row);
  }

  #compare(): void {
    const rows = Array.from(this.#table.entries(), ([key, { value }]) => `${key}=${value}`);
    const naiveRows = Array.from(this.#naive, ([key, { value }]) => `${key}=${value}`);
    expect(rows.toSorted()).toEqual(naiveRows.toSorted());
    expect(this.#table.size).toBe(this.#naive.size);
    const earliest = Math.min(...Array.from(this.#naive.values(), ({ deadline }) => deadline));
    expect(this.#table.earliestDeadline).toBeLessThanOrEqual(earliest);
  }
}

/** Does not note the deadlines of replaced rows: a sweep would skip them. */
class ForgetfulTable extends MapTable<number> {
  #noted = Infinity;

  override get earliestDeadline(): number {
    return this.#noted;
  }

  override insert(...given: Parameters<MapTable<number>['insert']>): void {
    super.insert(...given);
    this.#noted = Math.min(this.#noted, given[1].deadline);
  }
}

/** Ends each sweep one row early. */
class HastyTable extends MapTable<number> {
  override sweepRows(rows: number): ReturnType<MapTable<number>['sweepRows']> {
    const { removed } = super.sweepRows(rows);
    return { removed, done: true };
  }
}

function keepsTheRules(open: () => EntryTable<number>): fc.IProperty<[unknown]> {
  return fc.property(programs, (program) => new TableProgram(open()).run(program));
}

describe(`${MapTable.name}: random programs`, () => {
  it('hold what a naive map holds, and never skip a deadline', () => {
    const checked = (): void =>
      fc.assert(
        keepsTheRules(() => new MapTable()),
        { numRuns: 200 },
      );

    expect(checked).not.toThrow();
  });

  it.each([
    ['forgets deadlines', ForgetfulTable],
    ['ends sweeps early', HastyTable],
  ])('find a table that %s (test of the test)', (_, Broken) => {
    const found = fc.check(
      keepsTheRules(() => new Broken()),
      { numRuns: 200, seed: 1, endOnFailure: true },
    );

    expect(found.failed).toBe(true);
  });
});
