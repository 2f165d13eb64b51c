import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import type { RunningLoad } from '../../lib/memory/load-request.js';
import { defer } from '../support/deferred.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

const hang = (): Promise<never> => new Promise(() => {});

let bench: LoadBench;
let leaving: AbortController;

beforeEach(() => {
  bench = new LoadBench();
  leaving = new AbortController();
});

describe(`${LoadTable.name}: a caller's wait timeout`, () => {
  it('ends the wait with an error that names the key, and not earlier', async () => {
    const caller = observe(bench.ask(hang, { waitTimeoutMs: 200 }));

    await bench.clock.advance(199);
    const before = caller.state;
    await bench.clock.advance(1);

    expect(before).toBe('pending');
    expect(caller.error).toBeInstanceOf(LoadTimeoutError);
    expect(caller.error).toMatchObject({
      message: 'The load of key "key" did not end within waitTimeout (200 ms).',
    });
  });

  it('leaves the load to the others', async () => {
    const loaded = defer<string>();
    const hurried = observe(bench.ask(() => loaded.promise, { waitTimeoutMs: 200 }));
    const patient = observe(bench.ask(() => 'unused', { waitTimeoutMs: 500 }));
    await bench.clock.advance(200);

    loaded.resolve('value');
    await settle();

    expect([hurried.state, patient.value]).toEqual(['rejected', 'value']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('goes on while the caller is moved from one load to the next', async () => {
    void bench.ask(hang);
    const follower = observe(bench.ask(hang, { waitTimeoutMs: 1_500 }));

    await bench.clock.advance(1_000);
    const before = follower.state;
    await bench.clock.advance(500);

    expect([before, follower.state]).toEqual(['pending', 'rejected']);
    expect(bench.clock.pending).toBe(0);
  });

  it('aborts the load when nobody else waits', async () => {
    let load: RunningLoad | undefined;
    const caller = rejectionOf(
      bench.ask(
        (running) => {
          load = running;
          return hang();
        },
        { waitTimeoutMs: 200 },
      ),
    );

    await bench.clock.advance(200);

    expect(load?.signal.reason).toBe(await caller);
  });

  it('leaves no timer behind when the patience with the loads of others ends first', async () => {
    void bench.ask(hang);
    const followers = Array.from({ length: 4 }, () =>
      observe(bench.ask(hang, { waitTimeoutMs: 60_000 })),
    );

    await bench.clock.advance(4_000);
    const rejected = followers.filter(({ state }) => state === 'rejected').length;

    // Three of them wait for loads of their own, and so does the timer of each.
    expect([rejected, bench.clock.pending]).toEqual([1, 3]);
  });

  it('leaves no timer behind when the load settles in time', async () => {
    await bench.ask(() => 'value', { waitTimeoutMs: 200, signal: leaving.signal });
    await rejectionOf(bench.ask(() => Promise.reject(new Error()), { waitTimeoutMs: 200 }));

    expect(bench.leftovers).toEqual(NOTHING);
  });
});
