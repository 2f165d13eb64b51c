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

beforeEach(() => {
  bench = new LowerLevelBench();
  ({ clock, level, lower } = bench);
});

afterEach(() => bench.close());

describe(`${LowerLevel.name}: reads`, () => {
  it('find what is live, and what is only a stale answer', async () => {
    level.put('live', entryOf(1, clock));
    level.put('stale', entryOf(2, clock, { ttl: -1, grace: 1_000 }));

    expect([
      await bench.valueOf('live'),
      await bench.valueOf('stale'),
      await bench.valueOf('absent'),
    ]).toEqual([1, 2, undefined]);
    expect(lower.getMetrics()).toMatchObject({ calls: 3, hits: 2, misses: 1, unread: 0 });
  });

  it.each([
    ['no entry', 'text'],
    ['null', null],
    ['without a value', { freshUntil: 2e6, staleUntil: 2e6 }],
    ['without times', { value: 1 }],
    ['with times that are no numbers', { value: 1, freshUntil: NaN, staleUntil: NaN }],
    ['whose grace ends before it begins', { value: 1, freshUntil: 3e6, staleUntil: 2e6 }],
    ['with tags that are no list', { value: 1, freshUntil: 2e6, staleUntil: 2e6, tags: 'tag' }],
    ['that has expired', { value: 1, freshUntil: 999, staleUntil: 1_000 }],
  ])('are misses where the answer is %s', async (_, answer) => {
    level.when('read', () => new Map([['key', answer]]));

    expect(await lower.read('key')).toBeUndefined();
    expect(lower.getMetrics()).toMatchObject({ hits: 0, misses: 1 });
  });

  it.each(['fail', 'hang'] as const)('are misses where the level %ss', async (way) => {
    level.when('read', way);
    const reading = lower.read('key');
    await clock.advance(100);

    expect(await reading).toBeUndefined();
    expect([lower.down, lower.getMetrics()]).toMatchObject([true, { down: true, misses: 1 }]);
  });
});

describe(`${LowerLevel.name}: what is not confirmed`, () => {
  it('is not read while it is on its way', async () => {
    bench.have('key', 'other');
    level.when('delete', 'hold');
    const deleting = lower.delete('key', {});

    expect([await bench.valueOf('key'), await bench.valueOf('other')]).toEqual([
      undefined,
      'other',
    ]);
    expect(lower.getMetrics()).toMatchObject({ unread: 1, inFlight: 1, unconfirmed: 0 });
    level.letGo();
    expect(await deleting).toBe('applied');
    await clock.turn();
    expect(lower.getMetrics()).toMatchObject({ inFlight: 0, unconfirmed: 0 });
  });

  it('is what has failed or taken too long, and not what a level that answers is about to do', async () => {
    level.when(ALL_OPERATIONS, 'hold');
    const changing = [
      lower.write('set', entryOf(1, clock), { ...LOADED, replaces: true }),
      lower.delete('deleted', {}),
      lower.clear('a/'),
      lower.invalidateTags(['tag'], undefined),
    ];
    await clock.turn();
    expect(lower.getMetrics()).toMatchObject({ inFlight: 4, unconfirmed: 0 });

    await clock.advance(100);
    expect(lower.getMetrics()).toMatchObject({ inFlight: 0, unconfirmed: 4 });

    level.letGo();
    await Promise.all(changing);
    await clock.advance(30_000);
    expect(lower.getMetrics()).toMatchObject({ inFlight: 0, unconfirmed: 0 });
  });

  it('is not read of a cleared prefix, and everything else is', async () => {
    bench.have('a/1', 'b/1');
    level.when('clear', 'fail');

    expect(await lower.clear('a/')).toBeUndefined();

    expect([await bench.valueOf('a/1'), await bench.valueOf('b/1')]).toEqual([undefined, 'b/1']);
    expect(lower.getMetrics()).toMatchObject({ unread: 1, unconfirmed: 1 });
  });

  it('is not used of an invalidated tag', async () => {
    level.put('key', entryOf(1, clock, { tags: ['a', 'b'] }));
    level.put('other', entryOf(2, clock, { tags: ['b'] }));
    level.when('invalidateTags', 'fail');

    expect(await lower.invalidateTags(['x', 'a'], undefined)).toBeUndefined();

    expect([await bench.valueOf('key'), await bench.valueOf('other')]).toEqual([undefined, 2]);
    expect(lower.openTags).toEqual(['x', 'a']);
    expect(lower.getMetrics()).toMatchObject({ hits: 1, misses: 1 });
  });

  it('is not used of a tag that was confirmed only after the level was asked', async () => {
    level.put('key', entryOf(1, clock, { tags: ['a'] }));
    level.when('read invalidateTags', 'hold');
    const invalidating = lower.invalidateTags(['a'], undefined);
    await clock.turn();
    level.when('read', () => new Map([['key', entryOf(1, clock, { tags: ['a'] })]]));
    const reading = bench.valueOf('key');
    level.letGo();
    await invalidating;

    expect(await reading).toBeUndefined();
  });

  it('is followed by deletes of the writes under way that it concerns', async () => {
    level.when('write', 'hold');
    const writes = [
      lower.write('a/1', entryOf(1, clock), LOADED),
      lower.write('b/1', entryOf(2, clock, { tags: ['tag'] }), LOADED),
      lower.write('b/2', entryOf(3, clock, { tags: ['other'] }), LOADED),
    ];
    await clock.turn();
    const invalidating = [lower.clear('a/'), lower.invalidateTags(['tag'], undefined)];
    level.letGo();
    await Promise.all([...writes, ...invalidating]);
    await clock.turn();

    expect(level.entries.size).toBe(1);
    expect(await bench.valueOf('b/2')).toBe(3);
  });

  it('is confirmed where a call that took too long was carried out in the end', async () => {
    bench.have('key');
    level.when('clear', 'hold');
    const clearing = lower.clear('');
    await clock.advance(100);
    expect(await clearing).toBeUndefined();
    expect(lower.getMetrics().unconfirmed).toBe(1);

    level.letGo();
    await clock.turn();

    expect(lower.getMetrics().unconfirmed).toBe(0);
  });

  it('tells what the level has only noted', async () => {
    level.when('delete clear invalidateTags', () => 'queued');

    expect([
      await lower.delete('key', {}),
      await lower.clear(''),
      await lower.invalidateTags(['tag'], 5),
    ]).toEqual(['queued', 'queued', 'queued']);
  });
});

describe(`${LowerLevel.name}: close`, () => {
  it('waits for nothing and asks for nothing any more', async () => {
    level.when(ALL_OPERATIONS, 'hang');
    const pending = [
      lower.read('key'),
      lower.write('key', entryOf(1, clock), LOADED),
      lower.delete('key', {}),
      lower.clear(''),
      lower.invalidateTags(['tag'], undefined),
    ];
    await clock.turn();
    await lower.close();

    expect(await Promise.all(pending)).toEqual([
      undefined,
      'failed',
      undefined,
      undefined,
      undefined,
    ]);
    level.takeCalls();
    await Promise.all([lower.read('key'), lower.clear(''), lower.delete('key', {})]);
    expect([level.calls, clock.pending]).toEqual([[], 0]);
    expect(lower.getMetrics()).toMatchObject({ inFlight: 0, unconfirmed: 0 });
  });
});
