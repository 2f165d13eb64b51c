import type { Redis } from 'ioredis';

/** What is cached: about 200 bytes. */
export interface Profile {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly string[];
  readonly about: string;
}

export function profileOf(id: number): Profile {
  return { id, name: `user ${id}`, tags: ['a', 'b', 'c'], about: 'x'.repeat(120) };
}

/** A cache of one process over a shared server. */
export interface SharedCache {
  get<T>(key: string): Promise<T | undefined>;
  getOrSet<T>(key: string, load: () => Promise<T>): Promise<T>;
  set(key: string, value: unknown): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Opens a cache in memory over a server, as a fleet is told to: copies are kept alike by messages. */
export type OpenShared = (client: Redis) => Promise<SharedCache>;

const TTL_MS = 600_000;
const MAX_ENTRIES = 100_000;

export const openOurs: OpenShared = async (client) => {
  const { CacheHierarchy } = await import('nestjs-cache-hierarchy');
  const { redisLevel } = await import('nestjs-cache-hierarchy/redis');
  const cache = new CacheHierarchy({
    ttl: TTL_MS,
    l1: { ttl: TTL_MS, maxEntries: MAX_ENTRIES },
    l2: false,
    remote: redisLevel({ client }),
    report: () => {},
  });
  while (cache.getMetrics().coherence?.proven !== true)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return cache;
};

export const openBentocache: OpenShared = async (client) => {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis');
  const connection = client.duplicate();
  connection.on('error', () => {});
  const { port } = client.options;
  const store = bentostore()
    .useL1Layer(memoryDriver({ maxItems: MAX_ENTRIES }))
    .useL2Layer(redisDriver({ connection }))
    .useBus(redisBusDriver({ connection: { host: '127.0.0.1', port } }));
  const cache = new BentoCache({ default: 'cache', ttl: TTL_MS, stores: { cache: store } });
  return {
    get: <T>(key: string) => cache.get<T>({ key }),
    getOrSet: (key, load) => cache.getOrSet({ key, factory: load }),
    set: (key, value) => cache.set({ key, value }),
    delete: (key) => cache.delete({ key }),
    close: () => cache.disconnect(),
  };
};

export const openCacheable: OpenShared = async (client) => {
  const { Cacheable } = await import('cacheable');
  const { default: KeyvRedis } = await import('@keyv/redis');
  const { RedisMessageProvider } = await import('@qified/redis');
  const { Qified } = await import('qified');
  const uri = `redis://127.0.0.1:${client.options.port}`;
  const messages = new RedisMessageProvider({ uri });
  const qified = new Qified({ messageProviders: [messages] });
  const secondary = new KeyvRedis(uri);
  const cache = new Cacheable({ secondary, ttl: TTL_MS, sync: { qified } });
  cache.on('error', () => {});
  // A connection of its provider that breaks would end the process.
  process.on('uncaughtException', () => {});
  return {
    get: <T>(key: string) => cache.get<T>(key),
    getOrSet: async <T>(key: string, load: () => Promise<T>) => (await cache.getOrSet(key, load))!,
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
    close: () => Promise.all([cache.disconnect(), qified.disconnect()]),
  };
};

/** No cache in memory at all: what a hit in Redis costs with the plain client. */
export const openPlain: OpenShared = async (client) => {
  const get = async <T>(key: string): Promise<T | undefined> => {
    const text = await client.get(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  };
  const set = (key: string, value: unknown): Promise<unknown> =>
    client.set(key, JSON.stringify(value), 'PX', TTL_MS);
  return {
    get,
    set,
    getOrSet: async (key, load) => {
      const found = await get<Awaited<ReturnType<typeof load>>>(key);
      if (found !== undefined) return found;
      const value = await load();
      await set(key, value);
      return value;
    },
    delete: (key) => client.del(key),
    close: async () => {},
  };
};
