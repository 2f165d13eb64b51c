import { afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { StorePlan } from '../../lib/hierarchy/call-options.js';
import { EntryMaker } from '../../lib/hierarchy/entry-maker.js';
import { HierarchyCore } from '../../lib/hierarchy/hierarchy-core.js';
import { Invalidations } from '../../lib/hierarchy/invalidations.js';
import { HoldTable } from '../../lib/hierarchy/hold-table.js';
import { LevelWalk } from '../../lib/hierarchy/level-walk.js';
import { LowerLevels } from '../../lib/hierarchy/lower-levels.js';
import type { LoadCall } from '../../lib/hierarchy/load-call.js';
import { LoaderCalls } from '../../lib/hierarchy/loader-calls.js';
import { NOTHING_SKIPPED } from '../../lib/hierarchy/skipped-levels.js';
import { StaleAnswers } from '../../lib/hierarchy/stale-answers.js';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import type { LevelEntry } from '../../lib/levels/cache-level.js';
import { GuardedLevel } from '../../lib/levels/guarded-level.js';
import { KeyCoordinator } from '../../lib/memory/key-coordinator.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import type { LoadRequest } from '../../lib/memory/load-request.js';
import { Load } from '../../lib/memory/load.js';
import { ShardLockManager } from '../../lib/memory/shard-lock-manager.js';
import { TicketTable, type Ticket } from '../../lib/memory/tickets.js';
import type { Said } from './naive-entries.js';
import { SLOT } from './policy-program.js';
import { agrees, SHAPES } from './policy-shapes.js';

type Method = (...args: never[]) => unknown;

/** Has `run` called in place of a method, with what calls the method itself and its arguments. */
function replace<A extends unknown[]>(
  { prototype }: { readonly prototype: object },
  name: string,
  run: (original: (...args: unknown[]) => unknown, ...args: A) => unknown,
): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[name] as (...args: unknown[]) => unknown;
  jest.spyOn(methods, name).mockImplementation(function (this: unknown, ...args: never[]) {
    const call = (...changed: unknown[]): unknown => original.apply(this, changed);
    return run.call(this, call, ...(args as unknown as A));
  });
}

/** Has a method do nothing and return this. */
function silence(owner: { readonly prototype: object }, name: string, result?: unknown): void {
  replace(owner, name, () => result);
}

/** Has every load that a caller starts forget something. */
function forget(what: Partial<LoadRequest<unknown>>): void {
  replace(LoadTable, 'run', (run, request: LoadRequest<unknown>) => run({ ...request, ...what }));
}

/** Has every entry made as if its call, or its loader, had said this. */
function planAs(change: (plan: StorePlan) => Partial<StorePlan>): void {
  replace(EntryMaker, 'fresh', (fresh, value: unknown, ticket: Ticket, plan: StorePlan) =>
    fresh(value, ticket, { ...plan, ...change(plan) }),
  );
}

/** What is broken, how, and what the caches say with which it is found sooner. */
type Fault = [what: string, breakIt: () => void, fixed?: Said];

const THROTTLED: Said = { grace: 200 * SLOT, throttle: 25 * SLOT, jitter: 0, hard: 4 * SLOT + 16 };

