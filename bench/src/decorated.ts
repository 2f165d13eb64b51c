import { createRequire } from 'node:module';

/** What is asked for in the cases with an object. */
export interface PlaceQuery {
  readonly id: string;
  readonly language: string;
  readonly page: number;
}

/** A service whose methods return the length of the identifier; decorated, they do it once for each. */
export interface Places {
  /** Its only argument makes the key. */
  find(id: string): Promise<number>;
  /** Its only argument makes the key, and has three properties. */
  search(query: PlaceQuery): Promise<number>;
  /** Says itself what the key is. */
  findByKey(id: string): Promise<number>;
}

/** Makes a service whose cache has room for that many entries. */
export type OpenPlaces = (maxEntries: number) => Promise<Places>;

const TTL_SECONDS = 600;

/** The key that each library is told to use. */
const keyOf = (id: string): string => `place:${id}`;

/** The methods without a decorator. */
export const undecorated: OpenPlaces = async () => {
  class PlainPlaces implements Places {
    async find(id: string): Promise<number> {
      return id.length;
    }
    async search({ id }: PlaceQuery): Promise<number> {
      return id.length;
    }
    async findByKey(id: string): Promise<number> {
      return id.length;
    }
  }
  return new PlainPlaces();
};

/** Our `@Cacheable` in an application, as Nest makes the service. */
export const withCacheable: OpenPlaces = async (maxEntries) => {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { Cacheable, CacheHierarchyModule } = await import('nestjs-cache-hierarchy');

  class DecoratedPlaces implements Places {
    @Cacheable()
    async find(id: string): Promise<number> {
      return id.length;
    }
    @Cacheable()
    async search({ id }: PlaceQuery): Promise<number> {
      return id.length;
    }
    @Cacheable({ key: keyOf })
    async findByKey(id: string): Promise<number> {
      return id.length;
    }
  }
  const level = { maxEntries, ttl: TTL_SECONDS * 1_000 };
  @Module({
    imports: [CacheHierarchyModule.forRoot({ l1: level, l2: level, report: () => {} })],
    providers: [DecoratedPlaces],
  })
  class Application {}
  const application = await NestFactory.createApplicationContext(Application, { logger: false });
  return application.get(DecoratedPlaces);
};

/** type-cacheable over lru-cache; its lifetimes are seconds. */
export const withTypeCacheable: OpenPlaces = async (max) => {
  const { Cacheable } = await import('@type-cacheable/core');
  const { useAdapter } = await import('@type-cacheable/lru-cache-adapter');
  const { LRUCache } = await import('lru-cache');
  const store = new LRUCache<string, object>({ max, ttl: TTL_SECONDS * 1_000 });
  // The types of lru-cache for require and for import are two, to the compiler.
  useAdapter(store as never);

  class TypeCacheablePlaces implements Places {
    @Cacheable({ ttlSeconds: TTL_SECONDS })
    async find(id: string): Promise<number> {
      return id.length;
    }
    @Cacheable({ ttlSeconds: TTL_SECONDS })
    async search({ id }: PlaceQuery): Promise<number> {
      return id.length;
    }
    @Cacheable({ ttlSeconds: TTL_SECONDS, cacheKey: ([id]: string[]) => keyOf(id!) })
    async findByKey(id: string): Promise<number> {
      return id.length;
    }
  }
  return new TypeCacheablePlaces();
};

/** nestjs-cacheable over the memory store of the cache-manager that it asks for, version 5. */
export const withNestjsCacheable: OpenPlaces = async (max) => {
  const { Cacheable, CacheableModule } = await import('nestjs-cacheable');
  const fromThere = createRequire(import.meta.resolve('nestjs-cacheable'));
  const { caching } = fromThere('cache-manager') as CacheManager5;
  const ttl = TTL_SECONDS * 1_000;
  // What Nest would do with the module: its constructor is all that the decorator needs.
  Reflect.construct(CacheableModule, [await caching('memory', { max, ttl })]);

  class NestjsCacheablePlaces implements Places {
    @Cacheable({ ttl })
    async find(id: string): Promise<number> {
      return id.length;
    }
    @Cacheable({ ttl })
    async search({ id }: PlaceQuery): Promise<number> {
      return id.length;
    }
    @Cacheable({ ttl, key: keyOf })
    async findByKey(id: string): Promise<number> {
      return id.length;
    }
  }
  return new NestjsCacheablePlaces();
};

interface CacheManager5 {
  readonly caching: (
    store: 'memory',
    options: { readonly max: number; readonly ttl: number },
  ) => Promise<object>;
}
