import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import type { Lease } from '../../lib/levels/cache-level.js';
import type { CacheReport } from '../../lib/report.js';
import { defer } from '../support/deferred.js';
import { ALL_OPERATIONS, AWAY, entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let level: ScriptedLevel;
let calls: LevelCalls;
let reports: CacheReport[];

beforeEach(() => {
  clock = new VirtualClock();
  level = new ScriptedLevel(clock);
  reports = [];
  const report = (what: CacheReport): void => void reports.push(what);
  calls = new LevelCalls({ level, clock, report, timeoutMs: 100 });
});

afterEach(async () => {
  await calls.close();
  expect(clock.pending).toBe(0);
});

/** Every operation once. */
function askEverything(): Promise<{ readonly state: string }[]> {
  return Promise.all([
    calls.read('key'),
    calls.write('key', entryOf(1, clock)),
    calls.delete('key', {}),
    calls.invalidateTags(['tag'], undefined),
    calls.clear('places'),
  ]);
}

async function statesOf(asked: Promise<{ readonly state: string }[]>): Promise<string[]> {
  return (await asked).map(({ state }) => state);
}

describe(LevelCalls.name, () => {
  it('gives the answers of the level', async () => {
    const entry = entryOf('there', clock);
    level.put('there', entry);

    expect(await calls.read('there')).toMatchObject({ answer: { value: 'there' } });
    expect(await calls.read('absent')).toEqual({ state: 'answered', answer: undefined });
    expect(await calls.write('key', entry)).toEqual({ state: 'answered', answer: 'stored' });
    expect(await calls.delete('key', {})).toEqual({ state: 'answered', answer: 'applied' });
    expect(await calls.invalidateTags(['tag'], 5)).toMatchObject({ answer: 'applied' });
    expect(await calls.clear('')).toMatchObject({ answer: 'applied' });
    expect(calls.getMetrics()).toMatchObject({
      calls: 6,
      failures: 0,
      timeouts: 0,
      unsent: 0,
      refused: 0,
    });
  });

  it('gives a lease back that comes too late, which nobody would use', async () => {
    const lease = defer<Lease>();
    let released = 0;
    const leasing = Object.assign(level, { lease: () => lease.promise });
    const asked = calls.lease('key', {});
    await clock.advance(100);
    expect((await asked).state).toBe('late');
    lease.resolve({ state: 'load', token: 'token', release: () => void (released += 1) });
    await leasing.lease();
    await clock.advance(0);

    expect(released).toBe(1);
  });

  it('gathers deletes by what else is said of them', async () => {
    const modes: string[] = [];
    level.delete = async (keys, mode) => {
      modes.push(`${keys.join()} ${JSON.stringify(mode)}`);
      return 'applied';
    };
    const deletes = [
      calls.delete('a', {}),
      calls.delete('b', { expire: false }),
      calls.delete('c', { expire: true }),
      calls.delete('d', { hold: 5 }),
      calls.delete('e', { expire: true }),
      calls.delete('f', { hold: 6 }),
    ];
    await Promise.all(deletes);

    expect(modes).toEqual(['a,b {}', 'c,e {"expire":true}', 'd {"hold":5}', 'f {"hold":6}']);
  });

  it('clears everything for an empty prefix', async () => {
    const prefixes: unknown[] = [];
    level.clear = async (prefix) => (prefixes.push(prefix), 'applied' as const);
    await calls.clear('');
    await calls.clear('places');

    expect(prefixes).toEqual([undefined, 'places']);
  });

  it('takes answers of a level that answers at once', async () => {
    Object.assign(level, { read: () => new Map(), clear: () => 'queued' });

    expect(await calls.read('key')).toEqual({ state: 'answered', answer: undefined });
    expect(await calls.clear('')).toEqual({ state: 'answered', answer: 'queued' });
  });
});

describe(`${LevelCalls.name}: a level that fails`, () => {
  it('has every call fail and none reject', async () => {
    level.when(ALL_OPERATIONS, 'fail');

    expect(await statesOf(askEverything())).toEqual(Array(5).fill('failed'));
    expect(calls.getMetrics()).toMatchObject({
      calls: 5,
      failures: 5,
      timeouts: 0,
      unsent: 0,
      refused: 0,
    });
  });

  it('may throw at once', async () => {
    const fail = (): never => {
      throw AWAY;
    };
    Object.assign(level, {
      read: fail,
      write: fail,
      delete: fail,
      invalidateTags: fail,
      clear: fail,
    });

    expect(await statesOf(askEverything())).toEqual(Array(5).fill('failed'));
  });

  it.each([undefined, null, {}, []])(
    'fails where it answers with %p in place of a Map',
    async (answer) => {
      level.when('read write', () => answer);

      expect((await calls.read('key')).state).toBe('failed');
      expect((await calls.write('key', entryOf(1, clock))).state).toBe('failed');
      expect(String(reports[0]!.cause)).toContain('it must answer with a Map, got');
    },
  );

  it('is reported once for each outage, with what it threw', async () => {
    for (const way of ['fail', 'fail', 'answer', 'fail', 'hang'] as const) {
      level.when('read', way);
      const reading = calls.read('key');
      await clock.advance(100);
      await reading;
      if (way === 'answer') await clock.advance(60_000);
    }

    expect(reports).toEqual([
      expect.objectContaining({ code: 'CACHE_LEVEL_DOWN', cause: AWAY }),
      expect.objectContaining({ code: 'CACHE_LEVEL_DOWN', cause: AWAY }),
    ]);
    expect(calls.down).toBe(true);
  });

  it('is reported once, however long, where reads are answered and changes are refused', async () => {
    level.when('write delete invalidateTags clear', 'fail');
    for (let second = 0; second < 600; second++) {
      await askEverything();
      await clock.advance(1_000);
    }

    expect(reports).toHaveLength(1);
    expect(calls.getMetrics()).toMatchObject({ failures: 2_400, circuit: 'closed' });

    level.when('write', 'answer');
    await calls.write('key', entryOf(1, clock));
    level.when('write', 'fail');
    await calls.write('key', entryOf(1, clock));
    expect(reports).toHaveLength(2);
  });

  it('is reported once a minute at most, and later what began within it, with how often it was so', async () => {
    for (let second = 0; second < 60; second++) {
      level.when('read', 'fail');
      await calls.read('key');
      level.when('read', 'answer');
      await calls.read('key');
      await clock.advance(1_000);
    }
    expect(reports).toHaveLength(1);

    level.when('read', 'fail');
    await calls.read('key');
    await calls.read('key');
    expect(reports).toHaveLength(2);
    expect(reports[1]!.message).toMatch(/had failed and answered again 59 times\.$/);
  });

  it('is reported anew where nothing has failed for a minute, whatever has not been asked since', async () => {
    level.when('write', 'fail');
    await calls.write('key', entryOf(1, clock));
    await clock.advance(60_000);
    level.when('read', 'fail');
    await calls.read('key');

    expect(reports).toHaveLength(2);
  });

  it('is up again when it answers', async () => {
    level.when('read', 'fail');
    await calls.read('key');
    expect(calls.down).toBe(true);

    await calls.clear('');

    expect(calls.down).toBe(false);
  });
});

describe(`${LevelCalls.name}: a level that refuses an entry`, () => {
  it('has that counted, and has not failed', async () => {
    level.when('write', () => new Map([['key', 'refused']]));
    await calls.write('key', entryOf(1, clock));

    expect(calls.getMetrics()).toMatchObject({ refused: 1, failures: 0 });
  });
});

describe(`${LevelCalls.name}: a level that takes long`, () => {
  it('has every call given up at the timeout', async () => {
    level.when(ALL_OPERATIONS, 'hang');
    const states = statesOf(askEverything());
    await clock.advance(99);
    expect(calls.getMetrics()).toMatchObject({
      calls: 5,
      failures: 0,
      timeouts: 0,
      unsent: 0,
      refused: 0,
    });
    await clock.advance(1);

    expect(await states).toEqual(Array(5).fill('late'));
    expect(calls.getMetrics()).toMatchObject({
      calls: 5,
      failures: 5,
      timeouts: 5,
      unsent: 0,
      refused: 0,
    });
    expect(reports.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Level remote failed: its \w+ took longer than 100 ms\. /),
    ]);
  });

  it.each([
    ['was carried out', () => 'applied', true],
    [
      'failed',
      () => {
        throw AWAY;
      },
      false,
    ],
  ])('tells later that a call %s', async (_, end, done) => {
    level.when('clear', 'hold');
    level.entries.deleteWhere = () => void end();
    const clearing = calls.clear('');
    await clock.advance(100);
    const reply = (await clearing) as { state: 'late'; settled: Promise<boolean> };
    level.letGo();

    expect(reply.state).toBe('late');
    expect(await reply.settled).toBe(done);
  });

  it('is not up again for what it answers too late', async () => {
    level.when('read', 'hold');
    const reading = calls.read('key');
    await clock.advance(100);
    await reading;
    level.letGo();
    await clock.turn();

    expect(calls.down).toBe(true);
    expect(calls.getMetrics()).toMatchObject({ failures: 1 });
  });
});

