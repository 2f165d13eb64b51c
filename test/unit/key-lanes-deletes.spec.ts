import { beforeEach, describe, expect, it } from '@jest/globals';
import { KeyLanes } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import type { Ack, DeleteMode, LevelEntry } from '../../lib/levels/cache-level.js';
import { HeldLevel } from '../support/held-level.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const TIMEOUT_MS = 1_000;

let clock: VirtualClock;
let level: HeldLevel;
let lanes: KeyLanes;
/** Whether the level fails: it answers at once, never, or only with an error. */
let way: 'answers' | 'hangs' | 'fails';
let deletes: DeleteMode[];
let writes: number;

beforeEach(() => {
  clock = new VirtualClock();
  way = 'answers';
  deletes = [];
  writes = 0;
  level = new (class extends HeldLevel {
    override delete(keys: readonly string[], mode: DeleteMode): Promise<Ack> {
      deletes.push(mode);
      return super.delete(keys, mode);
    }
  })('remote', clock, (operation, apply) => {
    if (operation.startsWith('write')) writes += 1;
    if (way === 'hangs') return new Promise(() => {});
    if (way === 'fails') return Promise.reject(new Error('the level is away'));
    return Promise.resolve(apply());
  });
  const calls = new LevelCalls({ level, clock, report: () => {}, timeoutMs: TIMEOUT_MS });
  lanes = new KeyLanes({
    calls,
    clock,
    timeoutMs: TIMEOUT_MS,
    maxKeys: 10,
    owes: () => {},
    overflows: () => {},
  });
});

function entry(): LevelEntry {
  const freshUntil = clock.now() + 10_000;
  return { value: 'old', bornAt: clock.now(), freshUntil, staleUntil: freshUntil + 10_000 };
}

async function write(replaces = false): Promise<void> {
  await lanes.write('key', entry(), { wanted: () => true, replaces });
  await settle();
}

async function remove(mode: DeleteMode): Promise<void> {
  await lanes.delete('key', mode);
  await settle();
}

describe(`${KeyLanes.name}: a level that does not answer`, () => {
  it('is asked for many deletes of a key at once, and delays nobody for longer than one', async () => {
    way = 'hangs';
    let ended = 0;
    for (let caller = 0; caller < 1_000; caller++)
      void lanes.delete('key', {}).then(() => (ended += 1));

    await clock.advance(TIMEOUT_MS);
    expect(ended).toBe(1_000);

    await clock.advance(TIMEOUT_MS);
    expect(deletes).toHaveLength(2);
  });

  it('delays a delete for one answer, although another was under way', async () => {
    way = 'hangs';
    const causes: unknown[] = [];
    void lanes.delete('key', {});
    await clock.advance(TIMEOUT_MS - 1);
    let isOver = false;
    void lanes
      .delete('key', {}, (cause) => void causes.push(cause))
      .then((ack) => (isOver = ack === undefined));

    await clock.advance(TIMEOUT_MS - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect([isOver, deletes.length]).toEqual([true, 2]);
    expect(causes).toEqual([new Error('the delete has waited longer than 1000 ms')]);

    await clock.advance(TIMEOUT_MS);
    expect([causes.length, lanes.isReadable('key')]).toEqual([1, false]);
  });

  it('does not keep a delete waiting for writes that it makes pointless', async () => {
    way = 'hangs';
    const ended: string[] = [];
    let newest = 0;
    for (let round = 1; round <= 100; round++) {
      newest = round;
      void lanes.delete('key', {}).then(() => ended.push('delete'));
      void lanes
        .write('key', entry(), { wanted: () => newest === round, replaces: false })
        .then((written) => ended.push(written));
    }

    await clock.advance(TIMEOUT_MS);
    expect(ended.filter((what) => what === 'delete')).toHaveLength(100);
    expect(ended.filter((what) => what === 'unwanted')).toHaveLength(99);
    expect(ended.filter((what) => what === 'failed')).toHaveLength(1);

    await clock.advance(TIMEOUT_MS);
    expect([ended.length, deletes.length, writes]).toEqual([200, 2, 0]);
  });
});

describe(`${KeyLanes.name}: what is owed`, () => {
  it('is a delete still when an expire has failed after it', async () => {
    await write();
    way = 'fails';
    await remove({});
    await remove({ expire: true });
    way = 'answers';

    lanes.retry();
    await settle();

    expect([lanes.isReadable('key'), level.entries.read('key')]).toEqual([true, undefined]);
  });

  it('is done with an expire that the level carries out', async () => {
    await write();
    way = 'fails';
    await remove({});
    way = 'answers';

    await remove({ expire: true });

    expect([lanes.isReadable('key'), level.entries.read('key')]).toEqual([true, undefined]);
  });

  it('is an expire where nothing but expires have failed', async () => {
    await write();
    way = 'fails';
    await remove({ expire: true, hold: 20 });
    await remove({ expire: true, hold: 10 });
    way = 'answers';

    lanes.retry();
    await settle();

    expect(level.entries.read('key')).toMatchObject({ value: 'old', freshUntil: -Infinity });
    expect(deletes.at(-1)).toEqual({ expire: true, hold: 20 });
  });

  it('is a delete where a write in doubt may store what was fenced, and a set can not follow it', async () => {
    way = 'hangs';
    const inDoubt = write();
    await clock.advance(TIMEOUT_MS);
    await inDoubt;
    way = 'fails';
    await remove({ expire: true });
    await write(true);
    way = 'answers';
    clock.block(20_000);

    lanes.retry();
    await settle();

    expect([deletes.map(({ expire }) => expire), writes]).toEqual([[false, false], 1]);
  });
});
