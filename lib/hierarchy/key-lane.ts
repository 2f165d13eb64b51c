import type { AsyncResource } from 'node:async_hooks';
import type { Ack, DeleteMode, LevelEntry, WriteOutcome } from '../levels/cache-level.js';

/** What became of a write on its way to a level. */
export type Written = WriteOutcome | 'failed' | 'unwanted';

/** How an entry is written. */
export interface WriteTerms {
  /** Whether it may still be stored; asked when its turn comes. */
  wanted(): boolean;
  /** Whether nothing older may be left where this is not stored: it comes from a set or an update. */
  readonly replaces: boolean;
  /** The token of the lease that it was loaded with. */
  readonly token?: string | undefined;
}

/** What a change of either kind has. */
interface Turn {
  /** The asynchronous context of the caller of one that had to wait. */
  context?: AsyncResource | undefined;
}

export interface Write extends WriteTerms, Turn {
  readonly kind: 'write';
  readonly entry: LevelEntry;
  readonly done: (written: Written) => void;
  /** Whether it may happen although its caller was told that it failed. */
  isGivenUp?: boolean;
}

export interface Deletion extends Turn {
  readonly kind: 'delete';
  mode: DeleteMode;
  /** One for each caller whose delete it does. */
  readonly done: ((ack: Ack | undefined, cause?: unknown) => void)[];
}

/** The changes of one key on their way to a level. */
export interface Lane {
  waiting: (Write | Deletion)[];
  running: Write | Deletion | undefined;
  /** The delete that the level has not carried out and must. */
  owed: DeleteMode | undefined;
  /** The writes that took too long, and may happen at any time until `doubtUntil`. */
  readonly doubts: Set<Promise<boolean>>;
  doubtUntil: number;
}

export function mayStillStore({ running, doubts }: Lane): boolean {
  return running?.kind === 'write' || doubts.size > 0;
}

export function newLane(): Lane {
  return {
    waiting: [],
    running: undefined,
    owed: undefined,
    doubts: new Set(),
    doubtUntil: -Infinity,
  };
}

/** Takes the writes out that a delete makes pointless, and lets it go with those that wait already. */
export function overtake(lane: Lane, deletion: Deletion): void {
  const waiting: Lane['waiting'] = [];
  for (const change of [...lane.waiting, deletion]) {
    const last = waiting.at(-1);
    if (change.kind === 'write' && !change.wanted()) {
      change.done('unwanted');
    } else if (change.kind === 'delete' && last?.kind === 'delete') {
      last.mode = bothOf(last.mode, change.mode);
      last.done.push(...change.done);
    } else {
      waiting.push(change);
    }
  }
  lane.waiting = waiting;
}

/** What does the work of two deletes: one that keeps a stale entry only where both do. */
export function bothOf(one: DeleteMode | undefined, other: DeleteMode): DeleteMode {
  if (one === undefined) return other;
  const holds = [one.hold, other.hold].filter((hold) => hold !== undefined);
  return {
    expire: one.expire === true && other.expire === true,
    hold: holds.length === 0 ? undefined : Math.max(...holds),
  };
}

/** Takes a write out that has not set out; a delete does what is left of its work. */
export function takeOut(lane: Lane, write: Write): void {
  const at = lane.waiting.indexOf(write);
  if (at < 0) return;
  lane.waiting.splice(at, 1);
  if (!write.replaces) return;
  const beside = [lane.waiting[at - 1], lane.waiting[at]].find((one) => one?.kind === 'delete');
  if (beside?.kind === 'delete') beside.mode = bothOf(beside.mode, {});
  else lane.waiting.splice(at, 0, { kind: 'delete', mode: {}, done: [], context: write.context });
}
