import type { Clock } from '../clock.js';
import type { Report } from '../report.js';
import {
  isAck,
  isLevelEntry,
  type Ack,
  type CacheLevel,
  type InProcessLevel,
  type LevelEntry,
  type LevelName,
  type WriteOutcome,
} from './cache-level.js';
import { OutageReports } from './outage-reports.js';

/** What a {@link GuardedLevel} is made of. */
export interface GuardedLevelOptions {
  readonly name: LevelName;
  readonly level: CacheLevel;
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly report: Report;
  /** Whether neither the entry's tags nor its namespaces were invalidated since it began. */
  admits(key: string, entry: LevelEntry): boolean;
  /** Whether an entry is more than a stale answer. */
  isLive(entry: LevelEntry): boolean;
  /** How long its `close` is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** The most keys of which is remembered that a delete has failed. */
  readonly maxOwed: number;
}

/**
 * Somebody else's level in this process, kept from doing harm: what throws is a miss or is not stored,
 * and what could not be removed is not read before it has been. Failures are reported as {@link OutageReports}
 * says.
 */
export class GuardedLevel implements InProcessLevel {
  readonly name: LevelName;
  readonly inProcess = true as const;
  readonly sweepEveryMs: number;
  readonly #options: GuardedLevelOptions;
  readonly #level: CacheLevel;
  /** Keys whose delete has failed. */
  readonly #owed = new Set<string>();
  #owesClear = false;
  readonly #reports: OutageReports;
  #failures = 0;

  constructor(options: GuardedLevelOptions) {
    this.#options = options;
    this.#level = options.level;
    this.#reports = new OutageReports({
      ...options,
      name: options.level.name,
      failuresAre: 'misses and skipped writes',
    });
    this.name = options.name;
    this.sweepEveryMs = options.level.sweepEveryMs ?? Infinity;
  }

  /** Calls that threw. */
  get failures(): number {
    return this.#failures;
  }

  /** Its entries are given out by {@link readNow} alone: it does not tell plain ones apart. */
  readPlainNow(): undefined {
    return undefined;
  }

  readStampedNow(): undefined {
    return undefined;
  }

  readNow(key: string): LevelEntry | undefined {
    if (!this.#settle(key)) return undefined;
    const entry = this.#try('read', () => this.#level.readNow!(key));
    if (!isLevelEntry(entry) || entry.staleUntil <= this.#options.clock.now()) return undefined;
    return this.#options.admits(key, entry) ? entry : undefined;
  }

  peekNow(key: string): LevelEntry | undefined {
    return this.readNow(key);
  }

  writeNow(key: string, entry: LevelEntry): WriteOutcome {
    if (this.#owesClear && !this.#settle(key)) return 'refused';
    const outcomes = this.#try('write', () => this.#level.write(new Map([[key, entry]])));
    const outcome = outcomes instanceof Map ? outcomes.get(key) : undefined;
    if (outcome === 'stored') this.#owed.delete(key);
    else this.#remove(key);
    return outcome ?? 'refused';
  }

  deleteNow(key: string): boolean {
    const entry = this.readNow(key);
    this.#remove(key);
    return entry !== undefined && this.#options.isLive(entry);
  }

  read(keys: readonly string[]): Map<string, LevelEntry> {
    const found = new Map<string, LevelEntry>();
    for (const key of keys) {
      const entry = this.readNow(key);
      if (entry !== undefined) found.set(key, entry);
    }
    return found;
  }

  write(entries: ReadonlyMap<string, LevelEntry>): Map<string, WriteOutcome> {
    return new Map([...entries].map(([key, entry]) => [key, this.writeNow(key, entry)]));
  }

  delete(keys: readonly string[]): Ack {
    for (const key of keys) this.#remove(key);
    return 'applied';
  }

  /** Stamps tell what is invalidated so; the level may make use of it. */
  invalidateTags(tags: readonly string[]): Ack {
    void this.#try('invalidateTags', () => this.#level.invalidateTags(tags));
    return 'applied';
  }

  clear(namespace?: string): Ack {
    const done = this.#try('clear', () => this.#level.clear(namespace));
    // Stamps tell what is in a cleared namespace.
    if (namespace === undefined && !isAck(done)) this.#owesClear = true;
    return 'applied';
  }

  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    const swept = this.#level.sweep && this.#try('sweep', () => this.#level.sweep!(budgetMs, anew));
    return swept ?? { removed: 0, more: false };
  }

  async close(): Promise<void> {
    this.#owed.clear();
    const { clock, timeoutMs } = this.#options;
    let cancel: (() => void) | undefined;
    const patience = new Promise<void>((_, reject) => {
      const end = (): void => reject(new Error(`it took longer than ${timeoutMs} ms`));
      cancel = clock.setTimer(end, timeoutMs);
    });
    try {
      await Promise.race([this.#level.close(), patience]);
    } catch (error) {
      this.#noteFailure('close', error);
    } finally {
      cancel?.();
    }
  }

  /** Carries out what is owed for a key; returns whether the level may be asked for it. */
  #settle(key: string): boolean {
    if (this.#owesClear) {
      if (!isAck(this.#try('clear', () => this.#level.clear()))) return false;
      this.#owesClear = false;
      this.#owed.clear();
    }
    return !this.#owed.has(key) || this.#remove(key);
  }

  #remove(key: string): boolean {
    if (isAck(this.#try('delete', () => this.#level.delete([key])))) {
      this.#owed.delete(key);
      return true;
    }
    this.#owed.add(key);
    if (this.#owed.size > this.#options.maxOwed) {
      this.#owed.clear();
      this.#owesClear = true;
    }
    return false;
  }

  /** Calls the level; `undefined` where it throws. */
  #try<R>(operation: string, run: () => R): R | undefined {
    try {
      const result = run();
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new TypeError(`${operation} of a level in this process returned a promise`);
      }
      this.#reports.noteEnd();
      return result;
    } catch (error) {
      this.#noteFailure(operation, error);
      return undefined;
    }
  }

  #noteFailure(operation: string, cause: unknown): void {
    this.#failures += 1;
    // What was thrown may be `undefined`, which would look like a call that took too long.
    this.#reports.noteFailure(operation, cause ?? new Error('it threw nothing'));
  }
}
