import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { randomNumbers } from '../../lib/testing/random-numbers.js';
import { shareOf } from '../support/search-share.js';
import { RULES_OF_FLEET } from './fleet-rules.js';
import { FleetSchedule } from './fleet-schedule.js';

/**
 * Runs many schedules of a fleet, drawn from a seed. To replay one, and see what has happened, run it alone:
 * FLEET_SEED=<seed> npm test -- interleaving/fleet.
 */
const STEPS = 90;
const SCHEDULES = 2_000;
const MANY_SECONDS = 240_000;
const onlySeed = process.env['FLEET_SEED'];

// oxlint-disable-next-line typescript/unbound-method -- it has no this
const mathRandom = Math.random;

/** Stops at the fifth violation, or when `enough` are found. */
async function runSchedules(count: number, enough = 5): Promise<string[]> {
  const violations: string[] = [];
  const seeds =
    onlySeed === undefined
      ? Array.from({ length: count }, (_, index) => index + 1)
      : [Number(onlySeed)];
  for (const seed of seeds) {
    // Pauses and moments of refreshes are drawn: they are to be the same in a replay.
    Math.random = randomNumbers(seed);
    const schedule = new FleetSchedule(seed, onlySeed !== undefined);
    const violation = await schedule.run(STEPS);
    if (onlySeed !== undefined) process.stdout.write(`${schedule.told.join('\n')}\n`);
    if (violation !== undefined) violations.push(`FLEET_SEED=${seed}: ${violation}`);
    if (violations.length === enough) break;
  }
  Math.random = mathRandom;
  return violations;
}

describe('a fleet under any order of events', () => {
  it(
    'never serves what was invalidated beyond its bounds, and stores nothing older',
    async () => {
      expect(await runSchedules(shareOf(SCHEDULES))).toEqual([]);
    },
    MANY_SECONDS,
  );
});

/** Each rule switched off in turn: the schedules above must notice. */
(onlySeed === undefined ? describe : describe.skip)('the schedules of a fleet themselves', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(RULES_OF_FLEET.slice(0, shareOf(RULES_OF_FLEET.length)))(
    'notice that the rule "%s" is switched off',
    async (_, switchOff) => {
      switchOff();

      expect(await runSchedules(SCHEDULES, 1)).not.toEqual([]);
    },
    MANY_SECONDS,
  );
});
