import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyLanes, type WriteTerms, type Written } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import type { Ack, DeleteMode } from '../../lib/levels/cache-level.js';
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

beforeEach(() => {
  clock = new VirtualClock();
  level = new ScriptedLevel(clock);
  calls = new LevelCalls({ level, clock, report: () => {}, timeoutMs: 100 });
  owes = 0;
  lanes = new KeyLanes({
    calls,
    clock,
    timeoutMs: 100,
    maxKeys: 100,
    owes: () => void (owes += 1),
    overflows: () => {},
  });
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

describe(`${KeyLanes.name}: order`, () => {
  it('has a change that had to wait made in the context of its own caller', async () => {
    const requests = new AsyncLocalStorage<string>();
    level.when('write', 'hold');
    const first = requests.run('first', () => write('value'));
    await clock.turn();
    const second = requests.run('second', () => remove());
    const seen: unknown[] = [];
    level.letGo();
    level.when('delete', (apply) => {
      seen.push(requests.getStore());
      return apply();
    });
    await Promise.all([first, second]);

    expect(seen).toEqual(['second']);
  });

  it('lets the changes of a key go one after the other', async () => {
    level.when('write', 'hold');
    const changes = [write(1), remove(), write(2), remove()];
    await clock.turn();
    expect(level.calls).toEqual(['write key']);
    level.letGo();

    expect(await Promise.all(changes)).toEqual(['stored', 'applied', 'stored', 'applied']);
    expect(level.calls).toEqual(['write key', 'delete key', 'write key', 'delete key']);
  });

  it('lets those of different keys go at once', async () => {
    level.when('write', 'hold');
    const changes = [write(1, LOADED, 'a'), write(2, LOADED, 'b'), remove('c')];
    await clock.turn();

    expect(level.calls).toEqual(['write a,b', 'delete c']);
    level.letGo();
    await Promise.all(changes);
  });

  it('does not let a write set out that is not wanted any more when its turn comes', async () => {
    level.when('delete', 'hold');
    let isWanted = true;
    const deleting = remove();
    const overtaken = write('old', { wanted: () => isWanted, replaces: true });
    await clock.turn();
    isWanted = false;
    level.letGo();

    expect(await overtaken).toBe('unwanted');
    expect(await deleting).toBe('applied');
    expect(level.calls).toEqual(['delete key']);
    expect([lanes.size, owes]).toEqual([0, 0]);
  });

  it('sends a delete after the writes under way that an invalidation concerns', async () => {
    level.when('write', 'hold');
    const writes = [write(1, LOADED, 'a'), write(2, LOADED, 'b')];
    await clock.turn();
    lanes.chase((key) => key === 'a');
    expect([lanes.isReadable('a'), lanes.isReadable('b')]).toEqual([false, true]);
    level.letGo();
    await Promise.all(writes);
    await clock.turn();

    expect(level.calls).toEqual(['write a,b', 'delete a']);
    expect([valueOf('a'), valueOf('b')]).toEqual([undefined, 2]);
  });

  it('forgets a key with which everything is in order', async () => {
    await write(1);
    await remove();

    expect(lanes.size).toBe(0);
    expect(lanes.isReadable('key')).toBe(true);
  });

  it('has a key read while a write of it is under way, and not while a delete is', async () => {
    level.when('write delete', 'hold');
    const writing = write(1);
    await clock.turn();
    expect(lanes.isReadable('key')).toBe(true);
    const deleting = remove();
    expect([lanes.isReadable('key'), lanes.isReadable('other')]).toEqual([false, true]);
    level.letGo();
    await Promise.all([writing, deleting]);

    expect(lanes.isReadable('key')).toBe(true);
  });

  it.each(['refused', 'fenced'])(
    'tells that a write was %s, and leaves the key be',
    async (outcome) => {
      level.when('write', () => new Map([['key', outcome]]));

      expect(await write(1)).toBe(outcome);
      expect([lanes.size, owes]).toEqual([0, 0]);
    },
  );

  it('takes a write of which the level says nothing for one that is refused', async () => {
    level.when('write', () => new Map());

    expect(await write(1)).toBe('refused');
  });
});

describe(`${KeyLanes.name}: what is owed`, () => {
  it('tries a delete again that failed, the same way', async () => {
    level.put('key', entryOf('old', clock, { grace: 1_000 }));
    level.when('delete', 'fail');
    expect(await remove('key', { expire: true })).toBeUndefined();
    expect([owes, lanes.size, lanes.isReadable('key')]).toEqual([1, 1, false]);

    level.when('delete', 'answer');
    expect(lanes.retry()).toBe(true);
    await clock.turn();

    expect(lanes.isReadable('key')).toBe(true);
    expect(level.entries.read('key')).toMatchObject({ freshUntil: -Infinity });
    expect(lanes.retry()).toBe(false);
  });

  it('goes on as long as it fails', async () => {
    level.when('delete', 'fail');
    await remove();
    for (let round = 0; round < 3; round++) {
      expect(lanes.retry()).toBe(true);
      await clock.turn();
    }

    expect(level.calls).toHaveLength(4);
    expect(lanes.isReadable('key')).toBe(false);
  });

  it('does not send a delete again that is under way', async () => {
    level.when('delete', 'fail');
    await remove();
    level.when('delete', 'hold');
    lanes.retry();
    await clock.turn();
    lanes.retry();
    await clock.turn();

    expect(level.calls).toEqual(['delete key', 'delete key']);
    level.letGo();
    await clock.turn();
  });

  it('is settled by a write that is stored', async () => {
    level.when('delete', 'fail');
    await remove();

    expect(await write('new')).toBe('stored');

    expect(lanes.isReadable('key')).toBe(true);
    expect(lanes.size).toBe(0);
  });

  it('is not settled by a write that is not', async () => {
    level.when('delete write', 'fail');
    await remove();

    expect(await write('new')).toBe('failed');

    expect(lanes.isReadable('key')).toBe(false);
  });

  it.each(['fail', () => new Map([['key', 'refused']]), () => new Map([['key', 'fenced']])])(
    'is a delete for a set that was not stored',
    async (way) => {
      await write('old');
      level.when('write', way as 'fail');
      await write('new', SET);
      expect(lanes.isReadable('key')).toBe(false);

      lanes.retry();
      await clock.turn();

      expect([valueOf(), lanes.size]).toEqual([undefined, 0]);
    },
  );

  it('is nothing for a load that was not stored', async () => {
    level.when('write', 'fail');

    expect(await write('new')).toBe('failed');
    expect([lanes.size, owes]).toEqual([0, 0]);
  });
});

describe(`${KeyLanes.name}: a set that has waited for too long`, () => {
  it('that has not set out gives its place to a delete', async () => {
    level.when('delete', 'hang');
    level.when('write', 'hold');
    void remove();
    await clock.advance(50);
    const before = write('old');
    await clock.advance(10);
    const replacing = write('new', SET);
    await clock.advance(100);

    expect(await replacing).toBe('failed');
    expect(lanes.isReadable('key')).toBe(false);
    level.letGo();
    await clock.turn();

    expect([await before, valueOf(), lanes.size]).toEqual(['failed', undefined, 0]);
    expect(level.calls).toEqual(['delete key', 'write key', 'delete key']);
  });

  it('makes an expire that waits beside it a delete', async () => {
    level.when('delete', 'hang');
    level.when('write', 'hold');
    void remove();
    await clock.advance(50);
    void lanes.write('key', entryOf('old', clock, { grace: 1_000 }), LOADED);
    await clock.advance(10);
    const replacing = write('new', SET);
    const expiring = remove('key', { expire: true });
    await clock.advance(100);

    expect([await replacing, await expiring]).toEqual(['failed', undefined]);
    level.letGo();
    await clock.turn();

    expect([valueOf(), lanes.size]).toEqual([undefined, 0]);
    expect(level.calls).toEqual(['delete key', 'write key', 'delete key']);
  });

  it('goes on where it has set out, and is not read past', async () => {
    level.when('delete', 'hold');
    const before = remove();
    await clock.advance(50);
    const replacing = write('new', SET);
    await clock.advance(40);
    level.letGo();
    level.when('write', 'hold');
    expect(await before).toBe('applied');
    await clock.advance(60);

    expect(await replacing).toBe('failed');
    expect(lanes.isReadable('key')).toBe(false);
    level.letGo();
    await clock.turn();

    expect([lanes.isReadable('key'), valueOf(), lanes.size]).toEqual([true, 'new', 0]);
  });
});

describe(`${KeyLanes.name}: close`, () => {
  it('gives up what waits, and takes nothing more', async () => {
    level.when('write', 'hang');
    const changes = [write(1), write(2), remove()];
    await clock.turn();
    lanes.close();
    await calls.close();

    expect(await Promise.all(changes)).toEqual(['failed', 'failed', undefined]);
    expect(await Promise.all([write(3), remove()])).toEqual(['failed', undefined]);
    expect([lanes.size, level.calls]).toEqual([0, ['write key']]);
  });
});
