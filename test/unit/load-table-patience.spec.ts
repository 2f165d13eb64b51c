import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import { defer } from '../support/deferred.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, type Observed } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

const JOIN_MS = 1_000;
const hang = (): Promise<never> => new Promise(() => {});

let bench: LoadBench;

beforeEach(() => {
  bench = new LoadBench(JOIN_MS);
});

function statesOf(callers: Observed<unknown>[]): string[] {
  return callers.map(({ state }) => state);
}

describe(`${LoadTable.name}: patience with the loads of others`, () => {
  it('ends after the join timeout and not before: then the follower loads itself', async () => {
    const calls: string[] = [];
    void bench.ask(hang);
    const follower = observe(bench.ask(() => calls.push('follower')));

    await bench.clock.advance(JOIN_MS - 1);
    const before = calls.length;
    await bench.clock.advance(1);

    expect([before, calls]).toEqual([0, ['follower']]);
    expect(follower.state).toBe('resolved');
  });

  it('is counted for each follower from its own call', async () => {
    void bench.ask(hang);
    const first = observe(bench.ask(() => 'first'));
    await bench.clock.advance(400);
    const second = observe(bench.ask(hang));

    await bench.clock.advance(600);

    // The first one's own load has settled, but the second follows the load that hangs.
    expect(statesOf([first, second])).toEqual(['resolved', 'pending']);
  });

  it('lets the replaced load answer its own caller, however late', async () => {
    const slow = defer<string>();
    const owner = observe(bench.ask(() => slow.promise));
    const follower = observe(bench.ask(() => 'quick'));
    await bench.clock.advance(JOIN_MS);

    slow.resolve('slow');
    await settle();

    expect([owner.value, follower.value]).toEqual(['slow', 'quick']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('moves the other followers on to the one load that replaces it', async () => {
    const replacement = defer<string>();
    let calls = 0;
    void bench.ask(hang);
    const followers = Array.from({ length: 100 }, () =>
      observe(
        bench.ask(() => {
          calls += 1;
          return replacement.promise;
        }),
      ),
    );
    await bench.clock.advance(JOIN_MS);

    replacement.resolve('value');
    await settle();

    expect(calls).toBe(1);
    expect(followers.map(({ value }) => value)).toEqual(followers.map(() => 'value'));
  });

  it('lets newcomers join the replacement', async () => {
    const replacement = defer<string>();
    void bench.ask(hang);
    void bench.ask(() => replacement.promise);
    await bench.clock.advance(JOIN_MS);

    const newcomer = bench.ask(() => 'unused');
    replacement.resolve('value');

    expect(await newcomer).toBe('value');
  });

  it('is not tried on who started the load', async () => {
    const slow = defer<string>();
    const owner = observe(bench.ask(() => slow.promise));

    await bench.clock.advance(100 * JOIN_MS);
    slow.resolve('value');
    await settle();

    expect(owner).toMatchObject({ state: 'resolved', value: 'value' });
  });

  it('is not armed by callers who leave before it ends', async () => {
    const loaded = defer<string>();
    const callers = [bench.ask(() => loaded.promise), bench.ask(() => 'unused')];
    const armed = bench.clock.pending;

    loaded.resolve('value');
    await Promise.all(callers);

    expect([armed, bench.clock.pending]).toEqual([1, 0]);
  });

  it('starts a load at once for a follower whose load was invalidated meanwhile', async () => {
    void bench.ask(hang);
    const follower = observe(bench.ask(() => 'own'));
    bench.tickets.fence('key');

    await bench.clock.advance(JOIN_MS);

    expect(follower.value).toBe('own');
  });

  it('moves a follower of an invalidated load on to the load that came after', async () => {
    const fresh = defer<string>();
    void bench.ask(hang);
    const follower = observe(bench.ask(() => 'unused'));
    bench.tickets.fence('key');
    void bench.ask(() => fresh.promise);

    await bench.clock.advance(JOIN_MS);
    fresh.resolve('fresh');
    await settle();

    expect(follower.value).toBe('fresh');
  });
});

describe(`${LoadTable.name}: a loader that hangs`, () => {
  it('is replaced three times, one join timeout apart', async () => {
    const startedAt: number[] = [];
    const load = (): Promise<never> => {
      startedAt.push(bench.clock.now());
      return hang();
    };
    const callers = Array.from({ length: 6 }, () => observe(bench.ask(load)));

    await bench.clock.advance(10 * JOIN_MS);

    expect(startedAt.map((at) => at - startedAt[0]!)).toEqual([0, 1_000, 2_000, 3_000]);
    expect(statesOf(callers).join(' ')).toBe('pending pending pending pending rejected rejected');
    expect(bench.clock.pending).toBe(0);
  });

  it('has its place emptied for the next caller after three replacements', async () => {
    void bench.ask(hang);
    for (let wait = 0; wait < 4; wait++) {
      observe(bench.ask(hang));
      await bench.clock.advance(JOIN_MS);
    }

    const next = observe(bench.ask(() => 'value'));
    await settle();

    expect(next.value).toBe('value');
  });

  it('gives its followers an error that says what was tried', async () => {
    void bench.ask(hang);
    const followers = Array.from({ length: 4 }, () => observe(bench.ask(hang)));

    await bench.clock.advance(4 * JOIN_MS);

    const error = followers[3]?.error;
    expect(error).toBeInstanceOf(LoadTimeoutError);
    expect(error).toMatchObject({
      code: 'CACHE_LOAD_TIMEOUT',
      message:
        'No load of key "key" settled: each was waited for joinTimeout (1000 ms) and 3 were ' +
        'tried in place of the first. Its loader hangs, or waits for its own key.',
    });
  });

  it('has its place emptied when the followers had come together', async () => {
    void bench.ask(hang);
    for (let caller = 0; caller < 4; caller++) observe(bench.ask(hang));
    await bench.clock.advance(4 * JOIN_MS);

    const next = observe(bench.ask(() => 'value'));
    await settle();

    expect(next.value).toBe('value');
  });

  it('is replaced anew after the load that it replaced has settled after all', async () => {
    const slow = defer<string>();
    const owner = observe(bench.ask(() => slow.promise));
    for (let wait = 0; wait < 3; wait++) {
      observe(bench.ask(hang));
      await bench.clock.advance(JOIN_MS);
    }
    slow.resolve('slow');
    const next = observe(bench.ask(() => 'own'));

    await bench.clock.advance(JOIN_MS);

    expect([owner.value, next.value]).toEqual(['slow', 'own']);
  });

  it('is replaced anew after a replacement has settled', async () => {
    let calls = 0;
    void bench.ask(hang);
    for (let round = 0; round < 6; round++) {
      const follower = observe(
        bench.ask(() => {
          calls += 1;
          return `value ${round}`;
        }),
      );
      await bench.clock.advance(JOIN_MS);
      expect(follower.state).toBe('resolved');
      void bench.ask(hang);
    }

    expect(calls).toBe(6);
  });

  it('ends for every follower after four waits at most, though the key is invalidated', async () => {
    void bench.ask(hang);
    const follower = observe(bench.ask(() => 'unused'));
    for (let wait = 0; wait < 4; wait++) {
      bench.tickets.fence('key');
      void bench.ask(hang);
      await bench.clock.advance(JOIN_MS);
    }

    expect(follower.state).toBe('rejected');
    expect(follower.error).toBeInstanceOf(LoadTimeoutError);
  });
});
