import { describe, it } from 'node:test';
import type { CacheLevel, LevelEntry } from 'nestjs-cache-hierarchy';
import { describeLevel, FakeClock } from 'nestjs-cache-hierarchy/testing';

class StoreLevel implements CacheLevel {
  readonly name = 'store';
  readonly inProcess = false;
  readonly #store = new Map<string, LevelEntry>();

  constructor(private readonly now: () => number) {}

  async read(keys: readonly string[]) {
    const found = keys.map((key) => [key, this.#store.get(key)!] as const);
    return new Map(found.filter(([, entry]) => entry?.staleUntil > this.now()));
  }

  async write(entries: ReadonlyMap<string, LevelEntry>) {
    for (const [key, entry] of entries) this.#store.set(key, entry);
    return new Map([...entries.keys()].map((key) => [key, 'stored' as const]));
  }

  async delete(keys: readonly string[]) {
    return this.#deleteWhere((key) => keys.includes(key));
  }

  async invalidateTags(tags: readonly string[]) {
    return this.#deleteWhere((_, entry) => entry.tags?.some((tag) => tags.includes(tag)) ?? false);
  }

  async clear(namespace = '') {
    return this.#deleteWhere((key) => key.startsWith(namespace));
  }

  async close() {}

  #deleteWhere(isConcerned: (key: string, entry: LevelEntry) => boolean) {
    for (const [key, entry] of this.#store) if (isConcerned(key, entry)) this.#store.delete(key);
    return 'applied' as const;
  }
}

function createSubject() {
  const clock = new FakeClock();
  return {
    level: new StoreLevel(() => clock.now()),
    now: () => clock.now(),
    advance: (ms: number) => clock.advance(ms),
  };
}

describeLevel('StoreLevel', createSubject, { describe, it });