const ANYWHERE: Fault[] = [
  ['expire does nothing', () => silence(Invalidations, 'expire', { existed: true })],
  ['what is expired is not kept', () => silence(StaleAnswers, 'keep')],
  ['stale values are never returned', () => silence(StaleAnswers, 'forCallers')],
  [
    'a forced load falls back on what is fresh',
    () =>
      replace(StaleAnswers, 'forCallers', (run, key: string, callers: number) =>
        run(key, callers, false),
      ),
  ],
  [
    'staleOn is not asked',
    () =>
      replace(StaleAnswers, 'forFailure', (run, key, _, ...rest: unknown[]) =>
        run(key, () => true, ...rest),
      ),
  ],
  ['a failure is not remembered', () => silence(StaleAnswers, 'noteFailure'), THROTTLED],
  [
    'a load that was given up is not remembered',
    () => forget({ noteTimeout: undefined }),
    THROTTLED,
  ],
  ['throttle does not hold loads back', () => silence(StaleAnswers, 'whileThrottled'), THROTTLED],
  ['softTimeout does nothing', () => forget({ softTimeoutMs: undefined })],
  ['hardTimeout does nothing', () => forget({ hardTimeoutMs: undefined })],
  ['waitTimeout does nothing', () => forget({ waitTimeoutMs: undefined })],
  ['a signal does nothing', () => forget({ signal: undefined })],
  ['a forced load joins any', () => forget({ forced: false })],
  ['who skips levels joins who does not', () => forget({ variant: undefined })],
  [
    'what comes after hardTimeout is thrown away',
    () =>
      replace(Load, 'abort', function (this: Load, abort, reason: unknown) {
        this.ticket.withdrawn = true;
        return abort(reason);
      }),
  ],
  ['no loader hears that nobody waits', () => silence(Load, 'abort')],
  ['hits are never refreshed', () => silence(HierarchyCore, 'refreshIfDue')],
  ['forced reads are not counted', () => silence(HierarchyCore, 'noteMiss')],
  [
    'jitter does nothing',
    () => planAs(({ policy }) => ({ policy: { ...policy, jitter: 0 } })),
    { jitter: 0.25 },
  ],
  [
    'negativeTtl does nothing',
    () => planAs(({ policy }) => ({ policy: { ...policy, negativeTtlMs: undefined } })),
  ],
  ['negativeTtl beats the ttl of a set', () => planAs(() => ({ ttlIsOwn: false }))],
  ['expiresAt does nothing', () => planAs(() => ({ expiresAt: undefined }))],
  ['skip() does nothing', () => planAs(() => ({ skipped: false }))],
  [
    'jitter moves expiresAt',
    () =>
      planAs(({ expiresAt, policy }) => ({
        expiresAt: expiresAt === undefined ? undefined : expiresAt * (1 + policy.jitter / 1e9),
      })),
  ],
  [
    'what a loader says is not heard',
    () =>
      replace(LoaderCalls, 'run', (run, call: LoadCall<unknown>, load: unknown) =>
        run({ ...call, plan: { ...call.plan } }, load),
      ),
  ],
  [
    'tags of a loader are not kept',
    () =>
      replace(EntryMaker, 'fresh', (fresh, value: unknown, ticket: Ticket, plan: StorePlan) =>
        fresh(value, { ...ticket, tags: plan.tags }, plan),
      ),
  ],
  ['a key is not held', () => silence(HoldTable, 'holdKey')],
  ['a tag is not held', () => silence(HoldTable, 'holdTag')],
  ['tags and namespaces are not invalidated', () => silence(StampTable, 'stamp')],
  ['a clear does not end what is under way', () => silence(TicketTable, 'fenceAll')],
  ['a delete does not end what is under way', () => silence(TicketTable, 'fence')],
  ['a value does not end the loads before it', () => silence(TicketTable, 'fenceLoads')],
  ['what a write does not store ends no load', () => silence(TicketTable, 'fenceOlder')],
  ['any load answers who comes later', () => silence(TicketTable, 'isJoinable', true)],
  ['anything is stored', () => silence(TicketTable, 'isValid', true)],
  [
    'skip.read does nothing',
    () => replace(LevelWalk, 'readNow', (run, key: string) => run(key, NOTHING_SKIPPED)),
  ],
  [
    'skip.write does nothing',
    () =>
      replace(LevelWalk, 'writeNow', (run, key, entry, _: unknown, depth) =>
        run(key, entry, undefined, depth),
      ),
  ],
  [
    'sets and updates of a key do not take turns',
    () => {
      silence(ShardLockManager, 'isFree', true);
      silence(ShardLockManager, 'tryAcquireKey', () => {});
    },
  ],
  [
    'an update that returns undefined deletes nothing',
    () =>
      replace(KeyCoordinator, 'update', (run, key, tags, change: () => Promise<unknown>, how) =>
        run(key, tags, async () => (await change()) ?? 'something', how),
      ),
  ],
  [
    'the clear of a namespace clears everything',
    () => replace(Invalidations, 'clear', (run) => run('')),
  ],
];

const SHARED: Fault[] = [
  ['what it has is not found', () => silence(LowerLevels, 'find', Promise.resolve(undefined))],
  [
    'a delete does not reach it',
    () => silence(LowerLevels, 'delete', Promise.resolve({ applied: true, failed: [] })),
  ],
  ['a clear does not reach it', () => silence(LowerLevels, 'clear', Promise.resolve())],
  ['no tag reaches it', () => silence(LowerLevels, 'invalidateTags', Promise.resolve())],
  ['no value reaches it', () => silence(LowerLevels, 'write', Promise.resolve(true))],
  [
    'copies of it live longer',
    () =>
      replace(EntryMaker, 'promoted', (run, entry: LevelEntry, ...rest: unknown[]) =>
        run(
          { ...entry, freshUntil: entry.freshUntil + 1_000, staleUntil: entry.staleUntil + 1_000 },
          ...rest,
        ),
      ),
  ],
];

describe(`${CacheHierarchy.name}: random programs over the whole policy (test of the test)`, () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function finds(
    shape: keyof typeof SHAPES,
    breakIt: () => void,
    { fixed, numRuns = 300 }: { fixed?: Said | undefined; numRuns?: number } = {},
  ): Promise<boolean> {
    breakIt();
    const how = { numRuns, seed: 1, endOnFailure: true };
    const { failed } = await fc.check(agrees(SHAPES[shape], fixed), how);
    return failed;
  }

  it('find nothing where methods are replaced by themselves', async () => {
    const breakIt = (): void => {
      forget({});
      planAs(() => ({}));
      for (const name of ['find', 'delete', 'clear', 'invalidateTags', 'write'])
        replace(LowerLevels, name, (run, ...args: unknown[]) => run(...args));
    };

    expect(await finds('one level and a shared one', breakIt, { numRuns: 50 })).toBe(false);
  });

  it.each(ANYWHERE.map(([what, breakIt, fixed]) => ({ what, breakIt, fixed })))(
    'find a cache in which $what',
    async ({ breakIt, fixed }) => {
      expect(await finds('two levels', breakIt, { fixed })).toBe(true);
    },
  );

  it.each(SHARED)('find a shared level of which %s', async (_, breakIt) => {
    expect(await finds('one level and a shared one', breakIt)).toBe(true);
  });

  it('find a level of its own that a delete does not reach', async () => {
    const breakIt = (): void => silence(GuardedLevel, 'deleteNow', true);

    expect(await finds('a second level of its own', breakIt)).toBe(true);
  });

  it('find a cache that is switched off and stores', async () => {
    const breakIt = (): void =>
      void jest.spyOn(HierarchyCore.prototype, 'off', 'get').mockReturnValue(false);

    expect(await finds('nothing switched on', breakIt)).toBe(true);
  });
});
