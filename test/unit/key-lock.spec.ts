import { beforeEach, describe, expect, it } from '@jest/globals';
import { LockTimeoutError } from '../../lib/errors.js';
import { KeyLock } from '../../lib/memory/key-lock.js';
import { ForgetfulKeyLock } from '../support/forgetful-key-lock.js';
import { threeCallerHandOff } from '../support/hand-off.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const IN_TURN = ['first in', 'first out', 'second in', 'second out', 'third in', 'third out'];

let clock: VirtualClock;
let lock: KeyLock;

beforeEach(() => {
  clock = new VirtualClock();
  lock = new KeyLock({ clock });
});

describe(KeyLock.name, () => {
  it('lets the third caller in only after the second released', async () => {
    const seen = await threeCallerHandOff(lock);

    expect(seen).toEqual(IN_TURN);
    expect(lock.size).toBe(0);
  });

  it('lets the third caller in only after the second released when grants are delayed', async () => {
    let grants: (() => void)[] = [];
    const delayed = new KeyLock({ clock, handOver: (grant) => grants.push(grant) });
    const grantAll = (): void => {
      const due = grants;
      grants = [];
      for (const grant of due) grant();
    };

    const seen = await threeCallerHandOff(delayed, grantAll);

    expect(seen).toEqual(IN_TURN);
    expect(delayed.size).toBe(0);
  });

  it('is told from a lock that forgets the key in use (test of the test)', async () => {
    const seen = await threeCallerHandOff(new ForgetfulKeyLock());

    expect(seen.indexOf('third in')).toBeLessThan(seen.indexOf('second out'));
  });

  it('lets waiting callers in by the order of their calls', async () => {
    const order: number[] = [];
    const first = await lock.acquire('key');
    const waiting = [1, 2, 3].map(async (caller) => {
      const release = await lock.acquire('key');
      order.push(caller);
      release();
    });

    first();
    await Promise.all(waiting);

    expect(order).toEqual([1, 2, 3]);
  });

  it('takes a free lock within the call', () => {
    void lock.acquire('key');

    expect(lock.isHeld('key')).toBe(true);
    expect(lock.isHeld('other')).toBe(false);
  });

  it('keeps the keys apart', async () => {
    await lock.acquire('a');

    const other = observe(lock.acquire('b'));
    await settle();

    expect(other.state).toBe('resolved');
    expect(lock.size).toBe(2);
  });

  it('does nothing at the second call of a release', async () => {
    const first = await lock.acquire('key');
    const second = lock.acquire('key');
    const third = observe(lock.acquire('key'));
    first();
    await second;

    first();
    await settle();

    expect(third.state).toBe('pending');
    (await second)();
    await settle();
    expect(third.state).toBe('resolved');
  });

  it('does nothing at the second call of a release after the key was taken anew', async () => {
    const first = await lock.acquire('key');
    first();
    await lock.acquire('key');

    first();

    expect(lock.isHeld('key')).toBe(true);
  });

  it('takes a free key at once or not at all when it is only tried', async () => {
    const release = lock.tryAcquire('key');
    const refused = lock.tryAcquire('key');

    release?.();

    expect(release).toBeDefined();
    expect(refused).toBeUndefined();
    expect(lock.size).toBe(0);
  });

  it('does not hand a key that was tried to a waiting caller before its release', async () => {
    const release = lock.tryAcquire('key');
    const waiting = observe(lock.acquire('key'));
    await settle();
    const before = waiting.state;

    release?.();
    await settle();

    expect([before, waiting.state]).toEqual(['pending', 'resolved']);
  });

  it('has nothing left when the holder throws and releases in a finally', async () => {
    const failing = async (): Promise<void> => {
      const release = await lock.acquire('key');
      try {
        throw new Error('of the holder');
      } finally {
        release();
      }
    };

    await rejectionOf(failing());

    expect(lock.size).toBe(0);
  });
});

describe(`${KeyLock.name}: waits with a deadline`, () => {
  it('end with an error that names the key', async () => {
    await lock.acquire('key');
    const waiting = rejectionOf(lock.acquire('key', 50));

    await clock.advance(50);

    const error = await waiting;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({
      code: 'CACHE_LOCK_TIMEOUT',
      message: 'The lock of key "key" was not free within 50 ms.',
    });
  });

  it('go on until the deadline and not beyond', async () => {
    await lock.acquire('key');
    const waiting = observe(lock.acquire('key', 50));

    await clock.advance(49);
    const before = waiting.state;
    await clock.advance(1);

    expect([before, waiting.state]).toEqual(['pending', 'rejected']);
  });

  it('leave nothing behind, neither a place in the queue nor a timer', async () => {
    const release = await lock.acquire('key');
    const late = observe(lock.acquire('key', 50));
    const patient = observe(lock.acquire('key', 500));
    await clock.advance(50);

    release();
    await settle();

    expect([late.state, patient.state]).toEqual(['rejected', 'resolved']);
    expect(clock.pending).toBe(0);
    patient.value?.();
    expect(lock.size).toBe(0);
  });

  it('keep the holder in when they end', async () => {
    const release = await lock.acquire('key');
    const late = observe(lock.acquire('key', 50));
    await clock.advance(50);
    const next = observe(lock.acquire('key'));
    await settle();
    const states = [late.state, next.state];

    release();
    await settle();

    expect([...states, next.state]).toEqual(['rejected', 'pending', 'resolved']);
  });

  it('are over when the lock was handed over, though the grant is delayed', async () => {
    const grants: (() => void)[] = [];
    const delayed = new KeyLock({ clock, handOver: (grant) => grants.push(grant) });
    const release = await delayed.acquire('key');
    const waiting = observe(delayed.acquire('key', 50));
    release();

    await clock.advance(100);
    grants[0]!();
    await settle();

    expect(waiting.state).toBe('resolved');
    waiting.value?.();
    expect(delayed.size).toBe(0);
  });
});

describe(`${KeyLock.name}: opened`, () => {
  it('lets everybody in who waits, and has nothing left', async () => {
    const release = await lock.acquire('key');
    const waiting = [observe(lock.acquire('key', 50)), observe(lock.acquire('key'))];

    lock.open();
    await settle();

    expect(waiting.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    expect([lock.size, clock.pending]).toEqual([0, 0]);
    release();
  });

  it('does not let a release from before take the lock from who came after', async () => {
    const release = await lock.acquire('key');
    lock.open();
    await lock.acquire('key');

    release();

    expect(lock.isHeld('key')).toBe(true);
  });
});
