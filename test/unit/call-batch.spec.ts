import { describe, expect, it } from '@jest/globals';
import { CallBatch } from '../../lib/hierarchy/call-batch.js';
import type { Reply } from '../../lib/hierarchy/level-calls.js';
import { defer } from '../support/deferred.js';
import { settle } from '../support/virtual-clock.js';

/** A batch that doubles numbers, with the calls that it sent. */
function setUp(reply?: Reply<Map<string, number>>): {
  batch: CallBatch<number, number>;
  sent: [string, number][][];
} {
  const sent: [string, number][][] = [];
  const batch = new CallBatch<number, number>(async (items) => {
    sent.push([...items]);
    const answer = new Map([...items].map(([key, item]) => [key, 2 * item]));
    return reply ?? { state: 'answered', answer };
  });
  return { batch, sent };
}

describe(CallBatch.name, () => {
  it('sends what is asked in one step as one call, and gives each its answer', async () => {
    const { batch, sent } = setUp();
    const replies = [batch.add('a', 1), batch.add('b', 2)];

    expect(await Promise.all(replies)).toEqual([
      { state: 'answered', answer: 2 },
      { state: 'answered', answer: 4 },
    ]);
    expect(sent).toEqual([
      [
        ['a', 1],
        ['b', 2],
      ],
    ]);
  });

  it('takes along what follows within a few settled promises', async () => {
    const { batch, sent } = setUp();
    void batch.add('a', 1);
    await Promise.resolve();
    await Promise.resolve();
    void batch.add('b', 2);
    await settle();

    expect(sent.map((call) => call.length)).toEqual([2]);
  });

  it('asks for a key once, and gives everybody the same reply', async () => {
    const { batch, sent } = setUp();
    const [first, second] = [batch.add('a', 1), batch.add('a', 5)];

    expect(await first).toBe(await second);
    expect(sent).toEqual([[['a', 1]]]);
  });

  it('sends another call for what is asked later, also while the first is under way', async () => {
    const gate = defer();
    const sent: string[] = [];
    const batch = new CallBatch<number, number>(async (items) => {
      sent.push([...items.keys()].join());
      await gate.promise;
      return { state: 'answered', answer: new Map(items) };
    });
    const first = batch.add('a', 1);
    await settle();
    const second = batch.add('a', 2);
    await settle();
    expect(sent).toEqual(['a', 'a']);
    gate.resolve();

    expect([await first, await second]).toEqual([
      { state: 'answered', answer: 1 },
      { state: 'answered', answer: 2 },
    ]);
  });

  it('has no answer for a key that the call says nothing of', async () => {
    const { batch } = setUp({ state: 'answered', answer: new Map() });

    expect(await batch.add('a', 1)).toEqual({ state: 'answered', answer: undefined });
  });

  it.each<Reply<Map<string, number>>>([
    { state: 'failed' },
    { state: 'late', settled: Promise.resolve(true) },
  ])('tells everybody when the call is $state', async (reply) => {
    const { batch } = setUp(reply);

    expect(await Promise.all([batch.add('a', 1), batch.add('b', 2)])).toEqual([reply, reply]);
  });
});
