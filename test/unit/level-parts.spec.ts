import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import { LevelOutages } from '../../lib/hierarchy/level-outages.js';
import { MAX_CALLS_UNDER_WAY } from '../../lib/hierarchy/timed-calls.js';
import type {
  Ack,
  DeleteMode,
  Lease,
  LevelEntry,
  WriteOutcome,
} from '../../lib/levels/cache-level.js';
import type { CacheReport } from '../../lib/report.js';
import { AWAY, entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A level of which each first letter is a part that can be away by itself. */
class PartedLevel extends ScriptedLevel {
  readonly away = new Set<string>();
  readonly leased: string[] = [];

  partOf(key: string): number {
    return key.charCodeAt(0);
  }

  override read(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    return this.#askAll(keys, () => super.read(keys));
  }

  override write(entries: ReadonlyMap<string, LevelEntry>): Promise<Map<string, WriteOutcome>> {
    return this.#askAll([...entries.keys()], () => super.write(entries));
  }

  override delete(keys: readonly string[], mode?: DeleteMode): Promise<Ack> {
    return this.#askAll(keys, () => super.delete(keys, mode));
  }

  override clear(): Promise<Ack> {
    return this.#askAll([...this.away], () => super.clear());
  }

  async lease(key: string): Promise<Lease> {
    this.leased.push(key);
    return { state: 'load', token: key, release: () => {} };
  }

  /** Fails altogether where one of the keys is away, as a call does. */
  async #askAll<A>(keys: readonly string[], ask: () => A | Promise<A>): Promise<A> {
    if (keys.some((key) => this.away.has(key[0]!))) throw AWAY;
    return ask();
  }
}

let clock: VirtualClock;
let level: PartedLevel;
let reports: CacheReport[];
const report = (what: CacheReport): void => void reports.push(what);

beforeEach(() => {
  clock = new VirtualClock();
  level = new PartedLevel(clock);
  reports = [];
});

describe(`${LevelCalls.name} of a level with parts`, () => {
  let calls: LevelCalls;

  beforeEach(() => {
    calls = new LevelCalls({ level, clock, report, timeoutMs: 100 });
  });

  afterEach(() => calls.close());

  async function read(...keys: string[]): Promise<string[]> {
    const replies = await Promise.all(keys.map((key) => calls.read(key)));
    return replies.map(({ state }) => state);
  }

  it('are one for each part', async () => {
    const entry = entryOf(1, clock);
    await Promise.all(['a1', 'b1', 'a2'].map((key) => calls.write(key, entry)));
    await read('a1', 'b1', 'a2');
    await Promise.all(['a1', 'b1', 'a2'].map((key) => calls.delete(key, {})));

    expect(level.calls).toEqual([
      'write a1,a2',
      'write b1',
      'read a1,a2',
      'read b1',
      'delete a1,a2',
      'delete b1',
    ]);
  });

  it('fail for what is away, and for nothing else', async () => {
    level.away.add('a');
    const entry = entryOf(1, clock);
    const replies = await Promise.all([
      ...['a', 'b'].map((key) => calls.write(key, entry)),
      ...['a', 'b'].map((key) => calls.read(key)),
      ...['a', 'b'].map((key) => calls.delete(key, {})),
    ]);

    const each = ['failed', 'answered'];
    expect(replies.map(({ state }) => state)).toEqual([...each, ...each, ...each]);
    expect([calls.isDownFor('a'), calls.isDownFor('b')]).toEqual([true, false]);
  });

  it('are left out where five have failed in a row, and made elsewhere', async () => {
    level.away.add('a');
    for (let round = 0; round < 5; round++) await read('a', 'b');
    expect(calls.getMetrics()).toMatchObject({ failures: 5, unsent: 0, circuit: 'open' });

    expect(await read('a', 'b')).toEqual(['failed', 'answered']);
    expect(calls.getMetrics()).toMatchObject({ failures: 5, unsent: 1 });
    level.away.clear();
    await clock.advance(1_000);
    level.takeCalls();
    expect(await read('a2', 'b')).toEqual(['failed', 'answered']);
    await clock.advance(0);
    expect(level.calls).toContain('read a');
    expect(calls.getMetrics().circuit).toBe('closed');
    expect(await read('a2')).toEqual(['answered']);
  });

  it('are made of all of it again as soon as every part is back', async () => {
    level.away.add('a');
    await read('a', 'b');
    for (let round = 0; round < 5; round++) await calls.clear('');
    level.takeCalls();

    await clock.advance(1_000);
    expect((await calls.clear('')).state).toBe('failed');
    await clock.advance(0);
    expect((await calls.clear('')).state).toBe('failed');
    expect(level.calls).toEqual([]);

    level.away.clear();
    await clock.advance(1_000);
    expect((await calls.clear('')).state).toBe('failed');
    await clock.advance(0);
    expect((await calls.clear('')).state).toBe('answered');
    expect(level.calls).toEqual(['read nestjs-cache-hierarchy:probe,a,b', 'clear']);
  });

  it('are those of a level that is down where nothing has answered since a part began to fail', async () => {
    level.away.add('a');
    await read('a');
    expect(calls.down).toBe(true);

    await read('b');
    await read('a');
    expect(calls.down).toBe(false);

    level.away.add('b');
    await read('b');
    expect(calls.down).toBe(true);
  });

  it('fail all for one reason, which is reported once', async () => {
    level.away.add('a').add('b');
    await read('a', 'b');
    await read('c', 'b');
    expect(reports).toHaveLength(1);

    level.away.clear();
    await read('a', 'b');
    await clock.advance(60_000);
    level.away.add('b');
    await read('a', 'b');
    expect(reports).toHaveLength(2);
  });

  it('are waited for up to a number in all parts together', async () => {
    level.when('read', 'hang');
    const asked = Array.from({ length: MAX_CALLS_UNDER_WAY }, (_, at) =>
      calls.read(String.fromCharCode(at)),
    );
    await clock.advance(0);

    expect(await read('\uffff')).toEqual(['failed']);
    expect(calls.getMetrics()).toMatchObject({ calls: MAX_CALLS_UNDER_WAY, shed: 1 });
    await calls.close();
    await Promise.all(asked);
  });

  it('concern all of it where the level does not say which part, and so do those of many keys', async () => {
    level.partOf = () => {
      throw AWAY;
    };
    level.when('clear', 'fail');
    expect(await read('a', 'b')).toEqual(['answered', 'answered']);
    await calls.clear('');

    expect(level.calls).toEqual(['read a,b', 'clear']);
    expect(calls.isDownFor('a')).toBe(true);
  });
});

describe(`${LevelOutages.name} and a cache`, () => {
  let cache: CacheHierarchy;

  beforeEach(() => {
    cache = new CacheHierarchy({ clock, remote: level, l2: false, report });
  });

  afterEach(() => cache.close());

  function kept(): string[] {
    return ['a', 'b', 'c', 'b new'].filter((key) => level.entries.read(key) !== undefined);
  }

  it('has what is there stored, read, leased and deleted while a part is away', async () => {
    level.away.add('a');
    await cache.setMany([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    expect(kept()).toEqual(['b', 'c']);

    expect(await cache.getOrSet('a new', () => 1)).toBe(1);
    expect(await cache.getOrSet('b new', () => 1)).toBe(1);
    expect(level.leased).toEqual(['b new']);

    const deleting = cache.deleteMany(['a', 'b', 'c'], { require: 'remote' });
    await expect(deleting).rejects.toThrow('remote');
    expect(kept()).toEqual(['b new']);
    expect(cache.getMetrics().lower.remote).toMatchObject({ down: false, unconfirmed: 1 });
  });
});
