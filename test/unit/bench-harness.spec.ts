import { describe, expect, it } from '@jest/globals';

import { figuresOf } from '../../bench/src/harness/report.js';
import { planCells } from '../../bench/src/harness/runner.js';
import type { Case, Sample, Subject, Suite } from '../../bench/src/harness/suite.js';
import { zipfRequests } from '../../bench/src/workload.js';

const idle: Subject = async () => ({ value: 0, checksum: 0 });

function caseOf(subjects: readonly string[], against: readonly string[]): Case {
  return {
    name: 'read',
    unit: 'ns/op',
    against,
    subjects: Object.fromEntries(subjects.map((name) => [name, idle])),
  };
}

function suiteOf(measured: Case): Suite {
  return { name: 'engine', cases: [measured] };
}

function samples(...values: readonly number[]): Sample[] {
  return values.map((value) => ({ value, checksum: 0 }));
}

describe('planCells', () => {
  it('takes the subjects in turn and every second round backwards', () => {
    const measured = caseOf(['A', 'B', 'C'], ['C']);

    const cells = planCells(suiteOf(measured), measured, 4);

    expect(cells.map(({ subject }) => subject).join('')).toBe('ABCCBAABCCBA');
    expect(cells.map(({ round }) => round)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });
});

describe('figuresOf', () => {
  it('takes the median of the ratios of the rounds, not the ratio of the medians', () => {
    const measured = caseOf(['ours', 'theirs'], ['theirs']);
    const rounds = { ours: samples(10, 300, 30), theirs: samples(20, 400, 40) };

    const [ours] = figuresOf(suiteOf(measured), measured, rounds);

    expect(ours).toMatchObject({ median: 30, ratio: 0.75, against: 'theirs', rounds: 3 });
  });

  it('makes a figure for each subject and each yardstick other than itself', () => {
    const measured = caseOf(['ours', 'lru', 'Map'], ['lru', 'Map']);
    const rounds = { ours: samples(2), lru: samples(4), Map: samples(1) };

    const figures = figuresOf(suiteOf(measured), measured, rounds);

    expect(figures.map(({ subject, against, ratio }) => [subject, against, ratio])).toEqual([
      ['ours', 'lru', 0.5],
      ['ours', 'Map', 2],
      ['lru', 'Map', 4],
      ['Map', 'lru', 0.25],
    ]);
  });

  it('shows a lone yardstick beside itself', () => {
    const measured = caseOf(['ours', 'Map'], ['Map']);

    const figures = figuresOf(suiteOf(measured), measured, {
      ours: samples(2),
      Map: samples(1),
    });

    expect(figures[1]).toMatchObject({ subject: 'Map', against: 'Map', median: 1, ratio: 1 });
  });
});

describe('figuresOf: what a measurement shows beside its figure', () => {
  const measured = { ...caseOf(['ours', 'Map'], ['Map']), beside: { gap: 'ms' as const } };

  it('becomes figures of their own, with their unit and ratio', () => {
    const figures = figuresOf(suiteOf(measured), measured, {
      ours: [{ value: 1, checksum: 0, beside: { gap: 5 } }],
      Map: [{ value: 1, checksum: 0, beside: { gap: 10 } }],
    });

    expect(figures.map((figure) => figure.case)).toEqual([
      'read',
      'read',
      'read: gap',
      'read: gap',
    ]);
    expect(figures[2]).toMatchObject({ subject: 'ours', median: 5, unit: 'ms', ratio: 0.5 });
  });

  it('is left out for a subject that does not show it', () => {
    const figures = figuresOf(suiteOf(measured), measured, {
      ours: [{ value: 1, checksum: 0, beside: { gap: 5 } }],
      Map: samples(1),
    });

    expect(figures.map(({ subject, case: name }) => `${name} ${subject}`)).toEqual([
      'read ours',
      'read Map',
      'read: gap ours',
    ]);
  });
});

describe('zipfRequests', () => {
  const workload = { keys: 1_000, requests: 100_000, seed: 7 };

  it('makes the same requests of the same seed and others of another', () => {
    expect(zipfRequests(workload)).toEqual(zipfRequests(workload));
    expect(zipfRequests(workload)).not.toEqual(zipfRequests({ ...workload, seed: 8 }));
  });

  it('asks for the n-th most popular key 1 / n^exponent as often as for the first', () => {
    const counts = new Uint32Array(workload.keys);
    for (const key of zipfRequests({ ...workload, exponent: 1 })) counts[key]! += 1;
    const [first, second, , fourth] = counts.toSorted().toReversed();

    expect(second! / first!).toBeCloseTo(1 / 2, 1);
    expect(fourth! / first!).toBeCloseTo(1 / 4, 1);
  });
});
