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
