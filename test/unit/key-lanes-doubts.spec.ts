import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyLanes, type WriteTerms, type Written } from '../../lib/hierarchy/key-lanes.js';
import { defer } from '../support/deferred.js';
import { LanesBench, LOADED, SET } from '../support/lanes-bench.js';
import { entryOf, type ScriptedLevel } from '../support/scripted-level.js';
import type { VirtualClock } from '../support/virtual-clock.js';

let bench: LanesBench;
let clock: VirtualClock;
let level: ScriptedLevel;
let lanes: KeyLanes;

function open(maxKeys?: number): void {
  bench = new LanesBench(maxKeys);
  ({ clock, level, lanes } = bench);
}

beforeEach(() => open());

afterEach(() => bench.close());

/** Has a write take too long, and be held by the level. */
async function writeLate(order: WriteTerms, ttl = 1_000): Promise<Written> {
  level.when('write', 'hold');
  const writing = bench.write('late', order, 'key', ttl);
  await clock.advance(100);
  level.when('write', 'answer');
  return writing;
}

describe(`${KeyLanes.name}: a write that took too long`, () => {
  it('keeps its key from being read until it has settled and was deleted', async () => {
    expect(await writeLate(LOADED)).toBe('failed');
    expect([lanes.isReadable('key'), bench.owes]).toEqual([false, 1]);
    lanes.retry();
    await clock.turn();
    expect(level.calls).toEqual(['write key']);

    level.letGo();
    await clock.turn();

    expect(level.calls).toEqual(['write key', 'delete key']);
    expect([bench.valueOf(), lanes.isReadable('key'), lanes.size]).toEqual([undefined, true, 0]);
  });

  it('has its key deleted also where it fails in the end', async () => {
    level.put('key', entryOf('old', clock));
    const end = defer<never>();
    level.when('write', () => end.promise);
    const writing = bench.write('new', SET);
    await clock.advance(100);
    await writing;
    end.reject(new Error('late failure'));
    await clock.turn();

    expect([bench.valueOf(), lanes.isReadable('key'), lanes.size]).toEqual([undefined, true, 0]);
  });

  it('is forgotten when what it would store has expired', async () => {
    await writeLate(LOADED, 500);
    await clock.advance(399);
    expect(lanes.isReadable('key')).toBe(false);
    await clock.advance(1);

    expect(lanes.isReadable('key')).toBe(true);
    expect(lanes.retry()).toBe(false);
    expect(lanes.size).toBe(0);
  });

  it('is not followed by another write, which it could overwrite', async () => {
    await writeLate(LOADED);

    expect(await bench.write('loaded')).toBe('unwanted');
    expect(await bench.write('set', SET)).toBe('unwanted');

    expect(level.calls).toEqual(['write key']);
  });

  it('has a delete for the set that could not follow it, also once it is forgotten', async () => {
    level.put('key', entryOf('old', clock, { ttl: 10_000 }));
    await writeLate(LOADED, 500);
    await bench.write('set', SET);
    await clock.advance(500);
    expect(lanes.isReadable('key')).toBe(false);

    lanes.retry();
    await clock.turn();

    expect([bench.valueOf(), lanes.isReadable('key')]).toEqual([undefined, true]);
  });

  it('is not settled by a delete that comes before it', async () => {
    await writeLate(LOADED);

    expect(await bench.remove()).toBe('applied');

    expect(lanes.isReadable('key')).toBe(false);
    level.letGo();
    await clock.turn();
    expect([bench.valueOf(), lanes.isReadable('key')]).toEqual([undefined, true]);
  });

  it('lets reads wait for the last of several', async () => {
    await writeLate(LOADED, 300);
    await clock.advance(300);
    await writeLate(LOADED, 2_000);
    level.letGo();
    await clock.turn();

    expect([bench.valueOf(), lanes.isReadable('key')]).toEqual([undefined, true]);
  });
});

describe(`${KeyLanes.name}: more than maxKeys in trouble`, () => {
  it('forgets them all, and has the level cleared', async () => {
    open(2);
    level.when('delete', 'fail');
    for (const key of ['a', 'b']) await bench.remove(key);
    expect(bench.overflows).toEqual([]);
    await bench.remove('c');

    expect(bench.overflows).toEqual([-Infinity]);
    expect(lanes.size).toBe(0);
    expect(lanes.retry()).toBe(false);
  });

  it('has it not read until the last write in doubt has expired', async () => {
    open(1);
    level.when('write', 'hang');
    const writes = [bench.write(1, LOADED, 'a', 5_000), bench.write(2, LOADED, 'b', 3_000)];
    await clock.advance(100);
    await Promise.all(writes);

    expect(bench.overflows).toEqual([clock.now() - 100 + 5_000]);
    expect(lanes.size).toBe(0);
  });
});
