import { beforeEach, describe, expect, it } from '@jest/globals';
import { LockTimeoutError } from '../../lib/errors.js';
import { handOverNow, SharedExclusiveLock } from '../../lib/memory/shared-exclusive-lock.js';
import { observe, rejectionOf, type Observed } from '../support/observed.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let lock: SharedExclusiveLock;

beforeEach(() => {
  clock = new VirtualClock();
  lock = new SharedExclusiveLock({ clock, handOver: handOverNow });
});

function wait(mode: 'shared' | 'exclusive', timeoutMs = Infinity): Observed<void> {
  return observe(lock.acquire(mode, timeoutMs, () => 'too late'));
}

describe(SharedExclusiveLock.name, () => {
  it('lets shared callers in together', async () => {
    const callers = [wait('shared'), wait('shared'), wait('shared')];
    await settle();

    expect(callers.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved']);
  });

  it('lets an exclusive caller in alone', async () => {
    const first = wait('exclusive');
    const shared = wait('shared');
    const second = wait('exclusive');
    await settle();

    expect([first.state, shared.state, second.state]).toEqual(['resolved', 'pending', 'pending']);
  });

  it('lets an exclusive caller in when the last shared one has left', async () => {
    wait('shared');
    wait('shared');
    const exclusive = wait('exclusive');

    lock.release('shared');
    await settle();
    const before = exclusive.state;
    lock.release('shared');
    await settle();

    expect([before, exclusive.state]).toEqual(['pending', 'resolved']);
  });

  it('keeps shared callers behind an exclusive one that waits, so that it is not starved', async () => {
    wait('shared');
    const exclusive = wait('exclusive');
    const late = wait('shared');
    await settle();
    const before = late.state;

    lock.release('shared');
    await settle();

    expect([before, exclusive.state, late.state]).toEqual(['pending', 'resolved', 'pending']);
  });

  it('lets all shared callers up to the next exclusive one in at once', async () => {
    wait('exclusive');
    const shared = [wait('shared'), wait('shared')];
    const exclusive = wait('exclusive');
    const behind = wait('shared');

    lock.release('exclusive');
    await settle();

    expect(shared.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    expect([exclusive.state, behind.state]).toEqual(['pending', 'pending']);
  });

  it('is not free for a newcomer in the step in which it is handed over', () => {
    wait('exclusive');
    wait('exclusive');

    lock.release('exclusive');

    expect(lock.tryAcquire('shared')).toBe(false);
    expect(lock.sharable).toBe(false);
  });

  it('refuses whoever only tries while others wait', () => {
    wait('shared');
    wait('exclusive');

    expect(lock.tryAcquire('shared')).toBe(false);
  });

  it('is sharable while only shared callers hold it, and idle when nobody does', () => {
    const idle = lock.idle;
    wait('shared');

    expect(idle).toBe(true);
    expect(lock.sharable).toBe(true);
    expect(lock.idle).toBe(false);
  });

  it('is not sharable while an exclusive caller waits for the shared ones', () => {
    wait('shared');
    wait('exclusive');

    expect(lock.sharable).toBe(false);
  });

  it('is idle again after every holder and waiter has left', async () => {
    wait('exclusive');
    wait('shared');
    lock.release('exclusive');
    await settle();

    lock.release('shared');

    expect(lock.idle).toBe(true);
  });

  it('ends a wait at its deadline with the words that it was given', async () => {
    wait('exclusive');
    const late = rejectionOf(lock.acquire('shared', 20, () => 'the shard was not free'));

    await clock.advance(20);

    const error = await late;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({ message: 'the shard was not free' });
  });

  it('lets the shared callers behind in when the exclusive one gives up waiting', async () => {
    wait('shared');
    const exclusive = wait('exclusive', 20);
    const behind = wait('shared');

    await clock.advance(20);

    expect([exclusive.state, behind.state]).toEqual(['rejected', 'resolved']);
    expect(clock.pending).toBe(0);
  });

  it('is the next caller’s from the release on, however late the grant comes', async () => {
    const grants: (() => void)[] = [];
    lock = new SharedExclusiveLock({ clock, handOver: (grant) => grants.push(grant) });
    wait('exclusive');
    const next = wait('exclusive');

    lock.release('exclusive');
    await settle();
    const before = [next.state, lock.tryAcquire('exclusive')];
    grants[0]!();
    await settle();

    expect(before).toEqual(['pending', false]);
    expect(next.state).toBe('resolved');
  });

  it('lets everybody in, now and later, once it is opened', async () => {
    wait('shared');
    const waiting = [wait('exclusive', 20), wait('shared')];

    lock.open();
    lock.release('shared');
    const later = [wait('exclusive'), wait('exclusive')];
    await settle();

    const states = [...waiting, ...later].map(({ state }) => state);
    expect(states).toEqual(['resolved', 'resolved', 'resolved', 'resolved']);
    expect(clock.pending).toBe(0);
  });
});
