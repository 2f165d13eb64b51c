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

/** ttlcache: a lifetime and a bound; who is evicted is who expires first. */
export const openTtlCache: OpenStore = async (max) => {
  const { TTLCache } = await import('@isaacs/ttlcache');
  return new TTLCache<string, number>({ max, ttl: TTL_MS });
};

/** quick-lru: two generations of Maps; `maxSize` is half of what it may hold. */
export const openQuickLru: OpenStore = async (maxSize) => {
  const { default: QuickLRU } = await import('quick-lru');
  return new QuickLRU<string, number>({ maxSize, maxAge: TTL_MS });
};

/** toad-cache: a linked list with a lifetime. */
export const openToadCache: OpenStore = async (maxEntries) => {
  const { LruMap } = await import('toad-cache');
  return new LruMap<number>(maxEntries, TTL_MS);
};

/** mnemonist's LRU over typed arrays; it has no lifetime. */
export const openMnemonist: OpenStore = async (maxEntries) => {
  const { LRUMap } = await import('mnemonist');
  return new LRUMap<string, number>(maxEntries);
};

/** node-cache: a lifetime; beyond its bound it refuses, so it gets none. Values are not cloned. */
export const openNodeCache: OpenStore = async () => {
  const { default: NodeCache } = await import('node-cache');
  const cache = new NodeCache({ stdTTL: TTL_MS / 1_000, useClones: false });
  return { get: (key) => cache.get<number>(key), set: (key, value) => cache.set(key, value) };
};

/** cacheable's memory store: a lifetime and a bound; values are not cloned. */
export const openCacheableMemory: OpenStore = async (lruSize) => {
  const { CacheableMemory } = await import('@cacheable/memory');
  const cache = new CacheableMemory({ ttl: TTL_MS, lruSize, useClone: false });
  return {
    get: (key) => cache.get<number>(key),
    set: (key, value) => {
      cache.set(key, value);
    },
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

/** Our memory level's read-through, with a loader that is made once and told the key. */
export const readThroughEnhancedAsyncTtlCache: OpenReadThrough = async (maxEntries, loader) => {
  const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
  const cache = new EnhancedAsyncTTLCache<number>({ maxEntries, ttl: TTL_MS });
  const load = ({ key }: { readonly key: string }): Promise<number> => loader(key);
  return (key) => cache.getOrSet(key, load);
};

/** The same with a loader that is made for the call, around the key. */
export const readThroughWithNewLoaders: OpenReadThrough = async (maxEntries, loader) => {
  const { EnhancedAsyncTTLCache } = await import('nestjs-cache-hierarchy');
  const cache = new EnhancedAsyncTTLCache<number>({ maxEntries, ttl: TTL_MS });
  return (key) => cache.getOrSet(key, () => loader(key));
};

/** An `async` function around `Map.get` that takes a loader made for the call. */
export const readThroughMapWithNewLoaders: OpenReadThrough = async (_maxEntries, loader) => {
  const map = new Map<string, number>();
  const read = async (key: string, load: () => Promise<number>): Promise<number> => {
    const present = map.get(key);
    if (present !== undefined) return present;
    const loaded = await load();
    map.set(key, loaded);
    return loaded;
  };
  return (key) => read(key, () => loader(key));
};

/** async-cache-dedupe with its in-memory storage; a lifetime in seconds. */
export const readThroughAsyncCacheDedupe: OpenReadThrough = async (maxEntries, loader) => {
  const { createCache } = await import('async-cache-dedupe');
  const storage = { type: 'memory' as const, options: { size: maxEntries } };
  const cache = createCache({ ttl: TTL_MS / 1_000, storage }).define('load', loader);
  return (key) => cache.load(key);
};

/** cache-manager's `wrap` over its default store, which has no bound. */
export const readThroughCacheManager: OpenReadThrough = async (_maxEntries, loader) => {
  const { createCache } = await import('cache-manager');
  const cache = createCache({ ttl: TTL_MS });
  return (key) => cache.wrap(key, () => loader(key));
};

/** cacheable's `getOrSet` over its memory store. */
export const readThroughCacheable: OpenReadThrough = async (_maxEntries, loader) => {
  const { Cacheable } = await import('cacheable');
  const cache = new Cacheable({ ttl: TTL_MS });
  return async (key) => (await cache.getOrSet(key, () => loader(key)))!;
};

/** bentocache's `getOrSet` over its memory driver. */
export const readThroughBentocache: OpenReadThrough = async (maxItems, loader) => {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const memory = bentostore().useL1Layer(memoryDriver({ maxItems, serialize: false }));
  const cache = new BentoCache({ default: 'memory', ttl: TTL_MS, stores: { memory } });
  return (key) => cache.getOrSet({ key, factory: () => loader(key) });
};

/** The whole hierarchy with its two built-in levels, of one bound: what it advises on that is not heard. */
export const readThroughCacheHierarchy: OpenReadThrough = async (maxEntries, loader) => {
  const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
  const level = { maxEntries, ttl: TTL_MS };
  const cache = new CacheHierarchy({ l1: level, l2: level, report: () => {} });
  const load = ({ key }: { readonly key: string }): Promise<number> => loader(key);
  return (key) => cache.getOrSet(key, load);
};
