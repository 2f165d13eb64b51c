import type { AbsenceReason, MissCause } from '../memory/absence-memory.js';
import type { Report } from '../report.js';
import type { ChangeFeed, ChangeListener } from './change-feed.js';

/** A value, or a promise of it. In-process levels answer synchronously: nothing is awaited on them. */
export type Maybe<T> = T | Promise<T>;

/** Whether an invalidation has been carried out, or was noted to be carried out later. */
export type Ack = 'applied' | 'queued';

/** Whether a level has answered an invalidation: anything else says nothing of what it did. */
export function isAck(given: unknown): given is Ack {
  return given === 'applied' || given === 'queued';
}

/** What became of a write: stored, overtaken by an invalidation, or not taken. */
export type WriteOutcome = 'stored' | 'fenced' | 'refused';

/** The place of a level in a hierarchy, as options and figures call it. */
export type LevelName = 'L1' | 'L2' | 'remote';

export const LEVEL_NAMES: readonly LevelName[] = ['L1', 'L2', 'remote'];

/** An entry on its way between levels. Times are the clock's of this process, in milliseconds. */
export interface LevelEntry {
  readonly value: unknown;
  /** When its load, set or update was called; `-Infinity` where a level does not keep it. */
  readonly bornAt: number;
  /** From then on it is expired. */
  readonly freshUntil: number;
  /** From then on it may not even be served as a stale answer. */
  readonly staleUntil: number;
  /** From then on it is loaded anew behind those who ask. Kept in this process only. */
  readonly refreshAt?: number | undefined;
  /** Until then no load is tried, since one has failed. Kept in this process only. */
  readonly retryAt?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** How long its loader took, in milliseconds, where a level keeps it. */
  readonly loadMs?: number | undefined;
  /**
   * The order of invalidations when its load, set or update was called. Only tagged and namespaced
   * entries carry it; an in-process level returns it as it was given.
   */
  readonly order?: number | undefined;
}

/** Whether an entry is kept beyond its freshness. Copies in the upper levels are not. */
export function hasGrace({ freshUntil, staleUntil }: LevelEntry): boolean {
  return staleUntil > freshUntil;
}

/** Whether what a level gave is an entry that can be worked with: anything else is a miss. */
export function isLevelEntry(given: LevelEntry | undefined): given is LevelEntry {
  if (given?.value === undefined) return false;
  const { freshUntil, staleUntil, tags, loadMs = 0 } = given;
  return (
    typeof freshUntil === 'number' &&
    typeof staleUntil === 'number' &&
    staleUntil >= freshUntil &&
    typeof loadMs === 'number' &&
    loadMs >= 0 &&
    (tags === undefined || isListOfStrings(tags))
  );
}

function isListOfStrings(given: unknown): boolean {
  return Array.isArray(given) && given.every((item) => typeof item === 'string');
}

/** How keys are deleted. */
export interface DeleteMode {
  /** Keep what was stored as a stale entry until its `staleUntil`; without grace it goes. */
  readonly expire?: boolean | undefined;
  /** Refuse for so many milliseconds what was loaded before their end. */
  readonly hold?: number | undefined;
}

/** What a level that is shared by processes says to one that wants to load a key. */
export type Lease =
  /** There is an entry by now. */
  | { readonly state: 'hit'; readonly entry: LevelEntry }
  /** Load it: nobody else of the fleet does until this lease is given back, used or lost. */
  | { readonly state: 'load'; readonly token: string; release(): void }
  /** Somebody else loads it: ask again in a while, at the latest after `waitMs`. */
  | { readonly state: 'wait'; readonly waitMs: number }
  /** What is loaded now is not to be stored: the key is held. */
  | { readonly state: 'held' }
  /** Load it for this process alone: the level can not store it now. */
  | { readonly state: 'none' };

/** What a level has counted itself since the start. */
export interface OwnLevelMetrics {
  /** How often something was found that it could not make an entry of. */
  readonly undecodable: number;
  /** Connections that it gave up, since they did not answer, and made anew. */
  readonly recycled: number;
  /** How often it began anew to listen to what others change, since it heard nothing or too little. */
  readonly resubscriptions: number;
}

/** How a lease is asked for. */
export interface LeaseMode {
  /** The tags that what is loaded will carry, as far as they are known. */
  readonly tags?: readonly string[] | undefined;
  /** Whether to load although there is an entry. */
  readonly force?: boolean | undefined;
}

/**
 * What the hierarchy asks of a level. A level checks no keys and no lifetimes: that was done. One
 * that is reached over a network answers with promises; one in this process answers at once.
 *
 * A level may fail in any way: throw, reject, hang. Then it is a miss, a write that is skipped or an
 * invalidation that is tried again, and until that is done the level is not asked for what it was
 * about. One rule it must keep: a write whose promise has settled, either way, does not happen later.
 *
 * An entry must come back with its times and tags. One whose `staleUntil` has passed is a miss. A level
 * that answers `'queued'` must not show what was to be removed before it has done so.
 */
