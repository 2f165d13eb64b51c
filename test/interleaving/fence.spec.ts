import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { shareOf } from '../support/search-share.js';
import { MANY_MINUTES, SeededSearch } from '../support/seeded-search.js';
import { RULES, RULES_OF_LOWER, RULES_OF_GUARDED, type Rule } from './fence-rules.js';
import { FenceSchedule } from './fence-schedule.js';
import type { Levels } from './schedule-levels.js';

/**
 * Runs many schedules of loads, sets, updates and invalidations whose promises are settled in an
 * order drawn from a seed. To replay one, run it alone: FENCE_SEED=<seed> npm test -- interleaving.
 */
const STEPS = 40;
const search = new SeededSearch('FENCE_SEED');

const SCHEDULES: Readonly<Record<Levels, number>> = {
  'L1 and L2 in memory': 10_000,
  'L1 in memory, L2 in this process': 4_000,
  'L1 in memory, remote': 10_000,
  'L1 and L2 in memory, remote': 4_000,
  'L1 in memory, L2 outside, remote': 4_000,
};
const everyLevels = Object.keys(SCHEDULES) as Levels[];

function violationsOf(levels: Levels, count: number, enough?: number): Promise<string[]> {
  const run = (seed: number): Promise<string | undefined> =>
    new FenceSchedule(seed, levels).run(STEPS);
  return search.violations(count, run, enough);
}

describe('the fence under any order of events', () => {
  it.each(everyLevels)(
    'lets no read see what was invalidated before it began: %s',
    async (levels) => {
      // An unhandled rejection fails the test by itself: Jest sees to that.
      expect(await violationsOf(levels, shareOf(SCHEDULES[levels]))).toEqual([]);
    },
    MANY_MINUTES,
  );
});

/** Each rule switched off in turn: the schedules above must notice. */
(search.only === undefined ? describe : describe.skip)('the schedules themselves', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const switchedOff: [levels: Levels, rules: readonly Rule[]][] = [
    ['L1 and L2 in memory', RULES],
    ['L1 in memory, L2 in this process', RULES_OF_GUARDED],
    ['L1 in memory, remote', RULES_OF_LOWER],
  ];
  const cases = switchedOff.flatMap(([levels, rules]) =>
    rules.map(([rule, switchOff]) => ({ rule, levels, switchOff })),
  );

  it.each(cases.slice(0, shareOf(cases.length)))(
    'notice that the rule "$rule" is switched off: $levels',
    async ({ levels, switchOff }) => {
      switchOff();

      expect(await violationsOf(levels, SCHEDULES[levels], 1)).not.toEqual([]);
    },
    MANY_MINUTES,
  );
});
