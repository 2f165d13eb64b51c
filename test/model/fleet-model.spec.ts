import { afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { Coherence } from '../../lib/hierarchy/coherence.js';
import { Invalidations } from '../../lib/hierarchy/invalidations.js';
import { RecordReader } from '../../lib/redis/record-reader.js';
import { change, type Rule } from '../interleaving/fence-rules.js';
import { RedisDouble } from '../support/redis-double.js';
import { settleMicrotasks, VirtualClock } from '../support/virtual-clock.js';
import { Fleet, programsOfFleet } from './fleet-commands.js';
import { NaiveFleet } from './naive-fleet.js';

const behavesLikeOneMap = fc.asyncProperty(programsOfFleet, async (program) => {
  const clock = new VirtualClock(settleMicrotasks);
  const fleet = new Fleet(clock);
  // All of them have to know what the others change.
  await clock.advance(2_000);
  const naive = new NaiveFleet(() => clock.now());
  await fc.asyncModelRun(() => ({ model: { naive, clock }, real: fleet }), program);
  await fleet.close();
  expect(clock.pending).toBe(0);
});

describe('a fleet over the scripts of Redis: random programs', () => {
  it('answer and load exactly as if all processes had one map', async () => {
    const compared = fc.assert(behavesLikeOneMap, { numRuns: 200, includeErrorInReport: true });

    await expect(compared).resolves.toBeUndefined();
  });
});

const MISTAKES: readonly Rule[] = [
  ['what others change is not heard', () => change(Invalidations, 'hear', () => () => {})],
  ['loads are not stored for the others', () => change(RedisDouble, 'owns', () => () => false)],
  ['invalidations leave their marks', () => change(RedisDouble, 'replaceMark', () => () => {})],
  ['what is stored is not found', () => change(RecordReader, 'read', () => async () => new Map())],
  [
    'what is loaded is never trusted to be stored',
    () => change(Coherence, 'trusts', () => () => false),
  ],
];

describe('a fleet over the scripts of Redis: random programs (test of the test)', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(MISTAKES)('find a fleet in which %s', async (_, make) => {
    make();

    const found = await fc.check(behavesLikeOneMap, { numRuns: 200, seed: 1, endOnFailure: true });

    expect(found.failed).toBe(true);
  });
});
