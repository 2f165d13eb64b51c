import type { Ack, CacheLevel, LevelEntry, WriteOutcome } from '../../lib/levels/cache-level.js';

/** A level outside the process whose scopes keep entries of their own; notes when it is closed. */
export class ScopedLevel implements CacheLevel {
  readonly inProcess = false;
  readonly entries = new Map<string, LevelEntry>();
  readonly scopes = new Map<string, ScopedLevel>();
  closed = 0;

  constructor(readonly name = 'store') {}

  scope(name: string): ScopedLevel {
    const scope = this.scopes.get(name) ?? new ScopedLevel(`${this.name}/${name}`);
    this.scopes.set(name, scope);
    return scope;
  }

  async read(keys: readonly string[]): Promise<Map<string, LevelEntry>> {
    return new Map(
      keys.flatMap((key) => {
        const entry = this.entries.get(key);
        return entry === undefined ? [] : [[key, entry] as const];
      }),
    );
  }

  async write(entries: ReadonlyMap<string, LevelEntry>): Promise<Map<string, WriteOutcome>> {
    for (const [key, entry] of entries) this.entries.set(key, entry);
    return new Map([...entries.keys()].map((key) => [key, 'stored' as const]));
  }

  async delete(keys: readonly string[]): Promise<Ack> {
    for (const key of keys) this.entries.delete(key);
    return 'applied';
  }

  async invalidateTags(tags: readonly string[]): Promise<Ack> {
    for (const [key, entry] of this.entries)
      if (entry.tags?.some((tag) => tags.includes(tag))) this.entries.delete(key);
    return 'applied';
  }

  async clear(namespace = ''): Promise<Ack> {
    for (const key of this.entries.keys()) if (key.startsWith(namespace)) this.entries.delete(key);
    return 'applied';
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}
