import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyLanes } from '../../lib/hierarchy/key-lanes.js';
import { LanesBench, LOADED, SET } from '../support/lanes-bench.js';
import { entryOf, type ScriptedLevel } from '../support/scripted-level.js';
import type { VirtualClock } from '../support/virtual-clock.js';

let bench: LanesBench;
let clock: VirtualClock;
let level: ScriptedLevel;
let lanes: KeyLanes;

beforeEach(() => {
  bench = new LanesBench();
  ({ clock, level, lanes } = bench);
});

afterEach(() => bench.close());

describe(`${KeyLanes.name}: order`, () => {
  it('has a change that had to wait made in the context of its own caller', async () => {
    const requests = new AsyncLocalStorage<string>();
    level.when('write', 'hold');
    const first = requests.run('first', () => bench.write('value'));
    await clock.turn();
    const second = requests.run('second', () => bench.remove());
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
    const changes = [bench.write(1), bench.remove(), bench.write(2), bench.remove()];
    await clock.turn();
    expect(level.calls).toEqual(['write key']);
    level.letGo();

    expect(await Promise.all(changes)).toEqual(['stored', 'applied', 'stored', 'applied']);
    expect(level.calls).toEqual(['write key', 'delete key', 'write key', 'delete key']);
  });

  it('lets those of different keys go at once', async () => {
    level.when('write', 'hold');
    const changes = [bench.write(1, LOADED, 'a'), bench.write(2, LOADED, 'b'), bench.remove('c')];
    await clock.turn();

    expect(level.calls).toEqual(['write a,b', 'delete c']);
    level.letGo();
    await Promise.all(changes);
  });

  it('does not let a write set out that is not wanted any more when its turn comes', async () => {
    level.when('delete', 'hold');
    let isWanted = true;
    const deleting = bench.remove();
    const overtaken = bench.write('old', { wanted: () => isWanted, replaces: true });
    await clock.turn();
    isWanted = false;
    level.letGo();

    expect(await overtaken).toBe('unwanted');
    expect(await deleting).toBe('applied');
    expect(level.calls).toEqual(['delete key']);
    expect([lanes.size, bench.owes]).toEqual([0, 0]);
  });

  it('sends a delete after the writes under way that an invalidation concerns', async () => {
    level.when('write', 'hold');
    const writes = [bench.write(1, LOADED, 'a'), bench.write(2, LOADED, 'b')];
    await clock.turn();
    lanes.chase((key) => key === 'a');
    expect([lanes.isReadable('a'), lanes.isReadable('b')]).toEqual([false, true]);
    level.letGo();
    await Promise.all(writes);
    await clock.turn();

    expect(level.calls).toEqual(['write a,b', 'delete a']);
    expect([bench.valueOf('a'), bench.valueOf('b')]).toEqual([undefined, 2]);
  });

  it('forgets a key with which everything is in order', async () => {
    await bench.write(1);
    await bench.remove();

    expect(lanes.size).toBe(0);
    expect(lanes.isReadable('key')).toBe(true);
  });

  it('has a key read while a write of it is under way, and not while a delete is', async () => {
    level.when('write delete', 'hold');
    const writing = bench.write(1);
    await clock.turn();
    expect(lanes.isReadable('key')).toBe(true);
    const deleting = bench.remove();
    expect([lanes.isReadable('key'), lanes.isReadable('other')]).toEqual([false, true]);
    level.letGo();
    await Promise.all([writing, deleting]);

    expect(lanes.isReadable('key')).toBe(true);
  });

  it.each(['refused', 'fenced'])(
    'tells that a write was %s, and leaves the key be',
    async (outcome) => {
      level.when('write', () => new Map([['key', outcome]]));

      expect(await bench.write(1)).toBe(outcome);
      expect([lanes.size, bench.owes]).toEqual([0, 0]);
    },
  );

  it('takes a write of which the level says nothing for one that is refused', async () => {
    level.when('write', () => new Map());

    expect(await bench.write(1)).toBe('refused');
  });
});

