import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../lib/clock.js';
import { Deadlines, type GiveUp, type Wait } from '../../lib/hierarchy/deadlines.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let deadlines: Deadlines;
/** Who was given up, when, and why. */
let givenUp: string[];

beforeEach(() => {
  clock = new VirtualClock();
  deadlines = new Deadlines(clock, 100);
  givenUp = [];
});

function begin(name: string): Wait {
  const startedAt = clock.now();
  const giveUp: GiveUp = (isDue) =>
    void givenUp.push(`${name} ${isDue ? 'due' : 'ended'} after ${clock.now() - startedAt}`);
  return deadlines.begin(giveUp, startedAt);
}

describe(Deadlines.name, () => {
  it('gives each wait up at its own time, with one timer for all', async () => {
    for (const name of ['a', 'b', 'c']) {
      begin(name);
      expect(clock.pending).toBe(1);
      await clock.advance(30);
    }
    await clock.advance(9);
    expect(givenUp).toEqual([]);
    await clock.advance(200);

    expect(givenUp).toEqual(['a due after 100', 'b due after 100', 'c due after 100']);
    expect(clock.pending).toBe(0);
  });

  it('gives up all that are due at once', async () => {
    begin('a');
    begin('b');
    await clock.advance(100);

    expect(givenUp).toEqual(['a due after 100', 'b due after 100']);
  });

  it('leaves alone what has ended, and says whether it had been given up', async () => {
    const [ended, late] = [begin('ended'), begin('late')];
    expect(deadlines.end(ended)).toBe(true);
    await clock.advance(100);

    expect(givenUp).toEqual(['late due after 100']);
    expect([deadlines.end(late), deadlines.end(ended)]).toEqual([false, false]);
  });

  it('ends a wait between others once, and gives up those', async () => {
    const [first, between, last] = [begin('first'), begin('between'), begin('last')];
    expect([deadlines.end(between), deadlines.end(between), deadlines.size]).toEqual([
      true,
      false,
      2,
    ]);
    await clock.advance(100);

    expect(givenUp).toEqual(['first due after 100', 'last due after 100']);
    expect([deadlines.end(first), deadlines.end(last), deadlines.size]).toEqual([false, false, 0]);
  });

  it('gives up in time what begins after an earlier wait has ended', async () => {
    deadlines.end(begin('first'));
    await clock.advance(60);
    begin('second');
    await clock.advance(99);
    expect(givenUp).toEqual([]);
    await clock.advance(1);

    expect(givenUp).toEqual(['second due after 100']);
  });

  it('has no timer when nothing was waited for during a whole wait', async () => {
    deadlines.end(begin('first'));
    await clock.advance(100);

    expect(clock.pending).toBe(0);
  });

  it('lets whoever is given up end others that are due, and begin one', async () => {
    let other: Wait | undefined = undefined;
    deadlines.begin(() => {
      deadlines.end(other!);
      begin('new');
    }, clock.now());
    other = begin('other');
    await clock.advance(50);
    begin('later');
    await clock.advance(150);

    expect(givenUp).toEqual(['later due after 100', 'new due after 100']);
  });

  it('gives all up before their time, and leaves no timer', () => {
    begin('a');
    begin('b');
    deadlines.giveUpAll();

    expect(givenUp).toEqual(['a ended after 0', 'b ended after 0']);
    expect(clock.pending).toBe(0);
  });

  it('rests only where nothing is waited for', async () => {
    const ended = begin('ended');
    begin('waiting');
    deadlines.end(ended);
    deadlines.rest();
    await clock.advance(100);
    expect(givenUp).toEqual(['waiting due after 100']);

    deadlines.end(begin('last'));
    deadlines.rest();
    expect(clock.pending).toBe(0);
  });

  it('never gives up where the wait has no end', async () => {
    deadlines = new Deadlines(clock, Infinity);
    begin('patient');
    await clock.advance(1_000_000);

    expect(givenUp).toEqual([]);
  });

  it('keeps the asynchronous context of no caller', async () => {
    const requests = new AsyncLocalStorage<string>();
    deadlines = new Deadlines(systemClock, 5);
    const seen = await requests.run(
      'request',
      () =>
        new Promise((resolve) => {
          deadlines.begin(() => resolve(requests.getStore()), systemClock.now());
          // The timer does not keep the process alive.
          setTimeout(resolve, 60_000, 'never').unref();
        }),
    );

    expect(seen).toBeUndefined();
  });
});
