import type { Clock } from '../clock.js';
import {
  type DeleteMode,
  type InProcessLevel,
  type Lease,
  type LeaseMode,
  type LevelEntry,
  type LevelName,
} from '../levels/cache-level.js';
import type { AbsenceReason, MissCause } from '../memory/absence-memory.js';
import type { KeyCoordinator } from '../memory/key-coordinator.js';
import type { AnsweredReads } from './answered-reads.js';
import type { EntryMaker } from './entry-maker.js';
import { inspectedEntry, type InspectedEntry } from './inspected-entry.js';
import type { KeyInvalidation } from './key-invalidation.js';
import type { WriteTerms } from './key-lanes.js';
import type { LowerLevels } from './lower-levels.js';
import { isDueLike, isFresh } from './lifetime.js';
import { LookupTable, type LookupResult } from './lookup-table.js';
import { NOTHING_SKIPPED, type SkippedLevels } from './skipped-levels.js';
import type { StaleAnswers } from './stale-answers.js';

/** What a {@link LevelWalk} is made of. */
export interface LevelWalkPorts {
  /** Those in this process, from the first to the last that is asked. */
  readonly levels: readonly InProcessLevel[];
  /** Those outside it. */
  readonly lower: LowerLevels;
  readonly clock: Clock;
  readonly stale: StaleAnswers;
  readonly answered: AnsweredReads;
  readonly entries: EntryMaker;
  readonly tickets: KeyCoordinator;
  /** Whether other processes tell what they change. */
  readonly isFollowed: boolean;
  /** Until when a copy may be served of what was loaded, set or read from some time on. */
  trustedUntil(key: string, since: number): number;
}

/** A live entry, and the level that has it. */
export interface Located {
  readonly entry: LevelEntry;
  readonly level: LevelName;
}

/** How the lower levels are read. */
export interface LowerRead {
  readonly skip: SkippedLevels;
  /** The share of its lifetime after which what is found is to be refreshed. */
  readonly eager: number | undefined;
  /** For a refresh: the entry that is due. What is found and due as well is not marked for another. */
  readonly refreshed?: LevelEntry | undefined;
}

/**
 * All levels as one: what a level has is copied into those above it, what is stored goes into all of
 * them, the last one first. What is in this process is read, written and removed in the call.
 */
export class LevelWalk {
  readonly #ports: LevelWalkPorts;
  readonly #lowest: number;
  readonly #lookups: LookupTable;
  #optimisticRetries = 0;

  constructor(ports: LevelWalkPorts) {
    this.#ports = ports;
    this.#lowest = ports.levels.length - 1;
    this.#lookups = new LookupTable(ports.tickets);
  }

  /** Whether there are levels outside this process, which take time. */
  get hasLower(): boolean {
    return !this.#ports.lower.isEmpty;
  }

  /** How often what was found in a lower level had been overtaken, and was looked for once more here. */
  get optimisticRetries(): number {
    return this.#optimisticRetries;
  }

  /** Finds a live entry in this process, copies it into the levels above, and counts which level had it. */
  readNow(key: string, { read, write }: SkippedLevels): LevelEntry | undefined {
    const { levels, clock, answered } = this.#ports;
    for (let depth = 0; depth <= this.#lowest; depth++) {
      if (read.has(levels[depth]!.name)) continue;
      const entry = levels[depth]!.readNow(key);
      if (entry === undefined || !isFresh(entry, clock)) continue;
      if (depth > 0) {
        this.writeNow(key, entry, write, depth - 1);
        answered.note(levels[depth]!.name);
      }
      return entry;
    }
    return undefined;
  }

