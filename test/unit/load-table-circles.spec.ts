import { AsyncResource } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoadTimeoutError } from '../../lib/errors.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, type Observed } from '../support/observed.js';
import { settle } from '../support/virtual-clock.js';

const JOIN_MS = 1_000;

let bench: LoadBench;

beforeEach(() => {
  bench = new LoadBench(JOIN_MS);
});

function statesOf(callers: Observed<unknown>[]): string[] {
  return callers.map(({ state }) => state);
}

describe(`${LoadTable.name}: loaders that wait for one another`, () => {
  it('end when a loader awaits its own key', async () => {
    const load = async (): Promise<string> => {
      await settle();
      return bench.ask(load);
    };
    const caller = observe(bench.ask(load));

    for (let wait = 0; wait < 5; wait++) await bench.clock.advance(JOIN_MS);
    await settle();

    expect(caller.state).toBe('rejected');
    expect(caller.error).toBeInstanceOf(LoadTimeoutError);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('end when two keys wait for each other', async () => {
    const loadA = async (): Promise<string> => bench.ask(loadB, { key: 'b' });
    const loadB = async (): Promise<string> => {
      await settle();
      return bench.ask(loadA, { key: 'a' });
    };
    const callers = [
      observe(bench.ask(loadA, { key: 'a' })),
      observe(bench.ask(loadB, { key: 'b' })),
    ];

    for (let wait = 0; wait < 20; wait++) await bench.clock.advance(JOIN_MS);
    await settle();

    expect(statesOf(callers)).toEqual(['rejected', 'rejected']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('end when each asks for several, and takes as long as others wait for it', async () => {
    let calls = 0;
    const asks: Record<string, string[]> = { a: ['b', 'c'], b: ['c', 'a'], c: ['a', 'b'] };
    const ask = (key: string): Promise<string> =>
      bench.ask(
        async () => {
          calls += 1;
          await new Promise<void>((resolve) => void bench.clock.setTimer(resolve, JOIN_MS));
          await Promise.all(asks[key]!.map(ask));
          return key;
        },
        { key },
      );
    const callers = ['a', 'b', 'c'].map((key) => observe(ask(key)));

    for (let wait = 0; wait < 100; wait++) await bench.clock.advance(JOIN_MS);
    const callsBefore = calls;
    await bench.clock.advance(100 * JOIN_MS);

    expect(statesOf(callers)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(calls).toBe(callsBefore);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('say so when a key is asked for within itself over and over', async () => {
    const load = async (): Promise<string> => {
      await settle();
      return bench.ask(load);
    };
    const caller = observe(bench.ask(load));

    for (let wait = 0; wait < 5; wait++) await bench.clock.advance(JOIN_MS);

    expect((caller.error as Error).message).toBe(
      'The load of key "key" is waited for within itself: its loader asks for this key, or for ' +
        'others whose loaders do. Load the value in the loader itself, or ask for another key.',
    );
  });

  it('take what a loader left behind for no circle, though it asks for the key again', async () => {
    const hung = observe(bench.ask(() => new Promise<string>(() => {})));
    let askLater: () => Promise<string> = () => Promise.reject(new Error('not called'));
    const replacing = observe(
      bench.ask(() => {
        askLater = AsyncResource.bind(() => bench.ask(() => 'anew'));
        return 'loaded';
      }),
    );
    await bench.clock.advance(JOIN_MS);
    expect([replacing.value, hung.state]).toEqual(['loaded', 'pending']);

    for (let again = 0; again < 3; again++) expect(await askLater()).toBe('anew');
  });

  it('deliver when a loader awaits its own key and gives up in time', async () => {
    const load = async (): Promise<string> => {
      await settle();
      return bench.ask(load).catch(() => 'of its own');
    };
    const caller = observe(bench.ask(load));

    for (let wait = 0; wait < 5; wait++) await bench.clock.advance(JOIN_MS);
    await settle();

    expect(caller.value).toBe('of its own');
    expect(bench.leftovers).toEqual(NOTHING);
  });
});
