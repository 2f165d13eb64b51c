import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Invalidations } from '../../lib/hierarchy/invalidations.js';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import { HoldTable } from '../../lib/hierarchy/hold-table.js';
import { KeyLanes } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import { LowerLevel } from '../../lib/hierarchy/lower-level.js';
import { KeyCoordinator } from '../../lib/memory/key-coordinator.js';
import { randomNumbers } from '../../lib/testing/random-numbers.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import { TicketTable } from '../../lib/memory/tickets.js';
import { shareOf } from '../support/search-share.js';
import { FenceSchedule, type Levels } from './fence-schedule.js';

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

  // oxlint-disable-next-line typescript/unbound-method -- it is called with the table
  const { runAlone } = LoadTable.prototype;
  const rules: [string, () => unknown][] = [
    [
      'one load for each key at a time',
      () =>
        jest.spyOn(LoadTable.prototype, 'run').mockImplementation(function (
          this: LoadTable,
          request,
        ) {
          return runAlone.call(this, request);
        }),
    ],
    [
      'an update that ends unstored acts as a delete',
      () => jest.spyOn(TicketTable.prototype, 'fenceOlder').mockImplementation(() => {}),
    ],
    [
      'delete fences tickets',
      () => jest.spyOn(TicketTable.prototype, 'fence').mockImplementation(() => {}),
    ],
    [
      'expire ends freshness',
      () =>
        jest
          .spyOn(Invalidations.prototype, 'expire')
          .mockReturnValue({ existed: false, lower: undefined }),
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

  it.each(rules)(
    'notice that the rule "%s" is switched off',
    async (_, switchOff) => {
      switchOff();

      expect(await runSchedules('L1 and L2 in memory', 1_000, 1)).not.toEqual([]);
    },
    MANY_SECONDS,
  );

  const { prototype: lanes } = KeyLanes;
  const { prototype: calls } = LevelCalls;
  // oxlint-disable typescript/unbound-method -- each is called with the object that it belongs to
  const { write } = lanes;
  const { write: call } = calls;
  const { open } = TicketTable.prototype;
  // oxlint-enable typescript/unbound-method
  const rulesBelow: [string, () => unknown][] = [
    [
      'a level is not read for a key with a delete on its way, or owed',
      () => jest.spyOn(lanes, 'isReadable').mockReturnValue(true),
    ],
    [
      'a clear or a tag goes after the writes under way',
      () => jest.spyOn(lanes, 'chase').mockImplementation(() => {}),
    ],
    ['what is owed is tried again', () => jest.spyOn(lanes, 'retry').mockReturnValue(false)],
    [
      'a write that was overtaken does not set out',
      () =>
        jest.spyOn(lanes, 'write').mockImplementation(function (this: KeyLanes, key, entry, order) {
          return write.call(this, key, entry, { ...order, wanted: () => true });
        }),
    ],
    [
      'what follows a write waits for it',
      () =>
        jest.spyOn(calls, 'write').mockImplementation(async function (this: LevelCalls, ...what) {
          void call.apply(this, what);
          return { state: 'answered', answer: 'stored' };
        }),
    ],
    [
      'a write that took too long may still happen',
      () =>
        jest.spyOn(calls, 'write').mockImplementation(async function (this: LevelCalls, ...what) {
          const reply = await call.apply(this, what);
          return reply.state === 'late' ? { state: 'failed' } : reply;
        }),
    ],
    [
      'an answer with a tag whose invalidation is not confirmed is not used',
      () => jest.spyOn(LowerLevel.prototype, 'openTags', 'get').mockReturnValue([]),
    ],
    [
      'no load is stored while a written value is on its way',
      () => jest.spyOn(TicketTable.prototype, 'beginWriting').mockReturnValue(() => {}),
    ],
    [
      'a stored value ends every promotion under way',
      () =>
        jest.spyOn(TicketTable.prototype, 'open').mockImplementation(function (
          this: TicketTable,
          key,
          kind,
          tags,
        ) {
          return open.call(this, key, kind === 'promotion' ? 'write' : kind, tags);
        }),
    ],
    [
      'what is loaded during a hold is not stored',
      () => jest.spyOn(HoldTable.prototype, 'heldUntil').mockReturnValue(-Infinity),
    ],
    [
      'what was found below is checked before it is used',
      () => jest.spyOn(KeyCoordinator.prototype, 'isJoinable').mockReturnValue(true),
    ],
  ];

  it.each(rulesBelow)(
    'notice that the rule "%s" is switched off',
    async (_, switchOff) => {
      switchOff();

      expect(await runSchedules('L1 in memory, remote', 8_000, 1)).not.toEqual([]);
    },
    MANY_SECONDS,
  );
});
