import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  CacheHierarchy,
  CacheHierarchyModule,
  getCacheToken,
  InjectCache,
  InvalidArgumentError,
  InvalidOptionsError,
  type CacheHierarchyOptions,
  type NamedCacheOptions,
} from 'nestjs-cache-hierarchy';
import { CacheRegistry, registryOf } from '../../lib/binding/cache.registry.js';
import { bootAlone, closeAll } from './boot.js';

@Injectable()
class SessionsService {
  constructor(
    @InjectCache('sessions') readonly sessions: CacheHierarchy,
    @Inject(getCacheToken('sessions')) readonly byToken: CacheHierarchy,
    @InjectCache() readonly main: CacheHierarchy,
  ) {}
}

/** Starts an application with a default cache and these named ones. */
function bootWith(...caches: NamedCacheOptions[]): Promise<TestingModule> {
  return bootAlone({
    imports: [CacheHierarchyModule.forRoot(), CacheHierarchyModule.forFeature(caches)],
  });
}

function named(app: TestingModule, name: string): CacheHierarchy {
  return app.get(getCacheToken(name));
}

function feature(...caches: NamedCacheOptions[]): DynamicModule {
  return CacheHierarchyModule.forFeature(caches);
}

describe('named caches', () => {
  afterEach(closeAll);

  it('are injected by name, and are not the default cache', async () => {
    @Module({ imports: [feature({ name: 'sessions' })], providers: [SessionsService] })
    class SessionsModule {}

    const app = await bootAlone({ imports: [SessionsModule, CacheHierarchyModule.forRoot()] });
    const { sessions, byToken, main } = app.get(SessionsService);

    expect(sessions).toBeInstanceOf(CacheHierarchy);
    expect(byToken).toBe(sessions);
    expect(main).toBe(app.get(CacheHierarchy));
    expect(sessions).not.toBe(main);
  });

  it('are made by factories, also by asynchronous ones that get what they inject', async () => {
    @Module({ providers: [{ provide: 'SHARDS', useValue: 3 }], exports: ['SHARDS'] })
    class ShardsModule {}

    const app = await bootAlone({
      imports: [
        CacheHierarchyModule.forRootAsync({ useFactory: async () => ({ l2: false }) }),
        CacheHierarchyModule.forFeatureAsync([
          {
            name: 'sessions',
            imports: [ShardsModule],
            inject: ['SHARDS'],
            useFactory: async (numShards: number) => ({ l1: { numShards } }),
          },
          { name: 'rates', useFactory: () => ({ l2: {} }) },
        ]),
      ],
    });

    expect(named(app, 'sessions').getMetrics().levels.L1.shards).toHaveLength(3);
    expect(named(app, 'sessions').l2).toBeNull();
    expect(named(app, 'rates').l2).not.toBeNull();
  });

  it('hold entries and tags of their own, and are cleared alone', async () => {
    const app = await bootWith({ name: 'sessions' }, { name: 'rates' });
    const caches = [app.get(CacheHierarchy), named(app, 'sessions'), named(app, 'rates')];
    const values = (): unknown[] => caches.map((cache) => cache.peek('key'));
    for (const [index, cache] of caches.entries()) await cache.set('key', index, { tags: 'tag' });

    expect(values()).toEqual([0, 1, 2]);
    await caches[0]!.clear();
    expect(values()).toEqual([undefined, 1, 2]);
    await caches[1]!.invalidateTags('tag');
    expect(values()).toEqual([undefined, undefined, 2]);
  });

  it('are found only where their module is imported', async () => {
    @Module({ imports: [feature({ name: 'sessions' })] })
    class SessionsModule {}

    const started = bootAlone({
      imports: [CacheHierarchyModule.forRoot(), SessionsModule],
      providers: [SessionsService],
    });

    await expect(started).rejects.toThrow(/can't resolve dependencies of the SessionsService/);
    await expect(started).rejects.toThrow(/nestjs-cache-hierarchy:cache:sessions/);
  });

  it('are found through a module that exports CacheHierarchyModule', async () => {
    @Module({ imports: [feature({ name: 'sessions' })], exports: [CacheHierarchyModule] })
    class SessionsModule {}

    const app = await bootAlone({
      imports: [CacheHierarchyModule.forRoot(), SessionsModule],
      providers: [SessionsService],
    });

    expect(app.get(SessionsService).sessions).toBe(named(app, 'sessions'));
  });

  it('are one cache where several modules import what forFeature returned', async () => {
    const sessions = feature({ name: 'sessions' });
    @Module({ imports: [sessions], providers: [SessionsService] })
    class OtherModule {}

    const app = await bootAlone({
      imports: [CacheHierarchyModule.forRoot(), sessions, OtherModule],
      providers: [{ provide: 'HERE', useClass: SessionsService }],
    });

    expect(app.get<SessionsService>('HERE').sessions).toBe(app.get(SessionsService).sessions);
  });

  it('need no global root', async () => {
    const root = CacheHierarchyModule.forRoot({ isGlobal: false, l1: { numShards: 2 } });
    @Module({ imports: [feature({ name: 'sessions' })] })
    class SessionsModule {}

    const app = await bootAlone({ imports: [SessionsModule, root] });

    expect(named(app, 'sessions').getMetrics().levels.L1.shards).toHaveLength(2);
  });

  it('come with a module that is loaded lazily', async () => {
    @Module({ imports: [feature({ name: 'sessions' })], providers: [SessionsService] })
    class SessionsModule {}
    const app = await bootAlone({ imports: [CacheHierarchyModule.forRoot({ l2: false })] });

    const lazy = await app.get(LazyModuleLoader).load(() => SessionsModule);
    const { sessions } = lazy.get(SessionsService);

    expect(sessions.l2).toBeNull();
    expect(app.get(CacheRegistry).get('sessions')).toBe(sessions);
    await app.close();
    expect(sessions.active).toBe(false);
  });

  it('do not start without a default cache', async () => {
    const started = bootAlone({ imports: [feature({ name: 'sessions' })] });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(
      "CacheHierarchy 'sessions' has 1 problem in its options:\n  - forFeature: has no default cache " +
        'to inherit from. Call CacheHierarchyModule.forRoot or forRootAsync once, in the root module.',
    );
  });

  @Injectable()
  class LimitsService {
    constructor(@InjectCache('sessions') readonly sessions: CacheHierarchy) {}
  }

  @Injectable()
  class SlowLimitsService {
    @InjectCache('sessions') readonly sessions!: CacheHierarchy;

    constructor(@Inject('CONNECTION') readonly connection: unknown) {}
  }

  it.each([
    ['at once', LimitsService],
    ['later', SlowLimitsService],
  ])('do not start where the options of the default cache wait for one, %s', async (_, service) => {
    const connection = { provide: 'CONNECTION', useFactory: () => delay(20) };
    @Module({
      imports: [feature({ name: 'sessions' })],
      providers: [service, connection],
      exports: [service],
    })
    class LimitsModule {}
    const useFactory = (): CacheHierarchyOptions => ({});
    const root = CacheHierarchyModule.forRootAsync({
      imports: [LimitsModule],
      inject: [service],
      useFactory,
    });

    await expect(bootAlone({ imports: [root, LimitsModule] })).rejects.toThrow(
      "CacheHierarchy 'sessions' has 1 problem in its options:\n  - forRootAsync: needs this cache, " +
        'which waits for the options of the default one: neither would ever be there. Have its ' +
        'useFactory, useClass or useExisting inject nothing that injects this cache.',
    );
  });

  it('show why the default cache did not start', async () => {
    const started = bootAlone({
      imports: [feature({ name: 'sessions' }), CacheHierarchyModule.forRoot({ ttl: -1 })],
    });

    await expect(started).rejects.toThrow(/^CacheHierarchyModule has 1 problem.*\n {2}- ttl: /);
  });

  it('are refused when two modules give one name', async () => {
    @Module({ imports: [feature({ name: 'sessions', ttl: '5s' })] })
    class SessionsModule {}

    const started = bootAlone({
      imports: [CacheHierarchyModule.forRoot(), SessionsModule, feature({ name: 'sessions' })],
    });

    await expect(started).rejects.toThrow(
      /^CacheHierarchy 'sessions' has 1 problem.*\n.*name: is given twice.*Call forFeature once/,
    );
  });

  it('are refused beside two roots, which are refused', async () => {
    const started = bootAlone({
      imports: [
        CacheHierarchyModule.forRoot(),
        CacheHierarchyModule.forRoot(),
        feature({ name: 'sessions' }),
      ],
    });

    await expect(started).rejects.toThrow(/forRoot: was called 2 times.* Call forRoot/);
  });

  it('refuse bad names, and names given twice, before anything is started', () => {
    const names = ['sessions', '', 'a b', 'a'.repeat(33), 'sessions', undefined] as string[];

    expect(() => feature(...names.map((name) => ({ name })))).toThrow(
      expect.objectContaining({
        code: 'CACHE_INVALID_OPTIONS',
        problems: [
          { option: '[1].name', message: expect.stringMatching(/^must be 1 to 32 .*, got ""$/) },
          { option: '[2].name', message: expect.stringMatching(/got "a b"$/) },
          { option: '[3].name', message: expect.stringMatching(/got "a+"$/) },
          { option: '[4].name', message: 'must not be given twice, got "sessions"' },
          { option: '[5].name', message: expect.stringMatching(/got undefined$/) },
        ],
      }),
    );
    expect(() => getCacheToken('a b')).toThrow(InvalidArgumentError);
    expect(() => InjectCache('a b')).toThrow(/A cache's name must be 1 to 32 .*, got "a b"\./);
    expect(() => CacheHierarchyModule.forFeature({ name: 'a' } as never)).toThrow(
      /must be an array with one object for each cache/,
    );
  });

  it('refuse what is no factory, or has an unknown field', () => {
    const cache = { name: 'sessions', ttl: '5s' };

    expect(() => CacheHierarchyModule.forFeatureAsync([cache as never])).toThrow(
      expect.objectContaining({
        problems: [
          { option: '[0].useFactory', message: expect.stringMatching(/^must be a function/) },
          { option: '[0].ttl', message: expect.stringMatching(/^is unknown/) },
        ],
      }),
    );
  });

  it('make the module itself, imported without forRoot, an error', async () => {
    await expect(bootAlone({ imports: [CacheHierarchyModule] })).rejects.toThrow(
      /imports: has the class itself, which makes no cache\. Import what forRoot/,
    );
  });

  it('are known to the registry of their application, doubles included', async () => {
    const double = { get: async () => 'double' };
    const app = await bootWith({ name: 'sessions' });
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot(), feature({ name: 'sessions' })],
    })
      .overrideProvider(getCacheToken('sessions'))
      .useValue(double)
      .compile();

    const registry = registryOf(app.get(CacheHierarchy));
    const other = registryOf(compiled.get(CacheHierarchy));

    expect(registry?.get('sessions')).toBe(named(app, 'sessions'));
    expect(registry?.get()).toBe(app.get(CacheHierarchy));
    expect(registry?.get('rates')).toBeUndefined();
    expect([...(registry?.entries() ?? [])]).toEqual([['sessions', named(app, 'sessions')]]);
    expect(other?.get('sessions')).toBe(double);
    await expect(compiled.close()).resolves.toBeUndefined();
  });

  it('start beside a double of the default cache', async () => {
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot(), feature({ name: 'sessions' })],
    })
      .overrideProvider(CacheHierarchy)
      .useValue({ get: async () => 'double' })
      .compile();

    expect(compiled.get(getCacheToken('sessions'))).toBeInstanceOf(CacheHierarchy);
    await expect(compiled.close()).resolves.toBeUndefined();
  });
});
