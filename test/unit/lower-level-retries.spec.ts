import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WriteTerms } from '../../lib/hierarchy/key-lanes.js';
import { LowerLevel } from '../../lib/hierarchy/lower-level.js';
import { LowerLevelBench } from '../support/lower-level-bench.js';
import { ALL_OPERATIONS, entryOf, type ScriptedLevel } from '../support/scripted-level.js';
import type { VirtualClock } from '../support/virtual-clock.js';

const LOADED: WriteTerms = { wanted: () => true, replaces: false };

let bench: LowerLevelBench;
let clock: VirtualClock;
let level: ScriptedLevel;
let lower: LowerLevel;

function open(options?: { maxUnconfirmed?: number; timeoutMs?: number }): void {
  bench = new LowerLevelBench(options);
  ({ clock, level, lower } = bench);
}

beforeEach(() => open());

afterEach(() => bench.close());

describe(`${LowerLevel.name}: retries`, () => {
  it('come after 1 s, then twice as late each time, up to 30 s', async () => {
    level.when(ALL_OPERATIONS, 'fail');
    await lower.clear('');
    const times: number[] = [];
    const startedAt = clock.now();
    // When it is left alone it is read, to see whether it is back.
    level.when('clear read', () => {
      times.push(clock.now() - startedAt);
      throw new Error('still away');
    });
    await clock.advance(121_000);

    expect(times).toEqual([1, 3, 7, 15, 31, 61, 91, 121].map((seconds) => 1_000 * seconds));
  });

  it('begin again with 1 s after everything was confirmed', async () => {
    level.when('clear', 'fail');
    await lower.clear('');
    await clock.advance(6_000);
    level.when('clear', 'answer');
    await clock.advance(20_000);
    expect(lower.getMetrics().unconfirmed).toBe(0);
    expect(clock.pending).toBe(0);

    level.when('clear', 'fail');
    await lower.clear('');
    level.takeCalls();
    await clock.advance(1_000);

    expect(level.calls).toEqual(['clear']);
  });

  it('carry out everything that is owed, each once', async () => {
    bench.have('key', 'a/1', 'other');
    level.when('delete clear invalidateTags', 'fail');
    await lower.delete('key', {});
    await lower.delete('expired', { expire: true });
    await lower.clear('a/');
    await lower.invalidateTags(['tag'], 5_000);
    level.when('delete clear invalidateTags', 'answer');
    level.takeCalls();
    await clock.advance(10_000);

    expect(clock.pending).toBe(0);
    expect(level.takeCalls().toSorted()).toEqual([
      'clear',
      'delete expired',
      'delete key',
      'invalidateTags tag',
    ]);
    expect([
      await bench.valueOf('key'),
      await bench.valueOf('a/1'),
      await bench.valueOf('other'),
    ]).toEqual([undefined, undefined, 'other']);
  });

  it('are made in the context of no caller, when their time has come or the level is back', async () => {
    const requests = new AsyncLocalStorage<string>();
    const setTimer = clock.setTimer.bind(clock);
    // As the timers of the process do.
    clock.setTimer = (run, afterMs) => setTimer(AsyncResource.bind(run), afterMs);
    const seen: (string | undefined)[] = [];
    const noteContext = (answer: () => unknown) => (): unknown => {
      seen.push(requests.getStore());
      return answer();
    };
    level.when('clear', 'fail');
    await requests.run('first', () => lower.clear('a/'));
    level.when(
      'clear',
      noteContext(() => Promise.reject(new Error('still away'))),
    );
    await clock.advance(1_000);

    level.when(
      'clear',
      noteContext(() => 'applied'),
    );
    await requests.run('second', () => lower.read('key'));
    await clock.turn();

    expect(seen).toEqual([undefined, undefined]);
    expect(lower.getMetrics().unconfirmed).toBe(0);
  });

  it('are made for an answer once a second at most, where changes fail and reads are answered', async () => {
    level.when('clear', 'fail');
    for (let round = 0; round < 20; round++) {
      await lower.clear(`${round}/`);
      await lower.read('key');
    }

    // Each once, and the first once more.
    expect(level.calls.filter((call) => call === 'clear')).toHaveLength(21);
  });

  it('send nothing again that is still on its way', async () => {
    open({ timeoutMs: 5_000 });
    level.when('clear', 'hang');
    level.when('delete', 'fail');
    void lower.clear('');
    await lower.delete('key', {});
    await clock.advance(4_000);

    expect(level.calls.filter((call) => call === 'clear')).toEqual(['clear']);
  });
});

describe(`${LowerLevel.name}: more than maxUnconfirmed`, () => {
  beforeEach(() => open({ maxUnconfirmed: 2 }));

  it('invalidations are one clear of everything', async () => {
    bench.have('key');
    level.when('invalidateTags clear', 'fail');
    for (const tag of ['a', 'b', 'c']) await lower.invalidateTags([tag], undefined);

    expect(lower.getMetrics()).toMatchObject({ unconfirmed: 1 });
    expect(await bench.valueOf('key')).toBeUndefined();

    level.when('invalidateTags clear', 'answer');
    level.takeCalls();
    await clock.advance(1_000);
    expect(level.calls).toEqual(['clear']);
    expect(lower.getMetrics()).toMatchObject({ unconfirmed: 0 });
    expect(level.entries.size).toBe(0);
  });

  it('deletes are one clear of everything', async () => {
    bench.have('key', 'a', 'b', 'c');
    level.when('delete', 'fail');
    for (const key of ['a', 'b', 'c']) await lower.delete(key, {});
    await clock.turn();

    expect(level.entries.size).toBe(0);
    expect(lower.getMetrics()).toMatchObject({ unconfirmed: 0 });
    await clock.advance(60_000);
  });

  it('writes in doubt keep everything from being read until they have expired', async () => {
    level.when('write', 'hang');
    const writes = ['a', 'b', 'c'].map((key) =>
      lower.write(key, entryOf(key, clock, { ttl: 5_000 }), LOADED),
    );
    await clock.advance(100);
    await Promise.all(writes);
    bench.have('key');
    await clock.advance(4_899);
    expect(await bench.valueOf('key')).toBeUndefined();

    await clock.advance(1);

    expect(await bench.valueOf('key')).toBe('key');
    await clock.advance(60_000);
  });

  it('writes in doubt can not bring back what was deleted before they were forgotten', async () => {
    level.when('write', 'hold');
    const lifetime = { ttl: 5_000 };
    const writes = ['a', 'b', 'c'].map((key) =>
      lower.write(key, entryOf(key, clock, lifetime), LOADED),
    );
    const deleted = lower.delete('a', {});
    await clock.advance(100);
    await Promise.all([...writes, deleted]);

    level.letGo();
    await clock.turn();

    expect([await bench.valueOf('a'), level.entries.size]).toEqual([undefined, 0]);
    await clock.advance(60_000);
  });
});
