import { describe, expect, it } from '@jest/globals';
import { Oracle, type Seen } from './oracle.js';

function read(version: number, invokedAt: number): Seen {
  return { kind: 'read', key: 'key', version, invokedAt };
}

function change(version: number, resolvedAt: number, applied = true): Seen {
  return { kind: 'change', key: 'key', version, resolvedAt, applied };
}

describe(Oracle.name, () => {
  it('finds the read of an older version in the process that has invalidated it, at once', () => {
    const oracle = new Oracle();
    oracle.hear('one', [read(1, 0), change(2, 10), read(1, 10), read(1, 11), read(2, 12)]);

    expect(oracle.judge(1_000)).toMatchObject({ reads: 4, changes: 1, staleHere: 1 });
  });

  it('grants other processes the bound', () => {
    const oracle = new Oracle();
    oracle.hear('one', [change(2, 10)]);
    oracle.hear('other', [read(1, 60), read(1, 61), read(2, 70)]);

    expect(oracle.judge(50)).toMatchObject({ staleHere: 0, staleElsewhere: 1, worstMs: 51 });
  });

  it('takes the invalidation of a later version for one of those before it', () => {
    const oracle = new Oracle();
    oracle.hear('one', [change(3, 10), change(2, 50), read(2, 20), read(3, 60)]);

    expect(oracle.judge(0)).toMatchObject({ staleHere: 1, staleElsewhere: 1, worstMs: 10 });
  });

  it('asks nothing of other processes before an invalidation was carried out', () => {
    const oracle = new Oracle();
    oracle.hear('one', [change(2, 10, false), read(1, 20)]);
    oracle.hear('other', [read(1, 20)]);

    expect(oracle.judge(0)).toMatchObject({ staleHere: 1, staleElsewhere: 0 });
  });
});
