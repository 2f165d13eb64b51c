import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { HierarchyCore } from '../../lib/hierarchy/hierarchy-core.js';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import { TicketTable } from '../../lib/memory/tickets.js';
import { FenceSchedule } from './fence-schedule.js';

/**
 * Runs many schedules of loads, sets, updates and invalidations whose promises are settled in an
 * order drawn from a seed. To replay one, run it alone: FENCE_SEED=<seed> npm test -- interleaving.
 */
const SCHEDULES = 10_000;
const STEPS = 40;
const onlySeed = process.env['FENCE_SEED'];

async function runSchedules(count: number): Promise<string[]> {
  const violations: string[] = [];
  const seeds =
    onlySeed === undefined
      ? Array.from({ length: count }, (_, index) => index + 1)
      : [Number(onlySeed)];
  for (const seed of seeds) {
    const violation = await new FenceSchedule(seed).run(STEPS);
    if (violation !== undefined) violations.push(`FENCE_SEED=${seed}: ${violation}`);
  }
  return violations;
}

describe('the fence under any order of events', () => {
  it('lets no read see what was invalidated before it began', async () => {
    expect(await runSchedules(SCHEDULES)).toEqual([]);
  });
});

/** Each rule switched off in turn: the schedules above must notice. */
describe('the schedules themselves', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const rules: [string, () => unknown][] = [
    [
      'delete fences tickets',
      () => jest.spyOn(TicketTable.prototype, 'fence').mockImplementation(() => {}),
    ],
    [
      'expire ends freshness',
      () =>
        jest
          .spyOn(HierarchyCore.prototype, 'expire')
          .mockReturnValue({ existed: false, below: undefined }),
    ],
    [
      'set and later loads fence loads',
      () => jest.spyOn(TicketTable.prototype, 'fenceLoads').mockImplementation(() => {}),
    ],
    [
      'clear fences everything',
      () => jest.spyOn(TicketTable.prototype, 'fenceAll').mockImplementation(() => {}),
    ],
    [
      'tags and namespaces are stamped',
      () => jest.spyOn(StampTable.prototype, 'admits').mockImplementation(() => true),
    ],
    [
      'who asked after a late tag was invalidated waits on',
      () => jest.spyOn(TicketTable.prototype, 'order', 'get').mockReturnValue(0),
    ],
    [
      'a ticket is checked before its value is stored',
      () => jest.spyOn(TicketTable.prototype, 'isValid').mockImplementation(() => true),
    ],
  ];

  it.each(rules)('notice that the rule "%s" is switched off', async (_, switchOff) => {
    switchOff();

    expect(await runSchedules(300)).not.toEqual([]);
  });
});
