import { beforeEach, describe, expect, it } from '@jest/globals';
import { ShardLockManager } from '../../lib/memory/shard-lock-manager.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let locks: ShardLockManager;

beforeEach(() => {
  clock = new VirtualClock();
  locks = new ShardLockManager({ lockTimeoutMs: 1_000, clock });
});

describe(`${ShardLockManager.name}: metrics`, () => {
  it('count every lock that was taken', async () => {
    const release = await locks.acquireKey(0, 'a');
    release();
    await locks.acquireKey(0, 'a');
    await locks.acquireShard(1);
    locks.tryAcquireKey(0, 'b');
    locks.tryAcquireKey(0, 'b');

    expect(locks.getMetrics()).toMatchObject({ acquisitions: 4, contentions: 0, waitMs: 0 });
  });

  it('count who had to wait for a key, and how long', async () => {
    const release = await locks.acquireKey(0, 'key');
    const waiting = [locks.acquireKey(0, 'key'), locks.acquireKey(0, 'key')];
    await clock.advance(30);
    release();
    const releaseSecond = await waiting[0]!;
    await clock.advance(12);
    releaseSecond();
    await waiting[1];

    expect(locks.getMetrics()).toMatchObject({ contentions: 2, waitMs: 30 + 42, timeouts: 0 });
  });

  it('count who had to wait for a shard, and how long', async () => {
    const release = await locks.acquireKey(0, 'key');
    const shard = locks.acquireShard(0);
    await clock.advance(7);
    release();
    const releaseShard = await shard;
    const key = locks.acquireKey(0, 'key');
    await clock.advance(5);
    releaseShard();
    await key;

    expect(locks.getMetrics()).toMatchObject({ acquisitions: 3, contentions: 2, waitMs: 12 });
  });

  it('count who gave up, with the time waited in vain', async () => {
    await locks.acquireKey(0, 'key');
    const late = rejectionOf(locks.acquireKey(0, 'key'));
    await clock.advance(1_000);
    await late;

    expect(locks.getMetrics()).toMatchObject({
      acquisitions: 1,
      contentions: 1,
      waitMs: 1_000,
      timeouts: 1,
    });
  });

  it('go on when the locks are closed, which lets everybody in', async () => {
    await locks.acquireKey(0, 'key');
    const waiting = [observe(locks.acquireKey(0, 'key')), observe(locks.acquireShard(0))];

    locks.close();
    await settle();

    expect(waiting.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    expect(locks.getMetrics()).toMatchObject({ contentions: 2, timeouts: 0, heldKeys: 0 });
    expect(clock.pending).toBe(0);
  });

  it('tell how many keys are in use, and that unused locks are gone', async () => {
    const releases = await Promise.all(['a', 'b', 'c'].map((key) => locks.acquireKey(0, key)));
    const late = observe(locks.acquireKey(0, 'a'));
    await clock.advance(1_000);
    const whileHeld = locks.getMetrics().heldKeys;

    for (const release of releases) release();

    expect(late.state).toBe('rejected');
    expect(whileHeld).toBe(3);
    expect(locks.getMetrics().heldKeys).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
