import type { Clock } from '../clock.js';
import type {
  Ack,
  DeleteMode,
  Lease,
  LeaseMode,
  LevelEntry,
  LevelName,
} from '../levels/cache-level.js';
import type { ChangeFeed, ChangeListener } from '../levels/change-feed.js';
import type { Confirmation } from './key-invalidation.js';
import type { WriteTerms } from './key-lanes.js';
import type { LowerLevel, LowerLevelMetrics } from './lower-level.js';
import { isFresh } from './lifetime.js';
import type { SkippedLevels } from './skipped-levels.js';

/** What the lower levels have of a key, and which of them has it. */
export interface Found {
  readonly entry: LevelEntry;
  readonly depth: number;
  readonly level: LevelName;
}

const APPLIED: Confirmation = { applied: true, failed: [], causes: [] };

/** The levels outside this process, from the first to the last that is asked. */
export class LowerLevels {
  readonly #levels: readonly LowerLevel[];
  readonly #clock: Clock;

  constructor(levels: readonly LowerLevel[], clock: Clock) {
    this.#levels = levels;
    this.#clock = clock;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#levels.length === 0;
  }

  /** Their names, from the first to the last that is asked. */
  get names(): readonly LevelName[] {
    return this.#levels.map(({ name }) => name);
  }

  /** Whether one does not answer now. */
  get isDown(): boolean {
    return this.#levels.some(({ down }) => down);
  }

  /** Finds a live entry, level by level, or else the first that is only a stale answer. */
  async find(key: string, skipped: ReadonlySet<LevelName>): Promise<Found | undefined> {
    let stale: Found | undefined;
    for (let depth = 0; depth < this.#levels.length; depth++) {
      const level = this.#levels[depth]!;
      if (skipped.has(level.name)) continue;
      const entry = await level.read(key);
      if (entry === undefined) continue;
      const found = { entry, depth, level: level.name };
      if (isFresh(entry, this.#clock)) return found;
      stale ??= found;
    }
    return stale;
  }

  /** Whether one lets one process of all that share it load a key. */
  givesLeases(skipped: ReadonlySet<LevelName>): boolean {
    return this.#levels.some(({ name, givesLeases }) => givesLeases && !skipped.has(name));
  }

  /** Hears what other processes change in the level that they share; `undefined` where none tells. */
  follow(listener: ChangeListener): ChangeFeed | undefined {
    return this.#levels.at(-1)?.follow(listener);
  }

  /** Asks whether to load a key: the last level that can say. What is not read must be loaded. */
  async lease(key: string, mode: LeaseMode, skip: SkippedLevels): Promise<Lease | undefined> {
    const level = this.#levels.findLast((one) => one.givesLeases && !skip.write.has(one.name));
    const isSkipped = level !== undefined && skip.read.has(level.name);
    return level?.lease(key, { ...mode, force: mode.force === true || isSkipped });
  }

  /** Copies an entry into the levels above the one that it was found in; nothing to wait for where there is none. */
  promote(
    key: string,
    { entry, depth }: Found,
    skipped: ReadonlySet<LevelName>,
    terms: WriteTerms,
  ): Promise<unknown> | undefined {
    if (depth === 0) return undefined;
    const above = this.#levels.slice(0, depth).filter(({ name }) => !skipped.has(name));
    return Promise.all(above.map((level) => level.write(key, entry, terms)));
  }

  /**
   * Stores an entry in every level, the last one first. Settles with whether the levels above may have
   * it, too: not where one has seen it invalidated.
   */
  async write(
    key: string,
    entry: LevelEntry,
    skipped: ReadonlySet<LevelName>,
    terms: WriteTerms,
  ): Promise<boolean> {
    for (const level of this.#levels.toReversed()) {
      if (skipped.has(level.name)) continue;
      const written = await level.write(key, entry, terms);
      if (written === 'fenced' && !terms.replaces) return false;
    }
    return true;
  }

  delete(key: string, mode: DeleteMode): Promise<Confirmation> {
    return this.#confirm((level, failed) => level.delete(key, mode, failed));
  }

  invalidateTags(tags: readonly string[], hold: number | undefined): Promise<Confirmation> {
    return this.#confirm((level) => level.invalidateTags(tags, hold));
  }

  clear(prefix: string): Promise<Confirmation> {
    return this.#confirm((level) => level.clear(prefix));
  }

  /** What each has of a key. */
  async inspect(key: string): Promise<{ name: LevelName; entry: LevelEntry }[]> {
    const entries = await Promise.all(this.#levels.map((level) => level.peek(key)));
    return this.#levels.flatMap(({ name }, depth) => {
      const entry = entries[depth];
      return entry === undefined ? [] : [{ name, entry }];
    });
  }

  /** Calls that failed or took too long, of all of them. */
  get failures(): number {
    return this.#levels.reduce((sum, level) => sum + level.getMetrics().failures, 0);
  }

  getMetrics(): Partial<Record<LevelName, LowerLevelMetrics>> {
    return Object.fromEntries(this.#levels.map((level) => [level.name, level.getMetrics()]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#levels.map((level) => level.close()));
  }

  async #confirm(
    invalidate: (level: LowerLevel, failed: (cause: unknown) => void) => Promise<Ack | undefined>,
  ): Promise<Confirmation> {
    if (this.isEmpty) return APPLIED;
    const causes: unknown[] = [];
    const failed = (cause: unknown): void => {
      if (cause !== undefined) causes.push(cause);
    };
    const acks = await Promise.all(this.#levels.map((level) => invalidate(level, failed)));
    return {
      applied: acks.every((ack) => ack === 'applied'),
      failed: this.#levels.filter((_, depth) => acks[depth] === undefined).map(({ name }) => name),
      causes,
    };
  }
}