describe(`${LevelCalls.name}: close`, () => {
  it('ends every wait', async () => {
    level.when(ALL_OPERATIONS, 'hang');
    const states = statesOf(askEverything());
    await clock.turn();
    await calls.close();

    expect(await states).toEqual(Array(5).fill('late'));
    expect([clock.pending, reports]).toEqual([0, []]);
  });

  it('asks for nothing afterwards, and fails what was still gathered', async () => {
    const gathered = calls.read('key');
    await calls.close();

    expect((await gathered).state).toBe('failed');
    expect(await statesOf(askEverything())).toEqual(Array(5).fill('failed'));
    expect([level.calls, level.closed]).toEqual([[], 1]);
  });

  it.each(['rejects', 'throws', 'hangs'])('settles where close %s, and reports it', async (way) => {
    level.close = (): Promise<void> => {
      if (way === 'throws') throw AWAY;
      return way === 'rejects' ? Promise.reject(AWAY) : new Promise(() => {});
    };
    const closing = calls.close();
    await clock.advance(100);
    await closing;
    level.close = async () => {};

    const message = 'Level remote did not close.';
    const cause = way === 'hangs' ? undefined : AWAY;
    expect(reports).toEqual([{ code: 'CACHE_LEVEL_NOT_CLOSED', message, cause }]);
  });
});