describe(`${KeyLanes.name}: what is owed`, () => {
  it('tries a delete again that failed, the same way', async () => {
    level.put('key', entryOf('old', clock, { grace: 1_000 }));
    level.when('delete', 'fail');
    expect(await bench.remove('key', { expire: true })).toBeUndefined();
    expect([bench.owes, lanes.size, lanes.isReadable('key')]).toEqual([1, 1, false]);

    level.when('delete', 'answer');
    expect(lanes.retry()).toBe(true);
    await clock.turn();

    expect(lanes.isReadable('key')).toBe(true);
    expect(level.entries.read('key')).toMatchObject({ freshUntil: -Infinity });
    expect(lanes.retry()).toBe(false);
  });

  it('goes on as long as it fails', async () => {
    level.when('delete', 'fail');
    await bench.remove();
    for (let round = 0; round < 3; round++) {
      expect(lanes.retry()).toBe(true);
      await clock.turn();
    }

    expect(level.calls).toHaveLength(4);
    expect(lanes.isReadable('key')).toBe(false);
  });

  it('does not send a delete again that is under way', async () => {
    level.when('delete', 'fail');
    await bench.remove();
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
    await bench.remove();

    expect(await bench.write('new')).toBe('stored');

    expect(lanes.isReadable('key')).toBe(true);
    expect(lanes.size).toBe(0);
  });

  it('is not settled by a write that is not', async () => {
    level.when('delete write', 'fail');
    await bench.remove();

    expect(await bench.write('new')).toBe('failed');

    expect(lanes.isReadable('key')).toBe(false);
  });

  it.each(['fail', () => new Map([['key', 'refused']]), () => new Map([['key', 'fenced']])])(
    'is a delete for a set that was not stored',
    async (way) => {
      await bench.write('old');
      level.when('write', way as 'fail');
      await bench.write('new', SET);
      expect(lanes.isReadable('key')).toBe(false);

      lanes.retry();
      await clock.turn();

      expect([bench.valueOf(), lanes.size]).toEqual([undefined, 0]);
    },
  );

  it('is nothing for a load that was not stored', async () => {
    level.when('write', 'fail');

    expect(await bench.write('new')).toBe('failed');
    expect([lanes.size, bench.owes]).toEqual([0, 0]);
  });
});

describe(`${KeyLanes.name}: a set that has waited for too long`, () => {
  it('that has not set out gives its place to a delete', async () => {
    level.when('delete', 'hang');
    level.when('write', 'hold');
    void bench.remove();
    await clock.advance(50);
    const before = bench.write('old');
    await clock.advance(10);
    const replacing = bench.write('new', SET);
    await clock.advance(100);

    expect(await replacing).toBe('failed');
    expect(lanes.isReadable('key')).toBe(false);
    level.letGo();
    await clock.turn();

    expect([await before, bench.valueOf(), lanes.size]).toEqual(['failed', undefined, 0]);
    expect(level.calls).toEqual(['delete key', 'write key', 'delete key']);
  });

  it('makes an expire that waits beside it a delete', async () => {
    level.when('delete', 'hang');
    level.when('write', 'hold');
    void bench.remove();
    await clock.advance(50);
    void lanes.write('key', entryOf('old', clock, { grace: 1_000 }), LOADED);
    await clock.advance(10);
    const replacing = bench.write('new', SET);
    const expiring = bench.remove('key', { expire: true });
    await clock.advance(100);

    expect([await replacing, await expiring]).toEqual(['failed', undefined]);
    level.letGo();
    await clock.turn();

    expect([bench.valueOf(), lanes.size]).toEqual([undefined, 0]);
    expect(level.calls).toEqual(['delete key', 'write key', 'delete key']);
  });

  it('goes on where it has set out, and is not read past', async () => {
    level.when('delete', 'hold');
    const before = bench.remove();
    await clock.advance(50);
    const replacing = bench.write('new', SET);
    await clock.advance(40);
    level.letGo();
    level.when('write', 'hold');
    expect(await before).toBe('applied');
    await clock.advance(60);

    expect(await replacing).toBe('failed');
    expect(lanes.isReadable('key')).toBe(false);
    level.letGo();
    await clock.turn();

    expect([lanes.isReadable('key'), bench.valueOf(), lanes.size]).toEqual([true, 'new', 0]);
  });
});

describe(`${KeyLanes.name}: close`, () => {
  it('gives up what waits, and takes nothing more', async () => {
    level.when('write', 'hang');
    const changes = [bench.write(1), bench.write(2), bench.remove()];
    await clock.turn();
    lanes.close();
    await bench.calls.close();

    expect(await Promise.all(changes)).toEqual(['failed', 'failed', undefined]);
    expect(await Promise.all([bench.write(3), bench.remove()])).toEqual(['failed', undefined]);
    expect([lanes.size, level.calls]).toEqual([0, ['write key']]);
  });
});
