import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LoadTable } from '../../lib/memory/load-table.js';
import { LoadBench, NOTHING } from '../support/load-bench.js';
import { observe, type Observed } from '../support/observed.js';

const KEYS = 4;
const JOIN_MS = 1_000;
/** Join timeouts after which everything must have come to an end. */
const PATIENCE = 150;

/** For each key the keys that its loader awaits, all at once; they may lead back to itself. */
type WaitGraph = readonly (readonly number[])[];
/** Who asks for which key, and how long after the one before. */
type Calls = readonly (readonly [key: number, afterMs: number])[];

const graphs = fc.array(fc.array(fc.nat(KEYS - 1), { maxLength: 2 }), {
  minLength: KEYS,
  maxLength: KEYS,
});
const acyclicGraphs = graphs.map((graph) =>
  graph.map((keys, index) => keys.filter((key) => key > index)),
);
const callers = fc.array(fc.tuple(fc.nat(KEYS - 1), fc.nat(3 * JOIN_MS)), {
  minLength: 1,
  maxLength: 6,
});

/** Lets callers ask for keys whose loaders wait for one another, until nothing is left. */
async function runToTheEnd(graph: WaitGraph, calls: Calls): Promise<Observed<string>[]> {
  const bench = new LoadBench(JOIN_MS);
  const ask = (key: number): Promise<string> =>
    bench.ask(
      async () => {
        await Promise.resolve();
        await Promise.all(graph[key]!.map(ask));
        return `value ${key}`;
      },
      { key: `key-${key}` },
    );

  const seen: Observed<string>[] = [];
  for (const [key, afterMs] of calls) {
    await bench.clock.advance(afterMs);
    seen.push(observe(ask(key)));
  }
  for (let wait = 0; wait < PATIENCE && bench.tickets.size > 0; wait++) {
    await bench.clock.advance(JOIN_MS);
    await bench.clock.turn();
  }
  expect(bench.leftovers).toEqual(NOTHING);
  return seen;
}

describe(`${LoadTable.name}: loaders that wait for one another in any way`, () => {
  it('deliver to everybody where no key waits for itself', async () => {
    const delivered = fc.assert(
      fc.asyncProperty(acyclicGraphs, callers, async (graph, calls) => {
        const seen = await runToTheEnd(graph, calls);
        expect(seen.map(({ value }) => value)).toEqual(calls.map(([key]) => `value ${key}`));
      }),
      { numRuns: 200 },
    );

    await expect(delivered).resolves.toBeUndefined();
  });

  it('come to an end where keys wait for themselves', async () => {
    const ended = fc.assert(
      fc.asyncProperty(graphs, callers, async (graph, calls) => {
        const seen = await runToTheEnd(graph, calls);
        expect(seen.filter(({ state }) => state === 'pending')).toEqual([]);
      }),
      { numRuns: 300 },
    );

    await expect(ended).resolves.toBeUndefined();
  });
});
