interface NaiveEntry {
  readonly value: unknown;
  readonly tags: readonly string[];
  readonly deadline: number;
}

/** The plainest cache that a fleet can share: one map, which every process has at once. */
export class NaiveFleet {
  readonly #entries = new Map<string, NaiveEntry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(path: string): unknown {
    const entry = this.#entries.get(path);
    return entry !== undefined && entry.deadline > this.#now() ? entry.value : undefined;
  }

  set(path: string, value: unknown, { ttl, tags }: { ttl: number; tags: readonly string[] }): void {
    this.#entries.set(path, { value, tags, deadline: this.#now() + ttl });
  }

  delete(path: string): void {
    this.#entries.delete(path);
  }

  invalidateTag(tag: string): void {
    for (const [path, { tags }] of this.#entries) if (tags.includes(tag)) this.delete(path);
  }

  /** Removes what begins so. */
  clear(prefix: string): void {
    for (const path of this.#entries.keys()) if (path.startsWith(prefix)) this.delete(path);
  }
}
