import { beforeEach, describe, expect, it } from '@jest/globals';
import { KnownChanges, type Counted } from '../../lib/redis/known-changes.js';
import { BUCKETS } from '../../lib/redis/key-layout.js';

let missed: number[];
let known: KnownChanges;
let time: number;

beforeEach(() => {
  missed = [];
  known = new KnownChanges((bucket) => missed.push(bucket));
  time = 0;
});

/** The server is asked, and says the same of all buckets but what is given of the first. */
function ask(first: Partial<Counted> = {}): boolean {
  time += 1;
  known.expect();
  const asked = { at: time, atWall: 100 * time };
  const counts = Array.from({ length: BUCKETS }, () => ({ epoch: 'e', count: 5, server: 's' }));
  const rewound = counts.map((counted, bucket) =>
    known.take(bucket, bucket === 0 ? { ...counted, ...first } : counted, asked),
  );
  known.prove(() => false);
  return rewound.includes(true);
}

function hear(count: number, epoch = 'e'): boolean {
  const change = { kind: 'key', key: 'key' } as const;
  return known.hear({ source: 'other', bucket: 0, epoch, count, change });
}

describe(KnownChanges, () => {
  it('prove nothing before the server was asked', () => {
    expect(known.provenAt()).toEqual({ at: -Infinity, atWall: -Infinity });
    expect(hear(6)).toBe(false);
    expect(missed).toEqual([]);
  });

  it('are proven by a count that was reached, as of when it was asked for', () => {
    expect(ask()).toBe(false);
    expect(known.provenAt()).toEqual({ at: 1, atWall: 100 });

    expect(hear(6)).toBe(true);
    ask({ count: 6 });
    expect([known.provenAt().at, known.isBehind, missed]).toEqual([2, false, []]);
  });

  it('are not proven while messages have not come, of that bucket and so of all', () => {
    ask();
    ask({ count: 7 });
    expect([known.provenAt(0).at, known.provenAt(1).at, known.provenAt().at]).toEqual([1, 2, 1]);
    expect(known.isBehind).toBe(true);

    hear(6);
    hear(7);
    known.prove(() => false);
    expect([known.provenAt().at, known.isBehind, missed]).toEqual([2, false, []]);
  });

  it('are missed where one is left out, where another epoch begins, and where they are given up', () => {
    ask();
    hear(7);
    expect(missed).toEqual([0]);

    hear(1, 'another');
    expect(missed).toEqual([0, 0]);

    ask({ epoch: 'another', count: 4 });
    known.giveUp();
    expect(missed).toEqual([0, 0, 0]);
    expect(known.isBehind).toBe(false);
  });

  it.each([
    ['a new epoch', { epoch: 'another' }],
    ['another run of the server', { server: 'another' }],
    ['a smaller count', { count: 4 }],
  ])('may be lost by the server: %s', (_, first) => {
    expect(ask()).toBe(false);

    expect(ask(first)).toBe(true);
    expect(missed).toEqual([0]);
  });

  it('may be lost by the server that has less than was heard of', () => {
    ask();
    hear(6);

    expect(ask({ count: 5 })).toBe(true);
  });

  it('may be lost by the server that was first heard of to count anew', () => {
    ask();
    hear(1, 'another');

    expect(ask({ epoch: 'another', count: 9 })).toBe(true);
  });

  it('that come once more, or late, are not new', () => {
    ask();
    hear(6);

    expect([hear(6), hear(3)]).toEqual([false, false]);
    expect(missed).toEqual([]);
  });
});
