import type { Clock } from '../clock.js';
import type { AbsenceReason, MissCause } from '../memory/absence-memory.js';
import type { EnhancedAsyncTTLCache } from '../memory/enhanced-async-ttl-cache.js';
import type { Entry, EntryFacts } from '../memory/entry.js';
import {
  hasGrace,
  type Ack,
  type InProcessLevel,
  type LevelEntry,
  type LevelName,
  type WriteOutcome,
} from './cache-level.js';

/** What a {@link MemoryLevel} is made of. */
export interface MemoryLevelOptions {
  readonly name: LevelName;
  readonly cache: EnhancedAsyncTTLCache<unknown>;
  /** How long a copy is kept at most where a lower level has the original; `undefined` if none has. */
  readonly copyTtlMs: number | undefined;
  /** Whether it keeps entries in their grace: the lowest level in this process does. */
  readonly keepsStale: boolean;
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
  readonly name: LevelName;
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

  get lastMiss(): MissCause {
    return this.#table.lastMiss;
  }

  readPlainNow(key: string): unknown {
    return this.#table.readPlain(key);
  }

  readStampedNow(key: string): unknown {
    return this.#table.readStamped(key);
  }

  readNow(key: string): LevelEntry | undefined {
    const slideMs = this.#slideMs;
    if (slideMs === undefined) return toLevelEntry(this.#table.readEntry(key));
    const found = this.#table.readSliding(key, slideMs);
    if (found?.facts?.slidesUntil !== undefined) this.#slideKept(key, found);
    return toLevelEntry(found);
  }

  peekNow(key: string): LevelEntry | undefined {
    return toLevelEntry(this.#table.peekEntry(key));
  }

  whyNot(key: string): AbsenceReason | undefined {
    return this.#table.whyNot(key);
  }

  noteAbsence(key: string, reason: AbsenceReason): void {
    this.#table.noteAbsence(key, reason);
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
    const copyUntil = this.#copyUntil(entry);
    const isKept = this.#options.keepsStale && hasGrace(entry);
    const deadline = isKept ? entry.staleUntil : copyUntil;
    const facts = isKept ? this.#factsKept(entry, copyUntil) : this.#factsOfCopy(entry, copyUntil);
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

  /** A copy is a hit for the level's own time at most; then the level below is asked. */
  #copyUntil({ freshUntil }: LevelEntry): number {
    const { copyTtlMs, clock } = this.#options;
    return copyTtlMs === undefined ? freshUntil : Math.min(clock.now() + copyTtlMs, freshUntil);
  }

  /** What is kept beyond its freshness tells when that ends, and how far hits can move that. */
  #factsKept(entry: LevelEntry, copyUntil: number): EntryFacts | undefined {
    const slides = this.#slideMs !== undefined && copyUntil < entry.freshUntil;
    const facts = factsOf(entry, copyUntil < entry.staleUntil ? copyUntil : undefined);
    return slides ? { ...facts!, slidesUntil: entry.freshUntil } : facts;
  }

  /** A copy that ends before its original tells how far hits can move that, if they do. */
  #factsOfCopy(entry: LevelEntry, copyUntil: number): EntryFacts | undefined {
    const slides = this.#slideMs !== undefined && copyUntil < entry.freshUntil;
    return factsOf(entry, slides ? entry.freshUntil : undefined);
  }

  /** Moves the end of freshness of an entry in its grace level; copies are moved in place. */
  #slideKept(key: string, { value, facts, deadline }: Entry<unknown>): void {
    const { slidesUntil, freshUntil = deadline } = facts ?? {};
    if (slidesUntil === undefined || freshUntil <= this.#options.clock.now()) return;
    const entry = { value, ...facts!, freshUntil: slidesUntil, staleUntil: deadline };
    this.writeNow(key, entry);
  }
}

function factsOf(entry: LevelEntry, freshUntil: number | undefined): EntryFacts | undefined {
  const { order, bornAt, tags, refreshAt, retryAt } = entry;
  const isPlain = order === undefined && freshUntil === undefined && refreshAt === undefined;
  return isPlain ? undefined : { order, bornAt, tags, freshUntil, refreshAt, retryAt };
}

/** A copy's own time ends it here; only the entries of the lowest level are promoted, with theirs. */
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
