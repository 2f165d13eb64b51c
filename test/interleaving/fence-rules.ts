import { jest } from '@jest/globals';
import { EntryMaker } from '../../lib/hierarchy/entry-maker.js';
import { Invalidations } from '../../lib/hierarchy/invalidations.js';
import { HoldTable } from '../../lib/hierarchy/hold-table.js';
import { KeyLanes } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import { LevelWalk } from '../../lib/hierarchy/level-walk.js';
import { LowerLevels } from '../../lib/hierarchy/lower-levels.js';
import { LowerLevel } from '../../lib/hierarchy/lower-level.js';
import { StampTable } from '../../lib/hierarchy/stamp-table.js';
import { MemoryLevel } from '../../lib/levels/memory-level.js';
import { KeyCoordinator } from '../../lib/memory/key-coordinator.js';
import type { LoadRequest } from '../../lib/memory/load-request.js';
import { LoadTable } from '../../lib/memory/load-table.js';
import { ShardLockManager } from '../../lib/memory/shard-lock-manager.js';
import { TicketTable } from '../../lib/memory/tickets.js';
import { FaultyLevel } from '../support/held-level.js';

/** A rule of the cache, and how the code that keeps it is made not to. */
export type Rule = readonly [rule: string, switchOff: () => void];

type Method = (...args: never[]) => unknown;

/** Puts a method in the place of one of a class, until mocks are restored. */
export function change<T, K extends keyof T & string>(
  { prototype }: { readonly prototype: T },
  name: K,
  make: (old: T[K], self: T) => T[K],
): void {
  const old = prototype[name] as Method;
  const methods = prototype as Record<string, Method>;
  jest.spyOn(methods, name).mockImplementation(function (this: T, ...args: never[]) {
    const bound: Method = (...given) => old.apply(this, given);
    return (make(bound as T[K], this) as Method)(...args);
  });
}

/** Returns what tells whether a method of a class runs. */
function during<T, K extends keyof T & string>(
  type: { readonly prototype: T },
  name: K,
): () => boolean {
  let depth = 0;
  change(type, name, (old) => {
    const counted: Method = (...args) => {
      depth += 1;
      try {
        return (old as Method)(...args);
      } finally {
        depth -= 1;
      }
    };
    return counted as T[K];
  });
  return () => depth > 0;
}

/** Has some calls load on their own, whatever is under way. */
function loadAlone(isConcerned: (request: LoadRequest<unknown>) => boolean): void {
  change(LoadTable, 'run', (run, table) => (request) => {
    return isConcerned(request) ? table.runAlone(request) : run(request);
  });
}

/** Rules that the levels in memory suffice for. */
export const RULES: readonly Rule[] = [
  ['one load for each key at a time', () => loadAlone(() => true)],
  ['one load for those who force one', () => loadAlone(({ forced }) => forced === true)],
  [
    'one load for those who skip the same levels',
    () => loadAlone(({ variant }) => variant !== undefined),
  ],
  [
    'one load also where it has bounds',
    () => loadAlone(({ softTimeoutMs, hardTimeoutMs }) => isBound(softTimeoutMs, hardTimeoutMs)),
  ],
  [
    'no refresh beside a load under way',
    () => change(KeyCoordinator, 'isLoading', () => () => false),
  ],
  [
    'sets and updates of a key take turns',
    () => {
      change(ShardLockManager, 'isFree', () => () => true);
      change(ShardLockManager, 'tryAcquireKey', () => () => () => {});
    },
  ],
  [
    'an update that ends unstored acts as a delete',
    () => change(TicketTable, 'fenceOlder', () => () => {}),
  ],
  ['delete fences tickets', () => change(TicketTable, 'fence', () => () => {})],
  [
    'expire fences tickets',
    () => {
      const isExpiring = during(Invalidations, 'expire');
      change(KeyCoordinator, 'fence', (fence) => (key) => {
        if (!isExpiring()) fence(key);
      });
    },
  ],
  [
    'expire removes what is fresh from every level',
    () =>
      change(LevelWalk, 'remove', (remove) => (key, mode) => {
        return mode?.expire === true ? { existed: false, lower: undefined } : remove(key, mode);
      }),
  ],
  [
    'what expire keeps is only a stale answer',
    () =>
      change(MemoryLevel, 'writeNow', (writeNow) => (key, entry) => {
        const isKept = entry.freshUntil === -Infinity;
        return writeNow(key, isKept ? { ...entry, freshUntil: entry.staleUntil } : entry);
      }),
  ],
  ['set and later loads fence loads', () => change(TicketTable, 'fenceLoads', () => () => {})],
  ['clear fences everything', () => change(TicketTable, 'fenceAll', () => () => {})],
  ['tags and namespaces are stamped', () => change(StampTable, 'admits', () => () => true)],
  [
    'who asked after a late tag was invalidated waits on',
    () => jest.spyOn(TicketTable.prototype, 'order', 'get').mockReturnValue(0),
  ],
  [
    'nobody joins a load that was ended before the call',
    () => change(TicketTable, 'isJoinable', () => () => true),
  ],
  [
    'a ticket is checked before its value is stored',
    () => change(TicketTable, 'isValid', () => () => true),
  ],
  [
    'what a loader skips is not stored',
    () =>
      change(EntryMaker, 'fresh', (fresh) => (value, ticket, plan) => {
        plan.skipped = false;
        return fresh(value, ticket, plan);
      }),
  ],
];

