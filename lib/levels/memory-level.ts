import type { Clock } from '../clock.js';
import type { EnhancedAsyncTTLCache } from '../memory/enhanced-async-ttl-cache.js';
import type { Entry, EntryFacts } from '../memory/entry.js';
import type { Ack, InProcessLevel, LevelEntry, WriteOutcome } from './cache-level.js';

/** What a {@link MemoryLevel} is made of. */
export interface MemoryLevelOptions {
  readonly name: string;
  readonly cache: EnhancedAsyncTTLCache<unknown>;
  /** How long a copy is kept at most where a level below has the original; `undefined` if none has. */
  readonly copyTtlMs: number | undefined;
  /** Whether a hit lets a copy stay for another `copyTtlMs`, as long as the original is fresh. */
  readonly slide?: boolean;
  readonly sweepEveryMs: number;
  readonly clock: Clock;
}

/**
 * An {@link EnhancedAsyncTTLCache} as a level. Tags and namespaces need nothing done here: the
 * hierarchy's stamps make the entries misses, through the `admits` that the cache was built with.
 */
export class MemoryLevel implements InProcessLevel {
  readonly name: string;
  readonly inProcess = true as const;
  readonly sweepEveryMs: number;
  readonly #options: MemoryLevelOptions;
  readonly #table: EnhancedAsyncTTLCache<unknown>['table'];
  /** For how long a hit lets a copy stay; `undefined` where it does not. */
  readonly #slideMs: number | undefined;

  constructor(options: MemoryLevelOptions) {
    this.#table = options.cache.table;
    this.name = options.name;
    this.sweepEveryMs = options.sweepEveryMs;
    this.#options = options;
    this.#slideMs = options.slide === true ? options.copyTtlMs : undefined;
  }

  readPlainNow(key: string): unknown {
    return this.#table.readPlain(key);
  }

  readNow(key: string): LevelEntry | undefined {
    const slideMs = this.#slideMs;
    const found =
      slideMs === undefined ? this.#table.readEntry(key) : this.#table.readSliding(key, slideMs);
    return toLevelEntry(found);
  }

  peekNow(key: string): LevelEntry | undefined {
    return toLevelEntry(this.#table.peekEntry(key));
  }

  read(keys: readonly string[]): Map<string, LevelEntry> {
    const found = new Map<string, LevelEntry>();
    for (const key of keys) {
      const entry = this.readNow(key);
      if (entry !== undefined) found.set(key, entry);
    }
    return found;
  }

  writeNow(key: string, entry: LevelEntry): WriteOutcome {
    const { value } = entry;
    const deadline = this.#deadlineOf(entry);
    const facts = factsOf(entry, deadline, this.#slideMs !== undefined);
    return this.#table.writeEntry(key, { value, deadline, facts }) ? 'stored' : 'refused';
  }

  write(entries: ReadonlyMap<string, LevelEntry>): Map<string, WriteOutcome> {
    const outcomes = new Map<string, WriteOutcome>();
    for (const [key, entry] of entries) {
      outcomes.set(key, this.writeNow(key, entry));
    }
    return outcomes;
  }

  deleteNow(key: string): boolean {
    return this.#table.delete(key);
  }

  delete(keys: readonly string[]): Ack {
    for (const key of keys) this.#table.delete(key);
    return 'applied';
  }

  invalidateTags(): Ack {
    return 'applied';
  }

  clear(namespace?: string): Ack {
    if (namespace === undefined) this.#table.clear();
    return 'applied';
  }

  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    return this.#table.sweep(budgetMs, anew);
  }

  async close(): Promise<void> {
    await this.#options.cache.stop();
    this.#table.clear();
  }

  #deadlineOf({ freshUntil, staleUntil }: LevelEntry): number {
    const { copyTtlMs, clock } = this.#options;
    return copyTtlMs === undefined ? staleUntil : Math.min(clock.now() + copyTtlMs, freshUntil);
  }
}

/** @param slides whether a copy has to know for how long it could stay */
function factsOf(entry: LevelEntry, deadline: number, slides: boolean): EntryFacts | undefined {
  const { order, bornAt, tags, refreshAt, retryAt } = entry;
  const isKept = slides ? entry.freshUntil !== deadline : entry.freshUntil < deadline;
  const freshUntil = isKept ? entry.freshUntil : undefined;
  const isPlain = order === undefined && freshUntil === undefined && refreshAt === undefined;
  return isPlain ? undefined : { order, bornAt, tags, freshUntil, refreshAt, retryAt };
}

/** A copy's own deadline ends it here; only the lowest level's entries are promoted, with theirs. */
function toLevelEntry(found: Entry<unknown> | undefined): LevelEntry | undefined {
  if (found === undefined) return undefined;
  const { value, deadline, facts } = found;
  return {
    value,
    bornAt: facts?.bornAt ?? -Infinity,
    freshUntil: facts?.freshUntil ?? deadline,
    staleUntil: deadline,
    refreshAt: facts?.refreshAt,
    retryAt: facts?.retryAt,
    tags: facts?.tags,
    order: facts?.order,
  };
}