  /** Finds a live entry in this process; moves and counts nothing. */
  locateNow(key: string, { read }: SkippedLevels = NOTHING_SKIPPED): Located | undefined {
    for (const level of this.#ports.levels) {
      const entry = read.has(level.name) ? undefined : level.peekNow(key);
      if (entry !== undefined && isFresh(entry, this.#ports.clock))
        return { entry, level: level.name };
    }
    return undefined;
  }

  /** Why the last {@link readNow} found nothing, as its levels have seen it; the lowest had it longest. */
  get lastMiss(): MissCause {
    let cause: MissCause = 'absent';
    for (const { lastMiss } of this.#ports.levels) {
      if (lastMiss === 'tag') return lastMiss;
      if (lastMiss !== undefined && lastMiss !== 'absent') cause = lastMiss;
    }
    return cause;
  }

  /** Tells why there is no live entry in this process, as far as its levels know. */
  whyNot(key: string): MissCause {
    const reasons = this.#ports.levels.map((level) => level.whyNot?.(key));
    return reasons.find((reason) => reason === 'tag') ?? reasons.findLast(Boolean) ?? 'absent';
  }

  /** Remembers why a key is in no level of this process. */
  noteAbsence(key: string, reason: AbsenceReason): void {
    for (const level of this.#ports.levels) level.noteAbsence?.(key, reason);
  }

  /** Whether a lower level does not answer now. */
  get isDown(): boolean {
    return this.#ports.lower.isDown;
  }

  /**
   * Writes an entry into the levels in this process from a depth upwards, the lowest first; returns
   * `false` where none of those that were asked has taken it.
   */
  writeNow(
    key: string,
    entry: LevelEntry,
    skipped: ReadonlySet<LevelName> = NOTHING_SKIPPED.write,
    depth = this.#lowest,
  ): boolean {
    const { levels } = this.#ports;
    const isBornHere = entry.bornAt > -Infinity;
    const copy = this.#trusted(key, entry, isBornHere ? entry.bornAt : this.#ports.clock.now());
    let [isAsked, isStored] = [false, false];
    for (let at = depth; at >= 0; at--) {
      if (skipped.has(levels[at]!.name)) continue;
      isAsked = true;
      isStored = levels[at]!.writeNow(key, copy) === 'stored' || isStored;
    }
    return isStored || !isAsked;
  }

  /** Whether a level lets one process of all that share it load a key. */
  givesLeases(skipped: ReadonlySet<LevelName>): boolean {
    return this.#ports.lower.givesLeases(skipped);
  }

  /** Asks whether to load a key; see {@link LowerLevels.lease}. */
  lease(key: string, mode: LeaseMode, skip: SkippedLevels): Promise<Lease | undefined> {
    return this.#ports.lower.lease(key, mode, skip);
  }

  /** Sends an entry to the lower levels; see {@link LowerLevels.write}. */
  send(
    key: string,
    entry: LevelEntry,
    skipped: ReadonlySet<LevelName>,
    terms: WriteTerms,
  ): Promise<boolean> {
    return this.#ports.lower.write(key, entry, skipped, terms);
  }

  /** Removes a key from the levels in this process; returns whether one had a live value. */
  removeNow(key: string): boolean {
    let existed = false;
    for (const level of this.#ports.levels) existed = level.deleteNow(key) || existed;
    return existed;
  }

  /** Removes a key from every level. */
  remove(key: string, mode: DeleteMode = {}): KeyInvalidation {
    const existed = this.removeNow(key);
    return { existed, lower: this.hasLower ? this.#ports.lower.delete(key, mode) : undefined };
  }

  /** Removes what begins with `prefix` from the levels in this process, where not stamps see to it. */
  clearNow(prefix: string): void {
    for (const level of this.#ports.levels) level.clear(prefix === '' ? undefined : prefix);
  }

  /** Removes what begins with `prefix` from every level. */
  async clear(prefix: string): Promise<void> {
    this.clearNow(prefix);
    if (this.hasLower) await this.#ports.lower.clear(prefix);
  }

  /** Has the levels in this process make whatever carries one of the tags a miss. */
  invalidateTagsNow(tags: readonly string[]): void {
    for (const level of this.#ports.levels) level.invalidateTags(tags);
  }

  /** Makes whatever carries one of the tags a miss. */
  async invalidateTags(tags: readonly string[], holdMs: number | undefined): Promise<void> {
    this.invalidateTagsNow(tags);
    if (this.hasLower) await this.#ports.lower.invalidateTags(tags, holdMs);
  }

  /**
   * Finds a live entry in the lower levels, and copies it into those above. One that was overtaken by an
   * invalidation or another value is looked for once more in this process, without a wait; and where it
   * can have been another process's, once more there.
   */
  async findLower(key: string, how: LowerRead): Promise<Located | undefined> {
    for (let isAgain = false; ; isAgain = true) {
      const { found, lost } = await this.#lookUp(key, how);
      if (found !== undefined) return isFresh(found.entry, this.#ports.clock) ? found : undefined;
      if (!lost) return undefined;
      this.#optimisticRetries += 1;
      const located = this.locateNow(key, how.skip);
      if (located !== undefined || isAgain || !this.#ports.isFollowed) return located;
    }
  }

  /** Tells what each level has of a key, the values as `handOut` gives them. */
  async inspect(key: string, handOut: (value: unknown) => unknown): Promise<InspectedEntry[]> {
    const { levels, lower, clock } = this.#ports;
    const here = levels.flatMap((level) => {
      const entry = level.peekNow(key);
      return entry === undefined ? [] : [{ name: level.name, entry }];
    });
    const there = await lower.inspect(key);
    return [...here, ...there].map(({ name, entry }) =>
      inspectedEntry(name, entry, handOut(entry.value), clock),
    );
  }

  async close(): Promise<void> {
    const { levels, lower } = this.#ports;
    await Promise.all([lower.close(), ...levels.map((level) => level.close())]);
  }

  /**
   * Shortens the life of a copy that is made while it is not known what other processes change, its grace
   * included: what they have invalidated is no stale answer either.
   */
  #trusted(key: string, entry: LevelEntry, since: number): LevelEntry {
    const until = this.#ports.trustedUntil(key, since);
    if (entry.staleUntil <= until) return entry;
    return { ...entry, freshUntil: Math.min(entry.freshUntil, until), staleUntil: until };
  }

  #lookUp(key: string, { skip, eager, refreshed }: LowerRead): Promise<LookupResult> {
    const { lower, tickets, entries, clock } = this.#ports;
    return this.#lookups.find({
      key,
      variant: skip.variant,
      find: () => lower.find(key, skip.read),
      promote: (found, ticket) => {
        const isDue = refreshed !== undefined && isDueLike(found.entry, refreshed, clock);
        const promoted = entries.promoted(found.entry, ticket, isDue ? undefined : eager);
        if (promoted === undefined) return undefined;
        this.#promote(key, this.#trusted(key, promoted, ticket.openedAt), skip);
        const wanted = (): boolean => tickets.isValid(ticket);
        return lower.promote(key, found, skip.write, { wanted, replaces: false });
      },
    });
  }

  /** A stale one goes to the lowest level only, which keeps it for when its loader fails. */
  #promote(key: string, entry: LevelEntry, { write }: SkippedLevels): void {
    const { clock, stale } = this.#ports;
    if (isFresh(entry, clock)) this.writeNow(key, entry, write);
    else if (!write.has(this.#ports.levels[this.#lowest]!.name) && stale.keptOf(key) === undefined)
      stale.keep(key, entry);
  }
}