/** Rules about a level in this process that may fail. */
export const RULES_OF_GUARDED: readonly Rule[] = [
  [
    'what could not be deleted is not read',
    () =>
      change(FaultyLevel, 'delete', (remove) => (keys) => {
        try {
          return remove(keys);
        } catch {
          return 'applied';
        }
      }),
  ],
  [
    'what could not be cleared is not read',
    () =>
      change(FaultyLevel, 'clear', (clear) => (namespace) => {
        try {
          return clear(namespace);
        } catch {
          return 'applied';
        }
      }),
  ],
  [
    'what could not be stored leaves nothing older',
    () =>
      change(FaultyLevel, 'write', (write) => (entries) => {
        try {
          write(entries);
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- whatever happens it says that all went well
          return new Map([...entries.keys()].map((key) => [key, 'stored']));
        }
      }),
  ],
  [
    'stamps tell what is invalidated of what the level has',
    () =>
      change(FaultyLevel, 'readNow', (readNow) => (key) => {
        const entry = readNow(key);
        return entry && { ...entry, order: undefined };
      }),
  ],
];

const ASKED = Symbol('asked');

/** Rules about levels outside this process. */
export const RULES_OF_LOWER: readonly Rule[] = [
  [
    'a level is not read for a key with a delete on its way, or owed',
    () => change(KeyLanes, 'isReadable', () => () => true),
  ],
  [
    'a clear or a tag goes after the writes under way',
    () => change(KeyLanes, 'chase', () => () => {}),
  ],
  ['what is owed is tried again', () => change(KeyLanes, 'retry', () => () => false)],
  [
    'a set that failed is owed',
    () =>
      change(KeyLanes, 'write', (write) => (key, entry, terms) => {
        return write(key, entry, { wanted: () => terms.wanted(), replaces: false });
      }),
  ],
  [
    'a write that was overtaken does not set out',
    () =>
      change(KeyLanes, 'write', (write) => (key, entry, { replaces }) => {
        return write(key, entry, { replaces, wanted: () => true });
      }),
  ],
  [
    'what follows a write waits for it',
    () =>
      change(LevelCalls, 'write', (write) => async (key, entry) => {
        void write(key, entry);
        return { state: 'answered', answer: 'stored' };
      }),
  ],
  [
    'a write that took too long may still happen',
    () =>
      change(LevelCalls, 'write', (write) => async (key, entry) => {
        const reply = await write(key, entry);
        return reply.state === 'late' ? { state: 'failed' } : reply;
      }),
  ],
  [
    'a delete follows a write that came late',
    () =>
      change(KeyLanes, 'delete', (remove) => (key, mode) => {
        const isForLate = mode.expire === false && Object.keys(mode).length === 1;
        return isForLate ? Promise.resolve('applied') : remove(key, mode);
      }),
  ],
  [
    'expire is a delete where a write is under way',
    () => {
      change(KeyLanes, 'delete', (remove) => (key, mode) => {
        return remove(
          key,
          mode.expire === true ? Object.assign({}, mode, { [ASKED]: true }) : mode,
        );
      });
      change(LevelCalls, 'delete', (remove) => (key, mode) => {
        return remove(key, ASKED in mode ? { ...mode, expire: true } : mode);
      });
    },
  ],
  [
    'a level is cleared when single changes are forgotten',
    () => {
      const isAsked = during(LowerLevels, 'clear');
      change(LowerLevel, 'clear', (clear) => (prefix) => {
        return isAsked() ? clear(prefix) : Promise.resolve('applied');
      });
    },
  ],
  [
    'an answer with a tag whose invalidation is not confirmed is not used',
    () => jest.spyOn(LowerLevel.prototype, 'openTags', 'get').mockReturnValue([]),
  ],
  [
    'what a level calls fenced is not stored above it',
    () =>
      change(LowerLevels, 'write', (write) => async (...what) => {
        await write(...what);
        return true;
      }),
  ],
  [
    'a load fences those before it already when it is sent to a level',
    () => {
      const sent = new WeakMap<object, Set<number>>();
      change(TicketTable, 'fenceLoads', (fence, table) => (key, serial) => {
        const serials = sent.get(table) ?? new Set();
        sent.set(table, serials);
        if (serial === undefined || serials.has(serial)) fence(key, serial);
        else serials.add(serial);
      });
    },
  ],
  [
    'no load is stored while a written value is on its way',
    () => change(TicketTable, 'beginWriting', () => () => () => {}),
  ],
  [
    'a stored value ends every promotion under way',
    () =>
      change(TicketTable, 'open', (open) => (key, kind, tags) => {
        return open(key, kind === 'promotion' ? 'write' : kind, tags);
      }),
  ],
  [
    'what is loaded during a hold is not stored',
    () => change(HoldTable, 'heldUntil', () => () => -Infinity),
  ],
  [
    'what is found in a lower level during a hold is not copied',
    () => {
      let isPromotion = false;
      change(TicketTable, 'isValid', (isValid) => (ticket) => {
        isPromotion = ticket.kind === 'promotion';
        const answer = isValid(ticket);
        isPromotion = false;
        return answer;
      });
      change(HoldTable, 'heldUntil', (heldUntil) => (ticket) => {
        return isPromotion ? -Infinity : heldUntil(ticket);
      });
    },
  ],
  [
    'what was found in a lower level is checked before it is used',
    () => change(KeyCoordinator, 'stands', () => () => true),
  ],
];

function isBound(...timeouts: (number | undefined)[]): boolean {
  return timeouts.some((ms = Infinity) => ms < Infinity);
}