export interface CacheLevel {
  readonly name: string;
  /** Whether it answers synchronously; `readNow` is required then. */
  readonly inProcess: boolean;
  /**
   * Tells which part of the level has a key, where one part can be away while the others answer, as the nodes
   * of a cluster can. What is asked of different parts goes in different calls, of which each may fail alone.
   * Always the same small number for a key, from 0; something is kept for each. Outside this process only.
   */
  partOf?(key: string): number;
  /** Finds an entry that is live, or that is only a stale answer. */
  readNow?(key: string): LevelEntry | undefined;
  /** Finds the entries among `keys` that are live, or that are only stale answers. */
  read(keys: readonly string[]): Maybe<Map<string, LevelEntry>>;
  /**
   * Stores entries; tells for each key what became of it. What was loaded with a lease comes with its
   * token, and is `'fenced'` where that has been lost or something was invalidated that it carries.
   */
  write(
    entries: ReadonlyMap<string, LevelEntry>,
    tokens?: ReadonlyMap<string, string>,
  ): Maybe<Map<string, WriteOutcome>>;
  /**
   * Asks whether to load a key that was not found: one process of all that share the level does. A level
   * without it has every process load on its own.
   */
  lease?(key: string, mode?: LeaseMode): Promise<Lease>;
  /** Removes keys. */
  delete(keys: readonly string[], mode?: DeleteMode): Maybe<Ack>;
  /**
   * Makes every entry with one of the tags a miss. A level in this process need not, here and with a
   * namespace: entries whose order it keeps are told apart by the hierarchy.
   */
  invalidateTags(tags: readonly string[], mode?: Pick<DeleteMode, 'hold'>): Maybe<Ack>;
  /** Makes every entry whose key begins with `namespace` a miss, or without one removes everything. */
  clear(namespace?: string): Maybe<Ack>;
  /**
   * Returns a level of the same kind, over the same connection, whose entries are its own: equal keys
   * of two scopes, or of a scope and this level, are different entries, and what one deletes, clears or
   * invalidates leaves the others alone. The same name gives the same entries, in every process. A
   * named cache works on the scope of its name, 1 to 32 characters of `A-Z a-z 0-9 . _ -`. The `close`
   * of a scope is not called: {@link close} of this level ends its scopes, too.
   */
  scope?(name: string): CacheLevel;
  /**
   * Tells from now on what other processes change. A level without it leaves copies in the levels above
   * as they are until they expire.
   */
  follow?(listener: ChangeListener): ChangeFeed;
  /** Gives it what an operator is told by, before it is asked for anything. */
  reportTo?(report: Report): void;
  /** What it counts itself; what is left out counts as 0. */
  getMetrics?(): Partial<OwnLevelMetrics>;
  /** Removes expired entries for about `budgetMs`; `more` asks for another slice, `anew` begins. */
  sweep?(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean };
  /** How often it wants to be swept, in milliseconds. */
  readonly sweepEveryMs?: number;
  /** Lets go of everything it holds. */
  close(): Promise<void>;
}

/**
 * A level in this process as the hierarchy walks it. An entry killed through a tag or a namespace is
 * told from a live one by the hierarchy's stamps, which the level asks about what it finds.
 */
export interface InProcessLevel extends CacheLevel {
  readonly name: LevelName;
  readonly inProcess: true;
  /**
   * Returns the value of a live entry without tags and namespace, counts the read and marks the
   * entry as used. Anything else is `undefined` and not counted: `readNow` is asked then.
   */
  readPlainNow(key: string): unknown;
  /** Does the same for one with tags or in a namespace that is not to be refreshed or moved by a hit. */
  readStampedNow(key: string): unknown;
  /** Counts a live entry as a hit, and marks it as used. */
  readNow(key: string): LevelEntry | undefined;
  /** Does what `readNow` does, and counts and moves nothing. */
  peekNow(key: string): LevelEntry | undefined;
  /** Stores an entry. One that is refused leaves nothing under its key. */
  writeNow(key: string, entry: LevelEntry): WriteOutcome;
  /** Why the last `readNow` that found nothing live did not; left out where that is not known. */
  readonly lastMiss?: MissCause;
  /** Tells why a key has no live entry; `undefined` where that is not known. */
  whyNot?(key: string): AbsenceReason | undefined;
  /** Remembers why a key has none, if this is the level that does. */
  noteAbsence?(key: string, reason: AbsenceReason): void;
  /** Removes a key; returns whether it had a live entry. */
  deleteNow(key: string): boolean;
  read(keys: readonly string[]): Map<string, LevelEntry>;
  write(entries: ReadonlyMap<string, LevelEntry>): Map<string, WriteOutcome>;
  delete(keys: readonly string[]): Ack;
  invalidateTags(tags: readonly string[]): Ack;
  clear(namespace?: string): Ack;
}
