import { beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../../lib/errors.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import type { RunningLoad } from '../../lib/memory/load-request.js';
import { defer } from '../support/deferred.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, rejectionOf } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

let bench: LoadBench;

beforeEach(() => {
  bench = new LoadBench();
});

describe(LoadTable.name, () => {
  it('calls the loader once for 1,000 callers and gives all of them its value', async () => {
    const loaded = defer<object>();
    const value = {};
    let calls = 0;
    const callers = Array.from({ length: 1_000 }, () =>
      bench.ask(() => {
        calls += 1;
        return loaded.promise;
      }),
    );

    loaded.resolve(value);
    const values = await Promise.all(callers);

    expect(calls).toBe(1);
    expect(values.every((got) => got === value)).toBe(true);
    expect(bench.loads.joins).toBe(999);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('gives the very same error to all 1,000 callers, and the next one loads again', async () => {
    const loaded = defer<string>();
    const failure = new Error('of the loader');
    const callers = Array.from({ length: 1_000 }, () =>
      rejectionOf(bench.ask(() => loaded.promise)),
    );

    loaded.reject(failure);
    const errors = await Promise.all(callers);
    const next = await bench.ask(() => 'new');

    expect(errors.every((error) => error === failure)).toBe(true);
    expect(next).toBe('new');
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('calls the loader in the step of the call', () => {
    let called = false;

    void bench.ask(() => {
      called = true;
    });

    expect(called).toBe(true);
  });

  it('rejects when a loader throws at once, and lets those who came meanwhile know', async () => {
    const failure = new Error('at once');
    const fail = (): never => {
      throw failure;
    };

    const errors = await Promise.all([
      rejectionOf(bench.ask(fail)),
      rejectionOf(bench.ask(() => 'unused')),
    ]);

    expect(errors).toEqual([failure, failure]);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('rejects with whatever a loader throws, though it is no error', async () => {
    expect(await rejectionOf(bench.ask(() => Promise.reject(undefined)))).toBeUndefined();
  });

  it('keeps the keys apart', async () => {
    const values = await Promise.all([
      bench.ask(() => 1, { key: 'a' }),
      bench.ask(() => 2, { key: 'b' }),
    ]);

    expect(values).toEqual([1, 2]);
    expect(bench.loads.joins).toBe(0);
  });

  it('starts anew for who comes after the load has settled', async () => {
    const first = await bench.ask(() => 1);
    const second = await bench.ask(() => 2);

    expect([first, second]).toEqual([1, 2]);
  });

  it('starts anew for who comes after the key was invalidated, and answers both', async () => {
    const loaded = defer<string>();
    const early = bench.ask(() => loaded.promise);

    bench.tickets.fence('key');
    const late = await bench.ask(() => 'new');
    loaded.resolve('old');

    expect([await early, late]).toEqual(['old', 'new']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('lets callers join the newer load while the invalidated one still runs', async () => {
    const old = defer<string>();
    const fresh = defer<string>();
    void bench.ask(() => old.promise);
    bench.tickets.fence('key');
    void bench.ask(() => fresh.promise);
    old.resolve('old');
    await settle();

    const joined = bench.ask(() => 'unused');
    fresh.resolve('new');

    expect(await joined).toBe('new');
  });

  it('gives each load a ticket of its key with its tags', async () => {
    let seen: RunningLoad | undefined;

    await bench.ask(
      (load) => {
        seen = load;
      },
      { tags: ['tag'] },
    );

    expect(seen?.ticket).toMatchObject({ key: 'key', kind: 'load', tags: ['tag'] });
  });
});

describe(`${LoadTable.name}: a loader that asks for its own key`, () => {
  it('is refused in the step in which it is called', async () => {
    const outer = bench.ask(() => bench.ask(() => 'inner'));

    const error = await rejectionOf(outer);

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error).toMatchObject({
      message:
        'The loader of key "key" asked the cache for this same key, which only it can supply. ' +
        'Load the value in the loader itself, or ask for another key.',
    });
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('may go on when it expects the refusal', async () => {
    const value = await bench.ask(() => bench.ask(() => 'inner').catch(() => 'own'));

    expect(value).toBe('own');
  });

  it('may ask for another key at once', async () => {
    const value = await bench.ask(() => bench.ask(() => 'other', { key: 'other' }));

    expect(value).toBe('other');
  });

  it('does not stand in the way of callers who come when it waits', async () => {
    const loaded = defer<string>();
    void bench.ask(() => loaded.promise);

    const joined = bench.ask(() => 'unused');
    loaded.resolve('value');

    expect(await joined).toBe('value');
  });
});

describe(`${LoadTable.name}: loads of a caller's own`, () => {
  it('are joined by nobody and may not be stored', async () => {
    const loaded = defer<string>();
    let seen: RunningLoad | undefined;
    const alone = observe(
      bench.loads.runAlone({
        key: 'key',
        load: (load) => {
          seen = load;
          return loaded.promise;
        },
      }),
    );

    const other = await bench.ask(() => 'other');
    const storable = bench.tickets.isValid(seen!.ticket);
    loaded.resolve('alone');
    await settle();

    expect([other, alone.value, storable]).toEqual(['other', 'alone', false]);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('do not take the place of the load that others can join', async () => {
    const loaded = defer<string>();
    const shared = bench.ask(() => loaded.promise);
    await bench.loads.runAlone({ key: 'key', load: async () => 'alone' });

    const joined = bench.ask(() => 'unused');
    loaded.resolve('shared');

    expect([await shared, await joined]).toEqual(['shared', 'shared']);
  });

  it('end with their caller’s signal', async () => {
    const leaving = new AbortController();
    let seen: RunningLoad | undefined;
    const alone = observe(
      bench.loads.runAlone({
        key: 'key',
        signal: leaving.signal,
        load: (load) => {
          seen = load;
          return new Promise<string>(() => {});
        },
      }),
    );

    leaving.abort('enough');
    await settle();

    expect(alone).toMatchObject({ state: 'rejected', error: 'enough' });
    expect(seen?.signal).toMatchObject({ aborted: true, reason: 'enough' });
  });
});
