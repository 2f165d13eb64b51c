import { describe, expect, it } from '@jest/globals';
import { RowColumns } from '../../lib/memory/row-columns.js';

const FACTS = { order: 1, bornAt: 0, tags: ['tag'] };

describe(RowColumns.name, () => {
  it('says of rows that were never filled that they have nothing', () => {
    const columns = new RowColumns(4);

    expect([columns.factsAt(0), columns.weightAt(0), columns.farDeadlineAt(0)]).toEqual([
      undefined,
      0,
      Infinity,
    ]);
    expect(columns.holdFacts).toBe(false);
  });

  it('keeps what each row was given', () => {
    const columns = new RowColumns(4);
    columns.set(1, { facts: undefined, weight: 5 });
    columns.set(2, { facts: FACTS, weight: 0 });
    columns.setFarDeadline(3, 1e12);

    expect([0, 1, 2, 3].map((row) => columns.weightAt(row))).toEqual([0, 5, 0, 0]);
    expect([1, 2, 3].map((row) => columns.factsAt(row))).toEqual([undefined, FACTS, undefined]);
    expect([2, 3].map((row) => columns.farDeadlineAt(row))).toEqual([Infinity, 1e12]);
    expect(columns.holdFacts).toBe(true);
  });

  it('forgets a row whole', () => {
    const columns = new RowColumns(4);
    columns.set(0, { facts: FACTS, weight: 5 });
    columns.setFarDeadline(0, 1e12);
    columns.forget(0);

    expect([columns.factsAt(0), columns.weightAt(0), columns.farDeadlineAt(0)]).toEqual([
      undefined,
      0,
      Infinity,
    ]);
  });

  it('forgets a far deadline, and nothing else of its row', () => {
    const columns = new RowColumns(4);
    columns.forgetFarDeadline(0);
    columns.set(0, { facts: FACTS, weight: 5 });
    columns.setFarDeadline(0, 1e12);
    columns.forgetFarDeadline(0);

    expect([columns.factsAt(0), columns.weightAt(0), columns.farDeadlineAt(0)]).toEqual([
      FACTS,
      5,
      Infinity,
    ]);
  });

  it('copies a row over another, what it has not included', () => {
    const columns = new RowColumns(4);
    columns.set(0, { facts: FACTS, weight: 5 });
    columns.setFarDeadline(0, 1e12);
    const others = new RowColumns(4);
    others.set(3, { facts: undefined, weight: 7 });
    columns.copy(0, others, 3);

    expect([columns.factsAt(0), columns.weightAt(0), columns.farDeadlineAt(0)]).toEqual([
      undefined,
      7,
      Infinity,
    ]);
  });

  it('gives back the far deadlines that have come near, once', () => {
    const columns = new RowColumns(4);
    columns.setFarDeadline(0, 100);
    columns.setFarDeadline(1, 200);

    expect(columns.takeFarBefore(150)).toEqual([[0, 100]]);
    expect([columns.farDeadlineAt(0), columns.farDeadlineAt(1)]).toEqual([Infinity, 200]);
    expect(columns.takeFarBefore(150)).toEqual([]);
  });
});
