import { beforeEach, describe, expect, it } from '@jest/globals';
import { LockTimeoutError } from '../../lib/errors.js';
import { ShardLockManager } from '../../lib/memory/shard-lock-manager.js';
import { observe } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let locks: ShardLockManager;

beforeEach(() => {
  clock = new VirtualClock();
  locks = new ShardLockManager({ lockTimeoutMs: 1_000, clock });
});

describe(ShardLockManager.name, () => {
  it('lets different keys of a shard in together', async () => {
    await locks.acquireKey(0, 'a');

    const other = observe(locks.acquireKey(0, 'b'));
    await settle();

    expect(other.state).toBe('resolved');
  });

  it('lets callers of one key in one after the other', async () => {
    const order: string[] = [];
    const first = await locks.acquireKey(0, 'key');
    const visit = async (caller: string): Promise<void> => {
      const release = await locks.acquireKey(0, 'key');
      order.push(`${caller} in`);
      await settle();
      order.push(`${caller} out`);
      release();
    };

    const visits = [visit('second'), visit('third')];
    first();
    await Promise.all(visits);

    expect(order).toEqual(['second in', 'second out', 'third in', 'third out']);
  });

  it('lets a whole shard be taken when the keys in use are released', async () => {
    const releaseA = await locks.acquireKey(0, 'a');
    const releaseB = await locks.acquireKey(0, 'b');
    const shard = observe(locks.acquireShard(0));

    releaseA();
    await settle();
    const before = shard.state;
    releaseB();
    await settle();

    expect([before, shard.state]).toEqual(['pending', 'resolved']);
  });

  it('holds new keys back while a whole shard is taken or waited for', async () => {
    const releaseA = await locks.acquireKey(0, 'a');
    const shard = observe(locks.acquireShard(0));
    const late = observe(locks.acquireKey(0, 'b'));
    await settle();
    const whileWaiting = late.state;

    releaseA();
    await settle();
    const whileTaken = [shard.state, late.state];
    shard.value?.();
    await settle();

    expect(whileWaiting).toBe('pending');
    expect(whileTaken).toEqual(['resolved', 'pending']);
    expect(late.state).toBe('resolved');
  });

  it('leaves the keys of other shards alone', async () => {
    await locks.acquireShard(0);

    const other = observe(locks.acquireKey(1, 'b'));
    await settle();

    expect(other.state).toBe('resolved');
  });

  it('tells whether a caller for a key would have to wait', async () => {
    const release = await locks.acquireKey(0, 'key');
    const whileHeld = [locks.isFree(0, 'key'), locks.isFree(0, 'other')];
    release();
    const releaseShard = await locks.acquireShard(0);
    const whileShardTaken = locks.isFree(0, 'other');
    releaseShard();

    expect(whileHeld).toEqual([false, true]);
    expect(whileShardTaken).toBe(false);
    expect(locks.isFree(0, 'key')).toBe(true);
  });

  it('tells that a caller would have to wait behind who waits for the whole shard', async () => {
    await locks.acquireKey(0, 'key');
    void locks.acquireShard(0);

    expect(locks.isFree(0, 'other')).toBe(false);
    expect(locks.tryAcquireKey(0, 'other')).toBeUndefined();
  });

  it('takes a key at once or not at all when it is only tried', async () => {
    const release = locks.tryAcquireKey(0, 'key');
    const refused = locks.tryAcquireKey(0, 'key');
    const shard = observe(locks.acquireShard(0));
    await settle();
    const whileHeld = shard.state;

    release?.();
    await settle();

    expect([refused, whileHeld, shard.state]).toEqual([undefined, 'pending', 'resolved']);
  });

  it('does nothing at the second call of a release', async () => {
    const release = await locks.acquireKey(0, 'key');
    release();
    await locks.acquireKey(0, 'key');
    const shard = observe(locks.acquireShard(0));

    release();
    await settle();

    expect(locks.isFree(0, 'key')).toBe(false);
    expect(shard.state).toBe('pending');
  });

  it('gives the shard back when the wait for the key ends late', async () => {
    const releaseKey = await locks.acquireKey(0, 'key');
    const late = observe(locks.acquireKey(0, 'key'));
    await clock.advance(1_000);
    releaseKey();

    const shard = observe(locks.acquireShard(0));
    await settle();

    expect([late.state, shard.state]).toEqual(['rejected', 'resolved']);
  });

  it('has one deadline for shard and key together', async () => {
    const releaseShard = await locks.acquireShard(0);
    const first = observe(locks.acquireKey(0, 'key'));
    const second = observe(locks.acquireKey(0, 'key'));
    await clock.advance(600);
    releaseShard();
    await settle();

    await clock.advance(399);
    const before = second.state;
    await clock.advance(1);

    expect([first.state, before, second.state]).toEqual(['resolved', 'pending', 'rejected']);
    expect(second.error).toBeInstanceOf(LockTimeoutError);
    expect(second.error).toMatchObject({
      message: 'The lock of key "key" was not free within 1000 ms.',
    });
  });

  it('ends the wait for a whole shard at the deadline and lets the keys behind it in', async () => {
    await locks.acquireKey(0, 'a');
    const shard = observe(locks.acquireShard(0));
    await clock.advance(400);
    const key = observe(locks.acquireKey(0, 'b'));

    await clock.advance(600);

    expect([shard.state, key.state]).toEqual(['rejected', 'resolved']);
    expect(shard.error).toBeInstanceOf(LockTimeoutError);
  });

  it('hands over through the scheduler that was given', async () => {
    const grants: (() => void)[] = [];
    locks = new ShardLockManager({
      lockTimeoutMs: 1_000,
      clock,
      handOver: (grant) => grants.push(grant),
    });
    const release = await locks.acquireKey(0, 'key');
    const second = observe(locks.acquireKey(0, 'key'));
    release();
    const third = observe(locks.acquireKey(0, 'key'));
    await settle();
    const before = second.state;

    grants[0]!();
    await settle();

    expect([before, second.state, third.state]).toEqual(['pending', 'resolved', 'pending']);
  });

  // Today a caller who comes between a shard's release and the moment at which the caller it was
  // handed to runs on takes the key first.
  it.failing('keeps the order of the calls for a key when its shard is released', async () => {
    const order: string[] = [];
    const releaseShard = await locks.acquireShard(0);
    const first = locks.acquireKey(0, 'key').then((release) => {
      order.push('first');
      release();
    });

    releaseShard();
    const second = locks.acquireKey(0, 'key').then((release) => {
      order.push('second');
      release();
    });
    await Promise.all([first, second]);

    expect(order).toEqual(['first', 'second']);
  });
});
