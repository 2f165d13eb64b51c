/** A cache as the synchronous cases use it. */
export interface Store {
  get(key: string): number | undefined;
  set(key: string, value: number): unknown;
}

/** Returns what the cache holds, or what the loader gives it to hold: how applications read. */
export type ReadThrough = (key: string) => Promise<number>;

/** Long enough that nothing expires while it is measured. */
const TTL_MS = 600_000;

/** Opens a cache that has room for that many entries. */
export type OpenStore = (maxEntries: number) => Promise<Store>;

/** Opens a cache that reads through a loader. */
export type OpenReadThrough = (maxEntries: number, loader: ReadThrough) => Promise<ReadThrough>;

/** A bare `Map`: no lifetime, no bound. What no cache can be expected to beat when keys repeat. */
export const openMap: OpenStore = async () => new Map<string, number>();

/** lru-cache with a bound and a lifetime, as most applications set it up. */
export const openLruCache: OpenStore = async (maxEntries) => {
  const { LRUCache } = await import('lru-cache');
  return new LRUCache<string, number>({ max: maxEntries, ttl: TTL_MS });
};

/** Our memory level; `set` takes effect in the call, so its promise is not awaited here. */
export const openEnhancedAsyncTtlCache: OpenStore = async (maxEntries) => {
  const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
  const cache = new EnhancedAsyncTTLCache<number>({ maxEntries, ttl: TTL_MS });
  return {
    get: (key) => cache.getIfPresent(key),
    set: (key, value) => void cache.set(key, value),
  };
};

/** The least an awaited read can cost: an `async` function around `Map.get`, with no single flight. */
export const readThroughMap: OpenReadThrough = async (_maxEntries, loader) => {
  const map = new Map<string, number>();
  return async (key) => {
    const present = map.get(key);
    if (present !== undefined) return present;
    const loaded = await loader(key);
    map.set(key, loaded);
    return loaded;
  };
};

/** lru-cache's own read-through. */
export const readThroughLruCache: OpenReadThrough = async (maxEntries, loader) => {
  const { LRUCache } = await import('lru-cache');
  const cache = new LRUCache<string, number>({
    max: maxEntries,
    ttl: TTL_MS,
    fetchMethod: (key) => loader(key),
  });
  return async (key) => (await cache.fetch(key))!;
};

/** Our memory level's read-through. */
export const readThroughEnhancedAsyncTtlCache: OpenReadThrough = async (maxEntries, loader) => {
  const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
  const cache = new EnhancedAsyncTTLCache<number>({ maxEntries, ttl: TTL_MS });
  return (key) => cache.getOrSet(key, () => loader(key));
};

/** The whole hierarchy with its two built-in levels. */
export const readThroughCacheHierarchy: OpenReadThrough = async (maxEntries, loader) => {
  const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
  const level = { maxEntries, ttl: TTL_MS };
  const cache = new CacheHierarchy({ l1: level, l2: level });
  return (key) => cache.getOrSet(key, () => loader(key));
};
