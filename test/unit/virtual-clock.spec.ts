import { beforeEach, describe, expect, it } from '@jest/globals';
import { SteppedClock } from '../support/stepped-clock.js';
import { TickingClock } from '../support/ticking-clock.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let ran: string[];

beforeEach(() => {
  clock = new VirtualClock();
  ran = [];
});

function note(name: string): () => void {
  return () => ran.push(name);
}

/** The clock that most tests rely on is itself under test. */
describe(VirtualClock.name, () => {
  it('stands still by itself', () => {
    const before = [clock.now(), clock.wallNow()];

    expect([clock.now(), clock.wallNow()]).toEqual(before);
  });

  it('runs timers in the order of their due times, each at its own time', async () => {
    const begun = clock.now();
    const times: number[] = [];
    for (const delayMs of [30, 10, 20]) {
      clock.setTimer(() => times.push(clock.now() - begun), delayMs);
    }

    await clock.advance(100);

    expect(times).toEqual([10, 20, 30]);
    expect(clock.now() - begun).toBe(100);
  });

  it('runs a timer at its due time and not before', async () => {
    clock.setTimer(note('timer'), 10);
    await clock.advance(9);
    const before = [...ran];
    await clock.advance(1);

    expect([before, ran]).toEqual([[], ['timer']]);
  });

  it('runs timers that are set on the way', async () => {
    clock.setTimer(() => clock.setTimer(note('second'), 5), 5);

    await clock.advance(10);

    expect(ran).toEqual(['second']);
  });

  it('does not run what was cancelled', async () => {
    const cancels = [clock.setTimer(note('timer'), 5), clock.setImmediate(note('immediate'))];

    for (const cancel of cancels) cancel();
    await clock.advance(10);

    expect([ran, clock.pending]).toEqual([[], 0]);
  });

  it('has nothing pending for an infinite timer', () => {
    clock.setTimer(note('never'), Infinity);

    expect(clock.pending).toBe(0);
  });

  it('runs nothing while it is blocked', async () => {
    clock.setTimer(note('timer'), 5);
    clock.block(10);
    const whileBlocked = [...ran];
    await clock.advance(0);

    expect([whileBlocked, ran]).toEqual([[], ['timer']]);
  });

  it('counts what is still to run', () => {
    clock.setTimer(note('timer'), 5);
    clock.setImmediate(note('immediate'));

    expect(clock.pending).toBe(2);
  });
});

describe(SteppedClock.name, () => {
  it('runs one turn of the event loop at a time', () => {
    const stepped = new SteppedClock();
    stepped.setImmediate(() => {
      ran.push('first');
      stepped.setImmediate(note('second'));
    });

    stepped.turnOnce();
    const afterOne = [...ran];
    stepped.turnOnce();

    expect([afterOne, ran]).toEqual([['first'], ['first', 'second']]);
  });

  it('does not run what is cancelled in the same turn', () => {
    const stepped = new SteppedClock();
    let cancel = (): void => {};
    stepped.setImmediate(() => cancel());
    cancel = stepped.setImmediate(note('cancelled'));

    stepped.turnOnce();

    expect([ran, stepped.pending]).toEqual([[], 0]);
  });
});

describe(TickingClock.name, () => {
  it('moves on with every look at it', () => {
    const ticking = new TickingClock();
    ticking.tickMs = 2;
    const first = ticking.now();

    expect(ticking.now() - first).toBe(2);
  });
});
