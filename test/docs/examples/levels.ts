import { CacheHierarchy, type CacheLevel, type LevelEntry } from 'nestjs-cache-hierarchy';

/** Stands for the client of a store that several processes share. */
const store = new Map<string, string>();

/** Each process has a clock of its own, so the times in the store are those of the wall clock. */
const sinceStart = (): number => Date.now() - performance.now();

function encode({ value, bornAt, freshUntil, staleUntil, tags, loadMs }: LevelEntry): string {
  const offset = sinceStart(); // one for all times, or equal ends would differ
  const times = [bornAt, freshUntil, staleUntil].map((time) => time + offset);
  return JSON.stringify({ value, times, tags, loadMs }); // an endless time becomes null
}

function decode(text: string): LevelEntry {
  const { times, ...rest } = JSON.parse(text) as LevelEntry & { times: (number | null)[] };
  const offset = sinceStart();
  const here = times.map((time) => (time ?? Infinity) - offset);
  return { ...rest, bornAt: here[0]!, freshUntil: here[1]!, staleUntil: here[2]! };
}

class StoreLevel implements CacheLevel {
  readonly name = 'store';
  readonly inProcess = false;

  async read(keys: readonly string[]) {
    const found = new Map<string, LevelEntry>();
    for (const key of keys) {
      const entry = store.has(key) ? decode(store.get(key)!) : undefined;
      if (entry !== undefined && entry.staleUntil > performance.now()) found.set(key, entry);
    }
    return found;
  }

  async write(entries: ReadonlyMap<string, LevelEntry>) {
    for (const [key, entry] of entries) store.set(key, encode(entry));
    return new Map([...entries.keys()].map((key) => [key, 'stored' as const]));
  }

  async delete(keys: readonly string[]) {
    for (const key of keys) store.delete(key);
    return 'applied' as const;
  }

  async invalidateTags(tags: readonly string[]) {
    for (const [key, text] of store)
      if (decode(text).tags?.some((tag) => tags.includes(tag))) store.delete(key);
    return 'applied' as const;
  }

  async clear(namespace = '') {
    for (const key of store.keys()) if (key.startsWith(namespace)) store.delete(key);
    return 'applied' as const;
  }

  async close() {} // where the client's connection would be given back
}

const [here, there] = [0, 1].map(() => new CacheHierarchy({ remote: new StoreLevel() })); // two processes

await here!.set('rate', 1.1, { tags: 'rates' });
console.log(await there!.getOrSet('rate', () => Promise.reject(new Error('not asked')))); // 1.1
console.log(there!.getMetrics().lower.remote?.hits); // 1

await here!.invalidateTags('rates');
console.log(await here!.get('rate'), store.size); // undefined 0
console.log(await there!.get('rate')); // 1.1
await Promise.all([here!.close(), there!.close()]);
