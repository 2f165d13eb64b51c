import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { shareOf } from '../support/search-share.js';
import { MANY_MINUTES, SeededSearch } from '../support/seeded-search.js';
import { RULES_OF_FLEET } from './fleet-rules.js';
import { FleetSchedule } from './fleet-schedule.js';

/**
 * Runs many schedules of a fleet, drawn from a seed. To replay one, and see what has happened, run it alone:
 * FLEET_SEED=<seed> npm test -- interleaving/fleet.
 */
const STEPS = 90;
const SCHEDULES = 2_000;
const search = new SeededSearch('FLEET_SEED');

function violationsOf(count: number, enough?: number): Promise<string[]> {
  const isReplay = search.only !== undefined;
  const run = async (seed: number): Promise<string | undefined> => {
    const schedule = new FleetSchedule(seed, isReplay);
    const violation = await schedule.run(STEPS);
    if (isReplay) process.stdout.write(`${schedule.told.join('\n')}\n`);
    return violation;
  };
  return search.violations(count, run, enough);
}

describe('a fleet under any order of events', () => {
  it(
    'never serves what was invalidated beyond its bounds, and stores nothing older',
    async () => {
      expect(await violationsOf(shareOf(SCHEDULES))).toEqual([]);
    },
    MANY_MINUTES,
  );
});

/** Each rule switched off in turn: the schedules above must notice. */
(search.only === undefined ? describe : describe.skip)(
  'the schedules of a fleet themselves',
  () => {
    afterEach(() => {
      jest.restoreAllMocks();
    });

    it.each(RULES_OF_FLEET.slice(0, shareOf(RULES_OF_FLEET.length)))(
      'notice that the rule "%s" is switched off',
      async (_, switchOff) => {
        switchOff();

        expect(await violationsOf(SCHEDULES, 1)).not.toEqual([]);
      },
      MANY_MINUTES,
    );
  },
);
