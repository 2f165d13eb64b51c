import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheLevel, LevelEntry } from '../../lib/levels/cache-level.js';
import { GuardedLevel } from '../../lib/levels/guarded-level.js';
import type { CacheReport } from '../../lib/report.js';
import { entryOf, PlainLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const BROKEN = new Error('the level is broken');

let clock: VirtualClock;
let plain: PlainLevel;
let level: GuardedLevel;
let reports: CacheReport[];
/** Keys that were invalidated by a tag or a namespace. */
let ended: Set<string>;

function guard(own: CacheLevel, maxOwed = 10): GuardedLevel {
  return new GuardedLevel({
    name: 'L2',
    level: own,
    clock,
    report: (report) => void reports.push(report),
    admits: (key) => !ended.has(key),
    isLive: ({ freshUntil }) => freshUntil > clock.now(),
    maxOwed,
    timeoutMs: 100,
  });
}

beforeEach(() => {
  clock = new VirtualClock();
  plain = new PlainLevel();
  reports = [];
  ended = new Set();
  level = guard(plain);
});

const fail = (): never => {
  throw BROKEN;
};

function entry(value: unknown): LevelEntry {
  return entryOf(value, clock);
}

describe(`${GuardedLevel.name} around a level that works`, () => {
  it('reads, writes and deletes', () => {
    const outcomes = level.write(
      new Map([
        ['a', entry(1)],
        ['b', entry(2)],
      ]),
    );
    expect(Object.fromEntries(outcomes)).toEqual({ a: 'stored', b: 'stored' });
    expect([...level.read(['b', 'absent', 'a']).keys()]).toEqual(['b', 'a']);

    expect([level.deleteNow('a'), level.deleteNow('a'), level.delete(['b'])]).toEqual([
      true,
      false,
      'applied',
    ]);
    expect(plain.entries.size).toBe(0);
    expect([level.failures, reports]).toEqual([0, []]);
  });

  it('never takes an entry for a plain one', () => {
    level.writeNow('key', entry(1));

    expect(level.readPlainNow()).toBeUndefined();
  });

  it('gives out nothing that stamps have ended', () => {
    level.writeNow('key', entry(1));
    ended.add('key');

    expect([level.readNow('key'), level.peekNow('key'), level.deleteNow('key')]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });

  it('gives a stale entry out, and does not count it as deleted', () => {
    level.writeNow('key', entryOf('old', clock, { ttl: -1, grace: 1_000 }));

    expect(level.readNow('key')?.value).toBe('old');
    expect(level.deleteNow('key')).toBe(false);
  });

  it.each(['refused', 'fenced'] as const)(
    'leaves nothing under a key whose write is %s',
    (outcome) => {
      level.writeNow('key', entry('old'));
      plain.write = () => new Map([['key', outcome]]);

      expect(level.writeNow('key', entry('new'))).toBe(outcome);
      expect(plain.entries.size).toBe(0);
    },
  );

  it('passes on what a namespace and a tag are', () => {
    const told: unknown[] = [];
    plain.clear = (namespace) => (told.push(namespace), 'applied');
    plain.invalidateTags = (tags) => (told.push(tags), 'applied');

    expect([level.clear('places'), level.clear(), level.invalidateTags(['a'])]).toEqual(
      Array(3).fill('applied'),
    );
    expect(told).toEqual(['places', undefined, ['a']]);
  });

  it('is swept as often and as long as it says, or never', () => {
    const swept = guard(
      Object.assign(new PlainLevel(), {
        sweepEveryMs: 500,
        sweep: (budgetMs: number, anew: boolean) => ({ removed: budgetMs, more: anew }),
      }),
    );

    expect([swept.sweepEveryMs, swept.sweep(2, true)]).toEqual([500, { removed: 2, more: true }]);
    expect([level.sweepEveryMs, level.sweep(2, true)]).toEqual([
      Infinity,
      { removed: 0, more: false },
    ]);
  });
});

describe(`${GuardedLevel.name} around a level that throws`, () => {
  it('takes a failing read for a miss', () => {
    level.writeNow('key', entry(1));
    plain.readNow = fail;

    expect([level.readNow('key'), level.read(['key']).size]).toEqual([undefined, 0]);
  });

  it('refuses a write that fails, and has removed what it may have stored', () => {
    const { write } = plain;
    plain.write = (entries) => (void write(entries), fail());

    expect(level.writeNow('key', entry(1))).toBe('refused');
    expect(plain.entries.size).toBe(0);
  });

  it.each([
    ['write', () => undefined],
    ['write', () => new Map()],
    ['write', () => ({ key: 'stored' })],
  ])('refuses a %s that answers nonsense', (_, write) => {
    plain.write = write as never;

    expect(level.writeNow('key', entry(1))).toBe('refused');
  });

  it('does not read a key before it is deleted that it could not delete', () => {
    level.writeNow('key', entry('old'));
    const { delete: remove, readNow } = plain;
    plain.delete = fail;
    plain.readNow = () => {
      throw new Error('read too early');
    };
    level.deleteNow('key');
    const failures = level.failures;
    level.readNow('key');
    expect(level.failures).toBe(failures + 1);

    Object.assign(plain, { delete: remove, readNow });
    expect(level.readNow('key')).toBeUndefined();
    expect(plain.entries.size).toBe(0);
  });

  it('owes no delete of a key that was stored anew', () => {
    plain.delete = fail;
    level.delete(['key']);
    level.writeNow('key', entry('new'));

    expect(level.readNow('key')?.value).toBe('new');
  });

  it('reads and writes nothing before a clear that has failed', () => {
    level.writeNow('key', entry('old'));
    const { clear } = plain;
    plain.clear = fail;
    expect(level.clear()).toBe('applied');

    expect(level.readNow('key')).toBeUndefined();
    expect(level.writeNow('other', entry('new'))).toBe('refused');

    plain.clear = clear;
    expect(level.writeNow('other', entry('new'))).toBe('stored');
    expect([...plain.entries.keys()]).toEqual(['other']);
  });

  it('owes no clear of a namespace: stamps see to that', () => {
    level.writeNow('key', entry(1));
    plain.clear = fail;
    level.clear('places');

    expect(level.readNow('key')?.value).toBe(1);
  });

  it('clears everything where too many deletes have failed', () => {
    level = guard(plain, 2);
    for (const key of ['a', 'b', 'c', 'd']) level.writeNow(key, entry(key));
    plain.delete = fail;
    level.delete(['a', 'b', 'c']);

    expect(level.readNow('d')).toBeUndefined();
    expect(plain.entries.size).toBe(0);
  });

  it.each([
    ['invalidateTags', () => level.invalidateTags(['tag']), 'applied'],
    ['sweep', () => level.sweep(1, true), { removed: 0, more: false }],
  ])('goes on where %s fails', (operation, run, result) => {
    Object.assign(plain, { [operation]: fail });

    expect(run()).toEqual(result);
    expect(reports[0]!.message).toContain(
      `Level plain failed: its ${operation} ended in an error.`,
    );
  });

  it('goes on where close fails, and reports that', async () => {
    plain.close = () => Promise.reject(BROKEN);

    await level.close();
    expect(reports).toMatchObject([{ code: 'CACHE_LEVEL_DOWN', cause: BROKEN }]);
  });

  it('reports once for each outage, and once a minute at most', async () => {
    const { readNow } = plain;
    const readBy = (reads: readonly (typeof readNow)[]): void => {
      for (const read of reads) {
        plain.readNow = read;
        level.readNow('key');
      }
    };

    readBy([fail, fail, readNow, fail, readNow, fail]);
    expect(reports.map(({ code }) => code)).toEqual(['CACHE_LEVEL_DOWN']);
    expect(reports[0]!.cause).toBe(BROKEN);
    expect(level.failures).toBe(4);

    await clock.advance(60_000);
    readBy([readNow, fail, fail]);
    expect(reports).toHaveLength(2);
    expect(reports[1]!.message).toContain(
      'Since the last report it had failed and answered again 2 times.',
    );
  });

  it('takes a promise for a failure, and has none rejected unheard', async () => {
    plain.readNow = () => Promise.reject(BROKEN) as never;

    expect(level.readNow('key')).toBeUndefined();
    await clock.turn();
    expect(String(reports[0]!.cause)).toContain(
      'read of a level in this process returned a promise',
    );
  });
});
