import type { NaiveAgenda } from './naive-agenda.js';

/** What one call says, in milliseconds; what is left out is off. */
export interface Said {
  readonly ttl?: number | undefined;
  /** From the call on; less than 0 is a date that has passed. */
  readonly expiresIn?: number | undefined;
  readonly grace?: number | undefined;
  readonly throttle?: number | undefined;
  readonly negativeTtl?: number | undefined;
  readonly eager?: number | undefined;
  readonly jitter?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly soft?: number | undefined;
  readonly hard?: number | undefined;
  /** Whether `staleOn` refuses the errors that are called so. */
  readonly refuses?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly skipRead?: 'L1' | 'all' | undefined;
  /** Whether no level is written. */
  readonly skipWrite?: boolean | undefined;
}

/** What a cache is made of, as far as its callers can tell. */
export interface Rules {
  readonly enabled: boolean;
  readonly ttl: number;
  /** What `Math.random` says: where a lifetime with jitter lies. */
  readonly random: number;
  /** How many levels are in this process; each but the last has copies only. */
  readonly levelsHere: 1 | 2;
  /** How long this process has a copy of what a shared level keeps; without such a level `undefined`. */
  readonly copyMs: number | undefined;
}

/** What is said of one value that is to be stored. */
export interface Storing {
  readonly value: unknown;
  readonly said: Said;
  readonly tags: readonly string[];
  readonly calledAt: number;
  /** When its load began, or its set or update was called. */
  readonly bornAt: number;
  /** The lifetime that its loader said. */
  readonly loaderTtl?: number | undefined;
  /** Whether the call said a lifetime of this very value. */
  readonly isOwn?: boolean;
}

export interface Row {
  readonly value: unknown;
  readonly bornAt: number;
  readonly tags: readonly string[];
  readonly staleUntil: number;
  freshUntil: number;
  /** Until then this process has it, and need not ask a level that it shares with others. */
  hereUntil: number;
  refreshAt: number;
  retryAt: number;
}

/** What is stored: one map, and how long what is in it may be used for what. */
export class NaiveEntries {
  readonly #rules: Rules;
  readonly #agenda: NaiveAgenda;
  readonly #rows = new Map<string, Row>();
  /** Until when nothing that is loaded for a key or a tag is stored. */
  readonly #holds = new Map<string, number>();

  constructor(rules: Rules, agenda: NaiveAgenda) {
    this.#rules = rules;
    this.#agenda = agenda;
  }

  /** What is a hit, wherever it is. */
  fresh(key: string): Row | undefined {
    const row = this.#rows.get(key);
    return row !== undefined && row.freshUntil > this.#agenda.now ? row : undefined;
  }

  /** What is a hit in this process. */
  here(key: string): Row | undefined {
    const row = this.fresh(key);
    return row !== undefined && row.hereUntil > this.#agenda.now ? row : undefined;
  }

  /** What this process has: an entry with grace until that is over, else a hit. */
  kept(key: string): Row | undefined {
    const row = this.#rows.get(key);
    if (row === undefined || !hasGrace(row)) return this.here(key);
    return row.staleUntil > this.#agenda.now ? row : undefined;
  }

  /** What stands in for a value that a load does not bring, as far as this process knows. */
  standIn(key: string, force: boolean | undefined): Row | undefined {
    const row = this.kept(key);
    if (row === undefined || !hasGrace(row)) return undefined;
    return force === true && this.here(key) !== undefined ? undefined : row;
  }

  /** Stores a value, if it is to live at all; returns whether it is. */
  store(key: string, storing: Storing): boolean {
    const { value, said, tags, bornAt } = storing;
    const { grace = 0, eager, skipWrite } = said;
    const now = this.#agenda.now;
    const lifetime = this.#lifetimeOf(storing);
    if (!this.#rules.enabled || lifetime <= 0) return false;
    if (skipWrite === true) return true;
    const freshUntil = now + lifetime;
    const refreshAt = eager === undefined ? Infinity : now + eager * (freshUntil - now);
    const hereUntil = now + (this.#rules.copyMs ?? Infinity);
    const staleUntil = freshUntil + grace;
    const row = { value, bornAt, tags, freshUntil, staleUntil, hereUntil, refreshAt, retryAt: 0 };
    this.#rows.set(key, row);
    return true;
  }

  /**
   * This process takes a copy from a shared level, which does not keep when to refresh it. It is there
   * when the step is over: who asks in the same step asks that level, too.
   */
  takeCopy(key: string, row: Row, { eager, skipWrite }: Said): void {
    if (skipWrite === true || this.heldUntil(key, row.tags) > this.#agenda.now) return;
    this.#agenda.after(0, () => {
      if (this.fresh(key) !== row) return;
      row.hereUntil = this.#agenda.now + this.#rules.copyMs!;
      const { bornAt, freshUntil } = row;
      row.refreshAt = eager === undefined ? Infinity : bornAt + eager * (freshUntil - bornAt);
      row.retryAt = 0;
    });
  }

  throttle(key: string, ms: number | undefined): void {
    const row = this.kept(key);
    if (ms !== undefined && row !== undefined && this.here(key) === undefined)
      row.retryAt = this.#agenda.now + ms;
  }

  remove(key: string): void {
    this.#rows.delete(key);
  }

  expire(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined || !hasGrace(row)) this.#rows.delete(key);
    else this.#rows.set(key, { ...row, freshUntil: -Infinity, refreshAt: Infinity, retryAt: 0 });
  }

  removeWhere(isConcerned: (key: string, row: Row) => boolean): void {
    for (const [key, row] of this.#rows) if (isConcerned(key, row)) this.#rows.delete(key);
  }

  holdKey(key: string, ms: number | undefined): void {
    this.#hold(` ${key}`, ms);
  }

  holdTag(tag: string, ms: number | undefined): void {
    this.#hold(`#${tag}`, ms);
  }

  heldUntil(key: string, tags: readonly string[]): number {
    const names = [` ${key}`, ...tags.map((tag) => `#${tag}`)];
    return Math.max(...names.map((name) => this.#holds.get(name) ?? 0));
  }

  /** A hold never shortens another. */
  #hold(name: string, ms: number | undefined): void {
    if (ms === undefined) return;
    this.#holds.set(name, Math.max(this.#agenda.now + ms, this.#holds.get(name) ?? 0));
  }

  #lifetimeOf({ value, said, calledAt, loaderTtl, isOwn = false }: Storing): number {
    const { ttl = this.#rules.ttl, expiresIn, negativeTtl, jitter = 0 } = said;
    const spread = 1 + jitter * (2 * this.#rules.random - 1);
    if (loaderTtl !== undefined) return loaderTtl * spread;
    if (value === null && negativeTtl !== undefined && !isOwn) return negativeTtl * spread;
    return expiresIn === undefined ? ttl * spread : calledAt + expiresIn - this.#agenda.now;
  }
}

function hasGrace({ freshUntil, staleUntil }: Row): boolean {
  return staleUntil > freshUntil;
}
