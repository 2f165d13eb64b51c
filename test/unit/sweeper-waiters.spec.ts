import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Sweeper } from '../../lib/memory/sweeper.js';
import { FakeSweepable } from '../support/fake-sweepable.js';
import { observe } from '../support/observed.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { settle } from '../support/virtual-clock.js';

let clock: SteppedClock;
let sweeper: Sweeper;
let swept: FakeSweepable;

beforeEach(() => {
  clock = new SteppedClock();
  sweeper = new Sweeper({ clock });
  swept = new FakeSweepable('cache', 100, clock);
  swept.slices = 3;
  sweeper.add(swept);
});

afterEach(async () => {
  sweeper.stop();
  await clock.turn();
  expect(clock.pending).toBe(0);
});

describe(`${Sweeper.name}: who waits for a sweep`, () => {
  it('learns how many entries it removed', async () => {
    const removed = sweeper.sweepNow(swept);
    await clock.turn();

    expect(await removed).toBe(3);
    expect(sweeper.status()).toMatchObject({ running: false, runs: 1, removed: 3 });
  });

  it('waits for the sweep under way and gets one from the beginning', async () => {
    const first = observe(sweeper.sweepNow(swept));
    clock.turnOnce();
    const second = observe(sweeper.sweepNow(swept));
    clock.turnOnce();
    clock.turnOnce();
    await settle();
    const between = [first.state, second.state, swept.startedAt.length];

    await clock.turn();

    expect(between).toEqual(['resolved', 'pending', 1]);
    expect([second.value, swept.startedAt.length]).toEqual([3, 2]);
  });

  it('gets a sweep of their own after one that the timer began', async () => {
    sweeper.start();
    await clock.advanceWithoutTurns(100);
    clock.turnOnce();
    const asked = sweeper.sweepNow(swept);

    await clock.turn();

    expect(await asked).toBe(3);
    expect(swept.startedAt).toHaveLength(2);
  });

  it('is not held up by the sweep of another target', async () => {
    const long = new FakeSweepable('long', Infinity, clock);
    long.slices = 100;
    sweeper.add(long);
    void sweeper.sweepNow(long);
    const short = observe(sweeper.sweepNow(swept));

    for (let turn = 0; turn < 3; turn++) clock.turnOnce();
    await settle();

    expect(short.value).toBe(3);
  });

  it('may wait for a target that was never added', async () => {
    const other = new FakeSweepable('other', 100, clock);
    const removed = sweeper.sweepNow(other);
    await clock.turn();

    expect(await removed).toBe(1);
  });

  it.each([
    ['stop', () => sweeper.stop()],
    ['remove', () => sweeper.remove(swept)],
  ])('is answered at once by %s, with what was removed so far', async (_, end) => {
    const underWay = observe(sweeper.sweepNow(swept));
    const waiting = observe(sweeper.sweepNow(swept));
    clock.turnOnce();
    clock.turnOnce();

    end();
    await settle();

    expect(underWay).toMatchObject({ state: 'resolved', value: 2 });
    expect(waiting).toMatchObject({ state: 'resolved', value: 0 });
  });

  it('is answered by stop before the sweep has begun', async () => {
    const waiting = observe(sweeper.sweepNow(swept));

    sweeper.stop();
    await settle();

    expect(waiting.value).toBe(0);
    expect(swept.startedAt).toEqual([]);
  });

  it('does not lose their sweep when another target is removed', async () => {
    const other = new FakeSweepable('other', 100, clock);
    sweeper.add(other);
    const removed = sweeper.sweepNow(swept);
    void sweeper.sweepNow(other);
    clock.turnOnce();

    sweeper.remove(other);
    await clock.turn();

    expect(await removed).toBe(3);
    expect(other.budgets).toHaveLength(1);
  });
});

describe(`${Sweeper.name}: stop and remove`, () => {
  it('leave no timer and no turn behind', async () => {
    sweeper.start();
    await clock.advanceWithoutTurns(100);
    clock.turnOnce();
    const pending = clock.pending;

    sweeper.stop();

    expect([pending, clock.pending]).toEqual([2, 0]);
  });

  it('may be called twice, and for what was never added', async () => {
    sweeper.stop();
    sweeper.stop();
    sweeper.remove(swept);
    sweeper.remove(swept);

    expect(sweeper.status()).toMatchObject({ running: false, runs: 0 });
  });

  it('leave no timer armed for what was removed', () => {
    sweeper.start();
    const armed = clock.pending;

    sweeper.remove(swept);

    expect([armed, clock.pending]).toEqual([1, 0]);
  });

  it('arm the timer anew for the targets that are left', async () => {
    const other = new FakeSweepable('other', 250, clock);
    sweeper.add(other);
    sweeper.start();
    sweeper.remove(swept);

    await clock.advance(250);

    expect([swept.startedAt.length, other.startedAt.length]).toEqual([0, 1]);
  });

  it('let a sweep that is asked for afterwards run', async () => {
    sweeper.stop();
    const removed = sweeper.sweepNow(swept);
    await clock.turn();

    expect(await removed).toBe(3);
  });
});
