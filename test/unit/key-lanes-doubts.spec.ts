import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyLanes, type WriteTerms, type Written } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import type { Ack, DeleteMode } from '../../lib/levels/cache-level.js';
import { defer } from '../support/deferred.js';
import { entryOf, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LOADED: WriteTerms = { wanted: () => true, replaces: false };
const SET: WriteTerms = { wanted: () => true, replaces: true };

let clock: VirtualClock;
let level: ScriptedLevel;
let calls: LevelCalls;
let lanes: KeyLanes;
/** How often a retry was asked for. */
let owes: number;
/** The times until which the level must not be read, of each overflow. */
let overflows: number[];

function open(maxKeys = 100): void {
  lanes = new KeyLanes({
    calls,
    clock,
    timeoutMs: 100,
    maxKeys,
    owes: () => void (owes += 1),
    overflows: ({ until }) => void overflows.push(until),
  });
}

beforeEach(() => {
  clock = new VirtualClock();
  level = new ScriptedLevel(clock);
  calls = new LevelCalls({ level, clock, report: () => {}, timeoutMs: 100 });
  owes = 0;
  overflows = [];
  open();
});

afterEach(async () => {
  lanes.close();
  await calls.close();
  expect(clock.pending).toBe(0);
});

/** Settles when what follows from a change has happened, too. */
async function over<T>(change: Promise<T>): Promise<T> {
  const result = await change;
  await clock.turn();
  return result;
}

function write(value: unknown, order = LOADED, key = 'key', ttl = 1_000): Promise<Written> {
  return over(lanes.write(key, entryOf(value, clock, { ttl }), order));
}

function remove(key = 'key', mode: DeleteMode = {}): Promise<Ack | undefined> {
  return over(lanes.delete(key, mode));
}

function valueOf(key = 'key'): unknown {
  return level.entries.read(key)?.value;
}

/** Has a write take too long, and be held by the level. */
async function writeLate(order: WriteTerms, ttl = 1_000): Promise<Written> {
  level.when('write', 'hold');
  const writing = write('late', order, 'key', ttl);
  await clock.advance(100);
  level.when('write', 'answer');
  return writing;
}

describe(`${KeyLanes.name}: a write that took too long`, () => {
  it('keeps its key from being read until it has settled and was deleted', async () => {
    expect(await writeLate(LOADED)).toBe('failed');
    expect([lanes.isReadable('key'), owes]).toEqual([false, 1]);
    lanes.retry();
    await clock.turn();
    expect(level.calls).toEqual(['write key']);

    level.letGo();
    await clock.turn();

    expect(level.calls).toEqual(['write key', 'delete key']);
    expect([valueOf(), lanes.isReadable('key'), lanes.size]).toEqual([undefined, true, 0]);
  });

  it('has its key deleted also where it fails in the end', async () => {
    level.put('key', entryOf('old', clock));
    const end = defer<never>();
    level.when('write', () => end.promise);
    const writing = write('new', SET);
    await clock.advance(100);
    await writing;
    end.reject(new Error('late failure'));
    await clock.turn();

    expect([valueOf(), lanes.isReadable('key'), lanes.size]).toEqual([undefined, true, 0]);
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

    expect(await write('loaded')).toBe('unwanted');
    expect(await write('set', SET)).toBe('unwanted');

    expect(level.calls).toEqual(['write key']);
  });

  it('has a delete for the set that could not follow it, also once it is forgotten', async () => {
    level.put('key', entryOf('old', clock, { ttl: 10_000 }));
    await writeLate(LOADED, 500);
    await write('set', SET);
    await clock.advance(500);
    expect(lanes.isReadable('key')).toBe(false);

    lanes.retry();
    await clock.turn();

    expect([valueOf(), lanes.isReadable('key')]).toEqual([undefined, true]);
  });

  it('is not settled by a delete that comes before it', async () => {
    await writeLate(LOADED);

    expect(await remove()).toBe('applied');

    expect(lanes.isReadable('key')).toBe(false);
    level.letGo();
    await clock.turn();
    expect([valueOf(), lanes.isReadable('key')]).toEqual([undefined, true]);
  });

  it('lets reads wait for the last of several', async () => {
    await writeLate(LOADED, 300);
    await clock.advance(300);
    await writeLate(LOADED, 2_000);
    level.letGo();
    await clock.turn();

    expect([valueOf(), lanes.isReadable('key')]).toEqual([undefined, true]);
  });
});

describe(`${KeyLanes.name}: more than maxKeys in trouble`, () => {
  it('forgets them all, and has the level cleared', async () => {
    open(2);
    level.when('delete', 'fail');
    for (const key of ['a', 'b']) await remove(key);
    expect(overflows).toEqual([]);
    await remove('c');

    expect(overflows).toEqual([-Infinity]);
    expect(lanes.size).toBe(0);
    expect(lanes.retry()).toBe(false);
  });

  it('has it not read until the last write in doubt has expired', async () => {
    open(1);
    level.when('write', 'hang');
    const writes = [write(1, LOADED, 'a', 5_000), write(2, LOADED, 'b', 3_000)];
    await clock.advance(100);
    await Promise.all(writes);

    expect(overflows).toEqual([clock.now() - 100 + 5_000]);
    expect(lanes.size).toBe(0);
  });
});
