import { describe, expect, it } from '@jest/globals';
import { ABSENT, DIFFICULT, REWRITTEN, Segment } from '../../lib/memory/segment.js';
import { addRow, findRow, NEVER, openSegment, spreadAt, spreadOfId } from '../support/segments.js';
import { segmentProblems } from '../support/table-structure.js';

const DAY_MS = 86_400_000;
const FACTS = { order: 1, bornAt: 0, tags: ['tag'] };

function entry(id: number, columns: { facts?: typeof FACTS; weight?: number } = {}) {
  return {
    key: `key-${id}`,
    spread: spreadOfId(id),
    value: id,
    deadline: NEVER,
    facts: columns.facts,
    weight: columns.weight ?? 0,
  };
}

describe(Segment.name, () => {
  it('finds in an empty segment nothing, and has no room', () => {
    const segment = new Segment<number>(0, 0);

    expect([segment.find('key', 1), segment.hasRoom, segment.live]).toEqual([-1, false, 0]);
  });

  it('fills its rows in the order of the entries', () => {
    const segment = openSegment(8);

    expect([0, 1, 2].map((id) => addRow(segment, id))).toEqual([0, 1, 2]);
    expect([0, 1, 2, 3].map((id) => findRow(segment, id))).toEqual([0, 1, 2, -1]);
    expect([segment.keyAt(1), segment.valueAt(1), segment.live]).toEqual(['key-1', 1, 3]);
  });

  it('tells keys of equal hash apart, wherever they stand in the chain', () => {
    const segment = openSegment(8);
    const spread = spreadAt(0.99);
    for (const key of ['a', 'b', 'c', 'd']) segment.addPlain(key, spread, 1, NEVER, 0);
    segment.remove(segment.find('b', spread));

    const rows = ['a', 'b', 'c', 'd'].map((key) => segment.find(key, spread));

    expect(rows).toEqual([0, -1, 2, 3]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('moves entries back that had to go past a removed one, and no others', () => {
    const segment = openSegment(8);
    const homes = [0.5, 0.5, 0.56, 0.5, 0.7, 0.97, 0.97, 0];
    for (const [id, home] of homes.entries()) {
      segment.addPlain(`key-${id}`, spreadAt(home, id), id, NEVER, 0);
    }
    for (const removed of [0, 5, 3]) {
      segment.remove(segment.find(`key-${removed}`, spreadAt(homes[removed]!, removed)));
      expect(segmentProblems(segment)).toEqual([]);
    }

    expect(segment.live).toBe(5);
  });

  it('uses the rows of removed entries again, and lets go of their values', () => {
    const segment = openSegment(4);
    for (const id of [0, 1, 2, 3]) addRow(segment, id);
    segment.remove(1);
    segment.remove(2);
    const value = segment.valueAt(1);

    expect([value, segment.hasRoom]).toEqual([undefined, true]);
    expect([addRow(segment, 4), addRow(segment, 5), segment.hasRoom]).toEqual([2, 1, false]);
  });

  it('gives a live value and counts its use in one search', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 7, 100);
    const values = [0, 99.9, 50, 50].map((now) => segment.use('key-7', spreadOfId(7), now));

    expect([values, segment.usesOf(row)]).toEqual([[7, 7, 7, 7], 3]);
  });

  it('sends whoever asks for something else the long way, and counts no use', () => {
    const segment = openSegment(4);
    const expired = addRow(segment, 0, 100);
    const use = (id: number) => segment.use(`key-${id}`, spreadOfId(id), 100);
    const before = [use(0), use(1), segment.use('other', spreadOfId(0), 0)];
    const tagged = segment.add(entry(2, { facts: FACTS }), 0);

    expect([...before, use(2)]).toEqual([undefined, undefined, undefined, undefined]);
    expect([segment.usesOf(expired), segment.usesOf(tagged)]).toEqual([0, 0]);
  });

  it('counts uses up to three, and a write as one', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0);
    const counts = [1, 2, 3, 4].map(() => (segment.touch(row), segment.usesOf(row)));
    segment.setUses(row, 0);
    segment.overwritePlain(row, 9, NEVER, 0);

    expect([counts, segment.usesOf(row), segment.valueAt(row)]).toEqual([[1, 2, 3, 3], 1, 9]);
    expect(findRow(segment, 0)).toBe(row);
  });

  it('puts a winner in the place of a victim, with all that it has', () => {
    const segment = openSegment(4);
    for (const id of [0, 1]) segment.add(entry(id, { weight: id }), 0);
    const winner = segment.add(
      { ...entry(2, { facts: FACTS, weight: 7 }), deadline: 50 * DAY_MS },
      0,
    );
    segment.touch(winner);
    segment.replaceBy(0, winner);

    expect([findRow(segment, 0), findRow(segment, 2), segment.usesOf(0)]).toEqual([-1, 0, 0]);
    expect([segment.factsAt(0), segment.weightAt(0), segment.deadlineAt(0)]).toEqual([
      FACTS,
      7,
      50 * DAY_MS,
    ]);
    expect([segment.live, segment.isReleased(winner)]).toEqual([2, true]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('keeps order, uses and columns when it gets other arrays, and closes gaps', () => {
    const segment = openSegment(8);
    segment.add(entry(0, { weight: 5 }), 0);
    segment.add(entry(1), 0);
    segment.add({ ...entry(2, { facts: FACTS, weight: 6 }), deadline: 60 * DAY_MS }, 0);
    segment.touch(2);
    segment.remove(1);
    segment.reallocate(40);

    expect([findRow(segment, 0), findRow(segment, 1), findRow(segment, 2)]).toEqual([0, -1, 1]);
    expect([segment.usesOf(1), segment.factsAt(1), segment.weightAt(1)]).toEqual([1, FACTS, 6]);
    expect([segment.deadlineAt(1), segment.rows, segment.capacity]).toEqual([60 * DAY_MS, 2, 40]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('forgets facts that a plain entry takes the place of', () => {
    const segment = openSegment(4);
    segment.add(entry(0, { facts: FACTS }), 0);
    segment.overwritePlain(0, 1, NEVER, 0);

    expect(segment.factsAt(0)).toBeUndefined();
  });
});

describe(`${Segment.name}: deadlines`, () => {
  it('are whole milliseconds, rounded down', () => {
    const segment = openSegment(4, 1_000.7);
    const row = addRow(segment, 0, 1_010.9, 1_000.7);

    expect(segment.deadlineAt(row)).toBe(1_010);
    expect([1_009.9, 1_010].map((now) => segment.isExpired(row, now))).toEqual([false, true]);
  });

  it('can lie beyond what a tick reaches, or nowhere', () => {
    const segment = openSegment(4);
    const [far, never] = [addRow(segment, 0, 40 * DAY_MS), addRow(segment, 1)];
    const states = [39, 40, 400_000].map((days) => [
      segment.isExpired(far, days * DAY_MS),
      segment.isExpired(never, days * DAY_MS),
    ]);

    expect(states).toEqual([
      [false, false],
      [true, false],
      [true, false],
    ]);
  });

  it('in the past are expired, however far', () => {
    const segment = openSegment(4, 100 * DAY_MS);

    expect(segment.isExpired(addRow(segment, 0, 1, 100 * DAY_MS), 100 * DAY_MS)).toBe(true);
  });

  it.each([13, 60, 3_650, 40_000])('stay right when the process has run for %p days', (days) => {
    const segment = openSegment(8);
    const now = days * DAY_MS;
    const old = addRow(segment, 0, 5 * DAY_MS);
    const far = addRow(segment, 1, (days + 2) * DAY_MS);
    const never = addRow(segment, 2);
    const fresh = addRow(segment, 3, now + 1_000, now);

    const states = (time: number): boolean[] =>
      [old, far, never, fresh].map((row) => segment.isExpired(row, time));

    expect(states(now)).toEqual([true, false, false, false]);
    expect(states(now + 1_000)).toEqual([true, false, false, true]);
    expect(states(now + 2 * DAY_MS)).toEqual([true, true, false, true]);
    expect([segment.deadlineAt(fresh), segment.deadlineAt(far)]).toEqual([
      now + 1_000,
      (days + 2) * DAY_MS,
    ]);
  });

  it('that nothing was written for, stay expired for ever', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0, 10);

    expect([10, 30, 100_000].map((days) => segment.isExpired(row, days * DAY_MS))).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('of an overwritten or removed entry are forgotten', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0, 50 * DAY_MS);
    segment.overwritePlain(row, 1, NEVER, 0);
    const overwritten = segment.isExpired(row, 60 * DAY_MS);
    segment.remove(row);
    const again = addRow(segment, 1);

    expect([overwritten, again, segment.isExpired(again, 60 * DAY_MS)]).toEqual([
      false,
      row,
      false,
    ]);
  });
});

describe(`${Segment.name}: moving a deadline`, () => {
  it('leaves the rest of the entry as it is, its uses included', () => {
    const segment = openSegment(4);
    const row = segment.add({ ...entry(0, { facts: FACTS, weight: 5 }), deadline: 10 }, 0);
    segment.touch(row);
    segment.setDeadline(row, 20, 9);

    expect([19, 20].map((now) => segment.isExpired(row, now))).toEqual([false, true]);
    expect([segment.valueAt(row), segment.factsAt(row), segment.weightAt(row)]).toEqual([
      0,
      FACTS,
      5,
    ]);
    expect([segment.usesOf(row), segment.live]).toEqual([1, 1]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('lets no deadline be before the earliest', () => {
    const segment = openSegment(4);
    const [moved] = [addRow(segment, 0, 10), addRow(segment, 1, 30)];
    segment.setDeadline(moved, 20, 9);
    const later = segment.earliestDeadline;
    segment.setDeadline(moved, 5.5, 4);

    expect([later, segment.earliestDeadline]).toEqual([10, 5]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it.each([
    ['from near to far', 5, 50],
    ['from far to farther', 50, 80],
    ['from far to near', 50, 10],
    ['from far to nowhere', 50, Infinity],
    ['from nowhere to far', Infinity, 50],
  ])('works %s', (_, before, after) => {
    const segment = openSegment(4);
    const row = addRow(segment, 0, before * DAY_MS);
    segment.setDeadline(row, after * DAY_MS, DAY_MS);
    const moved = segment.deadlineAt(row);
    // So late that the ticks of all rows are counted anew.
    addRow(segment, 1, NEVER, 30 * DAY_MS);

    expect([moved, segment.deadlineAt(row)]).toEqual([after * DAY_MS, after * DAY_MS]);
    expect(segment.isExpired(row, 100 * DAY_MS)).toBe(after !== Infinity);
  });

  it('stays right for years in which nothing is written', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0, DAY_MS);
    for (let day = 1; day < 3_650; day++)
      segment.setDeadline(row, (day + 1) * DAY_MS, day * DAY_MS);

    expect(segment.deadlineAt(row)).toBe(3_650 * DAY_MS);
    expect(segment.use('key-0', spreadOfId(0), 3_649 * DAY_MS)).toBe(0);
  });
});

describe(`${Segment.name}: rewriting an entry in one search`, () => {
  const rewrite = (segment: Segment<number>, id: number, deadline: number, now: number): number =>
    segment.rewrite(`key-${id}`, spreadOfId(id), 10 + id, deadline, now);

  it('replaces value and deadline of a live entry and counts a use', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0, 100);

    expect(rewrite(segment, 0, 50.9, 20)).toBe(REWRITTEN);
    expect([segment.valueAt(row), segment.deadlineAt(row), segment.usesOf(row)]).toEqual([
      10, 50, 1,
    ]);
    expect([segment.earliestDeadline, segment.live]).toEqual([50, 1]);
    expect(segmentProblems(segment)).toEqual([]);
  });

  it('counts no more uses than a row can hold', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0);
    for (let write = 0; write < 5; write++) rewrite(segment, 0, 100, 0);

    expect(segment.usesOf(row)).toBe(3);
  });

  it('takes a deadline away', () => {
    const segment = openSegment(4);
    const row = addRow(segment, 0, 10);

    expect(rewrite(segment, 0, Infinity, 5)).toBe(REWRITTEN);
    expect([segment.deadlineAt(row), segment.isExpired(row, 100 * DAY_MS)]).toEqual([
      Infinity,
      false,
    ]);
  });

  it('says that a key is absent, also behind others of the same hash', () => {
    const segment = openSegment(8);
    const spread = spreadAt(0.99);
    for (const key of ['a', 'b']) segment.addPlain(key, spread, 1, NEVER, 0);

    expect(segment.rewrite('c', spread, 1, 100, 0)).toBe(ABSENT);
    expect(segment.rewrite('b', spread, 2, 100, 0)).toBe(REWRITTEN);
    expect(['a', 'b'].map((key) => segment.valueAt(segment.find(key, spread)))).toEqual([1, 2]);
  });

  it('leaves to the long way what has expired, has facts, or lies beyond the ticks', () => {
    const expired = openSegment(4);
    addRow(expired, 0, 10);
    const withFacts = openSegment(4);
    withFacts.add(entry(0, { facts: FACTS }), 0);
    const plain = openSegment(4);
    addRow(plain, 0);

    expect(rewrite(expired, 0, 100, 10)).toBe(DIFFICULT);
    expect(rewrite(withFacts, 0, 100, 0)).toBe(DIFFICULT);
    expect(rewrite(plain, 0, 13 * DAY_MS, 0)).toBe(DIFFICULT);
    expect([expired.valueAt(0), withFacts.valueAt(0), plain.valueAt(0)]).toEqual([0, 0, 0]);
  });
});
