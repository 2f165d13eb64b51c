import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { KeyLanes } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import { LoadSlots } from '../../lib/hierarchy/load-slots.js';
import { GuardedLevel } from '../../lib/levels/guarded-level.js';
import { TicketTable } from '../../lib/memory/tickets.js';
import { HeldLevel } from '../support/held-level.js';
import { randomFrom } from '../support/random.js';
import { shareOf } from '../support/search-share.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { ChaosProgram, type ChaosLevels } from './chaos-program.js';

/** To replay a failure run it alone: CHAOS_SEED=<seed> npm test -- chaos. */
const SEED = Number(process.env['CHAOS_SEED'] ?? 20_262);
const OPERATIONS = 100_000;
const EVERY_LEVELS: readonly ChaosLevels[] = [
  'L1 in memory, L2 in this process',
  'L1 and L2 in memory, remote',
  'L1 in memory, L2 outside, remote',
];
/** The heap is measured before, between and after so many parts of the second half of a program. */
const PARTS = 6;
/** A promise takes more: so does whatever can be kept of an operation. */
const MAX_LEAK_BYTES = 16;
const MINUTES = 300_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapUsed(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

// oxlint-disable-next-line typescript/unbound-method -- it has no this
const mathRandom = Math.random;

/** Lifetimes and refreshes differ by chance: by the seed's here. Not a spy, which keeps every call. */
function seedMathRandom(): void {
  const random = randomFrom(SEED);
  Math.random = () => random.below(2 ** 31) / 2 ** 31;
}

/** Runs a program; returns what was wrong. Jest itself fails a test that leaves a rejection unhandled. */
async function runChaos(
  which: ChaosLevels,
  operations: number,
): Promise<{ problems: string[]; seen: Readonly<Record<string, number>> }> {
  const program = new ChaosProgram(SEED, which);
  const heap: number[] = [];
  const part = Math.ceil(operations / 2 / PARTS);
  await program.run(operations / 2);
  await program.rest();
  while (heap.push(heapUsed()) <= PARTS && program.violations.length === 0) {
    await program.run(part);
    await program.rest();
  }
  await program.close();
  await settle();

  const problems = [...program.violations];
  const leak = leakOf(heap) / part;
  if (leak > MAX_LEAK_BYTES) problems.push(`each operation leaks ${Math.round(leak)} bytes`);
  return { problems: problems.map((what) => `CHAOS_SEED=${SEED}: ${what}`), seen: program.seen };
}

/** By how much the heap grows in each part, by the lowest of the first and of the last measurements. */
function leakOf(heap: readonly number[]): number {
  if (heap.length <= PARTS) return 0;
  const some = Math.floor(heap.length / 2);
  return (Math.min(...heap.slice(-some)) - Math.min(...heap.slice(0, some))) / (heap.length - some);
}

describe('a cache whose levels throw, hang, answer late or with nonsense', () => {
  beforeEach(seedMathRandom);
  afterEach(() => {
    Math.random = mathRandom;
  });

  it.each(EVERY_LEVELS.slice(0, shareOf(EVERY_LEVELS.length)))(
    'fails no read whose loader succeeds, and leaves nothing behind: %s',
    async (which) => {
      const { problems, seen } = await runChaos(which, OPERATIONS);

      expect(problems).toEqual([]);
      for (const what of ['getOrSet', 'getOrSetMany', 'getMany', 'update', 'get', 'peek'])
        expect([what, seen[`a value: ${what}`]! > 500]).toEqual([what, true]);
    },
    MINUTES,
  );
});

describe('a level that never answers', () => {
  it('has a bounded number of changes remembered for it, and is right when it is back', async () => {
    const clock = new VirtualClock();
    let isDead = false;
    const remote = new HeldLevel('remote', clock, (_, apply) =>
      isDead ? new Promise(() => {}) : Promise.resolve(apply()),
    );
    const maxStamps = 20;
    const cache = new CacheHierarchy({ clock, remote, l2: false, maxStamps, report: () => {} });
    const keys = Array.from({ length: 100 }, (_, at) => `key ${at}`);
    await cache.setMany(keys.map((key) => [key, 'old']));
    await cache.l1.clear();
    isDead = true;
    const most: number[] = [];

    for (let round = 0; round < 50; round++) {
      for (const key of keys) void cache.delete(key);
      void cache.invalidateTags(`tag ${round}`);
      void cache.setMany(keys.map((key) => [`${key} of ${round}`, round]));
      await clock.advance(3_000);
      const { inFlight, unconfirmed } = cache.getMetrics().lower.remote!;
      most.push(inFlight + unconfirmed);
    }

    expect(Math.max(...most)).toBeLessThanOrEqual(2 * maxStamps);
    expect(cache.getMetrics().inFlight).toBe(0);
    isDead = false;
    await clock.advance(700_000);
    expect(cache.getMetrics().lower.remote).toMatchObject({
      inFlight: 0,
      unconfirmed: 0,
      down: false,
    });
    expect(await cache.getMany(keys)).toEqual(new Map());
    await cache.close();
    expect(clock.pending).toBe(0);
  });
});

/** Each rule switched off in turn: the programs above must notice. */
describe('the programs themselves', () => {
  beforeEach(seedMathRandom);
  afterEach(() => {
    jest.restoreAllMocks();
    Math.random = mathRandom;
  });

  const REMOTE = 'L1 and L2 in memory, remote';
  const kept: unknown[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- called with the object that it belongs to
  const { read, write } = LevelCalls.prototype;
  // oxlint-disable-next-line typescript/unbound-method -- the same
  const { delete: remove } = KeyLanes.prototype;
  const rules: [string, ChaosLevels, RegExp, () => unknown][] = [
    [
      'a level that fails does not fail the read',
      REMOTE,
      /: Error: the level is away/,
      () =>
        jest
          .spyOn(LevelCalls.prototype, 'read')
          .mockImplementation(() => Promise.reject(new Error('the level is away'))),
    ],
    [
      'a level that hangs is not waited for',
      REMOTE,
      /took \d+ ms|callers wait/,
      () =>
        jest.spyOn(LevelCalls.prototype, 'read').mockImplementation(async function (
          this: LevelCalls,
          key,
        ) {
          const reply = await read.call(this, key);
          return reply.state === 'late' ? new Promise(() => {}) : reply;
        }),
    ],
    [
      'nobody sees what a level made up',
      'L1 in memory, L2 in this process',
      /"nonsense"/,
      () =>
        jest.spyOn(GuardedLevel.prototype, 'readNow').mockReturnValue({
          value: 'nonsense',
          bornAt: 0,
          freshUntil: Infinity,
          staleUntil: Infinity,
        }),
    ],
    [
      'what failed is tried again',
      REMOTE,
      /changes are not confirmed/,
      () => jest.spyOn(KeyLanes.prototype, 'retry').mockReturnValue(false),
    ],
    [
      'what is not confirmed is not read',
      REMOTE,
      /gave the value of \d+, ended by/,
      () => jest.spyOn(KeyLanes.prototype, 'isReadable').mockReturnValue(true),
    ],
    [
      'a delete that failed is not waited for any longer',
      REMOTE,
      /(delete|expire)(Many)? took \d+ ms/,
      () =>
        jest.spyOn(KeyLanes.prototype, 'delete').mockImplementation(async function (
          this: KeyLanes,
          key,
          mode,
        ) {
          return (await remove.call(this, key, mode)) ?? remove.call(this, key, mode);
        }),
    ],
    [
      'every ticket is closed',
      REMOTE,
      /operations are in flight/,
      () => jest.spyOn(TicketTable.prototype, 'close').mockImplementation(() => {}),
    ],
    [
      'no loader waits for ever',
      REMOTE,
      /callers wait|took \d+ ms/,
      () => jest.spyOn(LoadSlots.prototype, 'take').mockReturnValue(new Promise(() => {})),
    ],
    [
      'nothing is kept of an operation',
      REMOTE,
      /each operation leaks/,
      () => {
        kept.length = 0;
        return jest.spyOn(LevelCalls.prototype, 'write').mockImplementation(function (
          this: LevelCalls,
          key,
          entry,
        ) {
          kept.push({ key });
          return write.call(this, key, entry);
        });
      },
    ],
  ];

  it.each(rules)(
    'notice that the rule "%s" is switched off',
    async (_, which, expected, switchOff) => {
      switchOff();

      const { problems } = await runChaos(which, 6_000);

      expect(problems.join('\n')).toMatch(expected);
      expect(problems.join('\n')).toContain(`CHAOS_SEED=${SEED}`);
      kept.length = 0;
    },
    MINUTES,
  );
});
