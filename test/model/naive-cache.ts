interface NaiveRow {
  readonly value: unknown;
  readonly deadline: number;
}

/** What the cache counts. */
export interface NaiveCounts {
  hits: number;
  misses: number;
  sets: number;
  deletes: number;
  expired: number;
}

/** The plainest cache there is: one map, no bound, no shards; what expired stays until it is found. */
export class NaiveCache {
  readonly counts: NaiveCounts = { hits: 0, misses: 0, sets: 0, deletes: 0, expired: 0 };
  readonly #rows = new Map<string, NaiveRow>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#rows.size;
  }

  peek(key: string): unknown {
    const row = this.#rows.get(key);
    return row !== undefined && this.#isLive(row) ? row.value : undefined;
  }

  read(key: string): unknown {
    this.#removeIfExpired(key);
    const value = this.peek(key);
    if (value === undefined) this.counts.misses += 1;
    else this.counts.hits += 1;
    return value;
  }

  set(key: string, value: unknown, ttlMs: number): void {
    this.#removeIfExpired(key);
    this.#rows.set(key, { value, deadline: this.#now() + ttlMs });
    this.counts.sets += 1;
  }

  delete(key: string): boolean {
    this.#removeIfExpired(key);
    const existed = this.#rows.delete(key);
    if (existed) this.counts.deletes += 1;
    return existed;
  }

  /** Removes a key without counting it, unless it had expired. */
  drop(key: string): void {
    this.#removeIfExpired(key);
    this.#rows.delete(key);
  }

  clear(): void {
    this.#rows.clear();
  }

  removeExpired(): number {
    const before = this.counts.expired;
    for (const key of this.#rows.keys()) this.#removeIfExpired(key);
    return this.counts.expired - before;
  }

  entries(): [string, unknown][] {
    return [...this.#rows]
      .filter(([, row]) => this.#isLive(row))
      .map(([key, { value }]) => [key, value]);
  }

  #isLive({ deadline }: NaiveRow): boolean {
    return deadline > this.#now();
  }

  #removeIfExpired(key: string): void {
    const row = this.#rows.get(key);
    if (row === undefined || this.#isLive(row)) return;
    this.#rows.delete(key);
    this.counts.expired += 1;
  }
}
