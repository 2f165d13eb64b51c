import { systemClock, type Clock } from '../clock.js';
import {
  hasGrace,
  type Ack,
  type CacheLevel,
  type DeleteMode,
  type LevelEntry,
  type WriteOutcome,
} from '../levels/cache-level.js';

/** Options of a {@link MapLevel}. Every one has a default. */
export interface MapLevelOptions {
  /** @default 'map' */
  readonly name?: string;
  /**
   * Whether it is a level in this process, for `l2`, or stands for one outside.
   * @default false
   */
  readonly inProcess?: boolean;
  /** The clock of the caches that it is given to; the process's own by default. */
  readonly clock?: Clock;
}

/**
 * The simplest level: one `Map`, never bounded. It stands for a store that caches share, to see in a
 * test what is written there, and is what a {@link ChaosLevel} makes trouble of.
 */
export class MapLevel implements CacheLevel {
  readonly name: string;
  readonly inProcess: boolean;
  readonly #clock: Clock;
  readonly #entries = new Map<string, LevelEntry>();
  readonly #scopes = new Map<string, MapLevel>();

  constructor({ name = 'map', inProcess = false, clock = systemClock }: MapLevelOptions = {}) {
    this.name = name;
    this.inProcess = inProcess;
    this.#clock = clock;
  }

  /** The keys that it has, those in their grace included. */
  get keys(): readonly string[] {
    return [...this.#entries.keys()].filter((key) => this.readNow(key) !== undefined);
  }

  readNow(key: string): LevelEntry | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.staleUntil <= this.#clock.now() ? undefined : entry;
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
    for (const [key, entry] of entries) this.#entries.set(key, this.#kept(entry));
    return new Map([...entries.keys()].map((key) => [key, 'stored']));
  }

  delete(keys: readonly string[], { expire = false }: DeleteMode = {}): Ack {
    const now = this.#clock.now();
    for (const key of keys) {
      const entry = this.readNow(key);
      this.#entries.delete(key);
      if (expire && entry !== undefined && hasGrace(entry))
        this.#entries.set(key, { ...entry, freshUntil: Math.min(now, entry.freshUntil) });
    }
    return 'applied';
  }

  invalidateTags(tags: readonly string[]): Ack {
    return this.#deleteWhere((_, entry) => entry.tags?.some((tag) => tags.includes(tag)) === true);
  }

  clear(namespace = ''): Ack {
    return this.#deleteWhere((key) => key.startsWith(namespace));
  }

  scope(name: string): MapLevel {
    const { inProcess } = this;
    const scope = this.#scopes.get(name) ?? new MapLevel({ name, inProcess, clock: this.#clock });
    this.#scopes.set(name, scope);
    return scope;
  }

  /** A store outlives those who use it: what stands for one keeps what it has. */
  async close(): Promise<void> {
    if (this.inProcess) this.#entries.clear();
  }

  /** Outside the process nobody knows of its order of invalidations, its refreshes and its retries. */
  #kept(entry: LevelEntry): LevelEntry {
    if (this.inProcess) return entry;
    const { order: _o, refreshAt: _r, retryAt: _t, ...kept } = entry;
    return kept;
  }

  #deleteWhere(isConcerned: (key: string, entry: LevelEntry) => boolean): Ack {
    for (const [key, entry] of this.#entries) {
      if (isConcerned(key, entry)) this.#entries.delete(key);
    }
    return 'applied';
  }
}
