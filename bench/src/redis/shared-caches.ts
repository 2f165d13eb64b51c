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
  get(key: string): Promise<Profile | undefined>;
  set(key: string, value: Profile): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Opens a cache in memory over the server of a client. */
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
  });
  while (cache.getMetrics().coherence?.proven !== true)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    get: (key) => cache.get<Profile>(key),
    set: (key, value) => cache.set(key, value),
    close: () => cache.close(),
  };
};

export const openBentocache: OpenShared = async (client) => {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const { redisDriver } = await import('bentocache/drivers/redis');
  const connection = client.duplicate();
  const store = bentostore()
    .useL1Layer(memoryDriver({ maxItems: MAX_ENTRIES }))
    .useL2Layer(redisDriver({ connection }));
  const cache = new BentoCache({ default: 'cache', ttl: TTL_MS, stores: { cache: store } });
  return {
    get: (key) => cache.get<Profile>({ key }),
    set: (key, value) => cache.set({ key, value }),
    close: () => cache.disconnect(),
  };
};

export const openCacheable: OpenShared = async (client) => {
  const { Cacheable } = await import('cacheable');
  const { default: KeyvRedis } = await import('@keyv/redis');
  const { port } = client.options;
  const secondary = new KeyvRedis(`redis://127.0.0.1:${port}`);
  const cache = new Cacheable({ secondary, ttl: TTL_MS });
  return {
    get: (key) => cache.get<Profile>(key),
    set: (key, value) => cache.set(key, value),
    close: () => cache.disconnect(),
  };
};

/** No cache in memory at all: what a hit in Redis costs with the plain client. */
export const openPlain: OpenShared = async (client) => ({
  get: async (key) => {
    const text = await client.get(key);
    return text === null ? undefined : (JSON.parse(text) as Profile);
  },
  set: (key, value) => client.set(key, JSON.stringify(value), 'PX', TTL_MS),
  close: async () => {},
});
