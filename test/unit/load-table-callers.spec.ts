import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTable } from '../../lib/memory/load-table.js';
import { defer } from '../support/deferred.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

const JOIN_MS = 1_000;
const hang = (): Promise<never> => new Promise(() => {});

let bench: LoadBench;

beforeEach(() => {
  bench = new LoadBench(JOIN_MS);
});

describe(`${LoadTable.name}: a follower on its own`, () => {
  it('gets what has come to be stored while it waited, and loads nothing', async () => {
    let stored: string | undefined;
    let calls = 0;
    void bench.ask(hang);
    const follower = observe(
      bench.ask(() => `load ${(calls += 1)}`, { stored: () => stored, waitTimeoutMs: 5_000 }),
    );
    stored = 'stored';

    await bench.clock.advance(JOIN_MS);

    expect([follower.value, calls]).toEqual(['stored', 0]);
    expect(bench.clock.pending).toBe(0);
  });

  it('loads in the asynchronous context of its own call', async () => {
    const request = new AsyncLocalStorage<string>();
    let seen: string | undefined;
    request.run('first', () => void bench.ask(hang));
    const follower = request.run('second', () =>
      observe(
        bench.ask(() => {
          seen = request.getStore();
          return 'value';
        }),
      ),
    );

    await bench.clock.advance(JOIN_MS);

    expect([follower.value, seen]).toEqual(['value', 'second']);
  });
});

describe(`${LoadTable.name}: invalidations by a tag that the loader names last`, () => {
  it('let those have the value who asked before, and the others wait for a load of theirs', async () => {
    const loaded = defer<string>();
    const old = {
      key: 'key',
      load: async (load: { ticket: { tags: readonly string[] | undefined } }) => {
        const value = await loaded.promise;
        load.ticket.tags = ['tag'];
        return value;
      },
    };
    const before = [observe(bench.loads.run(old)), observe(bench.loads.run(old))];
    bench.invalidateTags();
    let calls = 0;
    const fresh = { key: 'key', load: async () => `new ${(calls += 1)}` };
    const after = [observe(bench.loads.run(fresh)), observe(bench.loads.run(fresh))];

    loaded.resolve('old');
    await settle();

    expect(before.map(({ value }) => value)).toEqual(['old', 'old']);
    expect(after.map(({ value }) => value)).toEqual(['new 1', 'new 1']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('of other tags keep nobody from having the value', async () => {
    const loaded = defer<string>();
    const before = observe(bench.loads.run({ key: 'key', load: () => loaded.promise }));
    bench.invalidateSomethingElse();
    let calls = 0;
    const after = observe(bench.loads.run({ key: 'key', load: async () => `new ${(calls += 1)}` }));

    loaded.resolve('value');
    await settle();

    expect([before.value, after.value, calls]).toEqual(['value', 'value', 0]);
  });
});

describe(`${LoadTable.name}: closed`, () => {
  it('has no timer of patience, and lets the loads under way answer', async () => {
    const loaded = defer<string>();
    const owner = observe(bench.ask(() => loaded.promise));
    const follower = observe(bench.ask(() => 'own'));

    bench.loads.close();
    const pending = bench.clock.pending;
    await bench.clock.advance(10 * JOIN_MS);
    loaded.resolve('value');
    await settle();

    expect([pending, owner.value, follower.value]).toEqual([0, 'value', 'value']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('arms no timer for those who join later', async () => {
    const loaded = defer<string>();
    bench.loads.close();
    const callers = [bench.ask(() => loaded.promise), bench.ask(() => 'unused')];
    const pending = bench.clock.pending;
    loaded.resolve('value');

    expect(pending).toBe(0);
    expect(await Promise.all(callers)).toEqual(['value', 'value']);
  });
});
