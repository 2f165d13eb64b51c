import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { randomNumbers } from '../../lib/testing/random-numbers.js';
import { shareOf } from '../support/search-share.js';
import { RULES, RULES_OF_LOWER, RULES_OF_GUARDED, type Rule } from './fence-rules.js';
import { FenceSchedule } from './fence-schedule.js';
import type { Levels } from './schedule-levels.js';

/**
 * Runs many schedules of loads, sets, updates and invalidations whose promises are settled in an
 * order drawn from a seed. To replay one, run it alone: FENCE_SEED=<seed> npm test -- interleaving.
 */
const STEPS = 40;
const MANY_SECONDS = 120_000;
const onlySeed = process.env['FENCE_SEED'];

const SCHEDULES: Readonly<Record<Levels, number>> = {
  'L1 and L2 in memory': 10_000,
  'L1 in memory, L2 in this process': 4_000,
  'L1 in memory, remote': 10_000,
  'L1 and L2 in memory, remote': 4_000,
  'L1 in memory, L2 outside, remote': 4_000,
};
const everyLevels = Object.keys(SCHEDULES) as Levels[];

// oxlint-disable-next-line typescript/unbound-method -- it has no this
const mathRandom = Math.random;

/** Stops at the fifth violation, or when `enough` are found. */
async function runSchedules(levels: Levels, count: number, enough = 5): Promise<string[]> {
  const violations: string[] = [];
  const seeds =
    onlySeed === undefined
      ? Array.from({ length: count }, (_, index) => index + 1)
      : [Number(onlySeed)];
  for (const seed of seeds) {
    // Moments of refreshes are drawn: they are to be the same in a replay.
    Math.random = randomNumbers(seed);
    const violation = await new FenceSchedule(seed, levels).run(STEPS);
    if (violation !== undefined) violations.push(`FENCE_SEED=${seed}: ${violation}`);
    if (violations.length === enough) break;
  }
  Math.random = mathRandom;
  return violations;
}

describe('the fence under any order of events', () => {
  it.each(everyLevels)(
    'lets no read see what was invalidated before it began: %s',
    async (levels) => {
      // An unhandled rejection fails the test by itself: Jest sees to that.
      expect(await runSchedules(levels, shareOf(SCHEDULES[levels]))).toEqual([]);
    },
    MANY_SECONDS,
  );
});

/** Each rule switched off in turn: the schedules above must notice. */
(onlySeed === undefined ? describe : describe.skip)('the schedules themselves', () => {
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

      expect(await runSchedules(levels, SCHEDULES[levels], 1)).not.toEqual([]);
    },
    MANY_SECONDS,
  );
});
