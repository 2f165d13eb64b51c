import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  applyDecorators,
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  Scope,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  CacheResponse,
  getCacheToken,
  InvalidArgumentError,
  InvalidOptionsError,
} from 'nestjs-cache-hierarchy';
import { CacheBinder } from '../../lib/binding/cache.binder.js';
import { boot, closeAll } from './boot.js';

/** Makes a class named PlacesService, with or without a key or a cache of its own. */
function placesService(options: { key?: (id: number) => string; cache?: string } = {}): Type<{
  find(id: number): Promise<string>;
}> {
  @Injectable()
  class PlacesService {
    @Cacheable(options)
    async find(id: number): Promise<string> {
      return `place ${id}`;
    }
  }
  return PlacesService;
}

/** Makes a controller named PlacesController, with or without a key of its own. */
function placesController(path: string, options: { key?: () => string } = {}): Type {
  @Controller(path)
  class PlacesController {
    @Get()
    @CacheResponse(options)
    find(): string {
      return path;
    }
  }
  return PlacesController;
}

class ApiClient {
  constructor(private readonly region: string) {}

  @Cacheable()
  async find(id: number): Promise<string> {
    return `${this.region} ${id}`;
  }
}

describe(CacheBinder.name, () => {
  let warn: jest.SpiedFunction<Logger['warn']>;

  beforeEach(() => {
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  });

  afterEach(async () => {
    warn.mockRestore();
    await closeAll();
  });

  it('refuses two classes of one name, with advice', async () => {
    const started = boot({
      providers: [placesService(), { provide: 'B', useClass: placesService() }],
    });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(/Two classes are named PlacesService.* Rename one/);
  });

  it('accepts two classes of one name when one has keys of its own', async () => {
    const keyed = placesService({ key: (id) => `keyed:${id}` });

    await expect(
      boot({ providers: [placesService(), { provide: 'B', useClass: keyed }] }),
    ).resolves.toBeDefined();
  });

  describe('with named caches', () => {
    const imports = [
      CacheHierarchyModule.forRoot(),
      CacheHierarchyModule.forFeature([{ name: 'rates' }, { name: 'places' }]),
    ];

    it('accepts two classes of one name in two caches', async () => {
      const [rates, places] = [{ cache: 'rates' }, { cache: 'places' }].map(placesService);
      const app = await boot({
        imports,
        providers: [placesService(), { provide: 'B', useClass: rates! }, places!],
      });

      for (const token of [places!, 'B']) expect(await app.get(token).find(1)).toBe('place 1');
      for (const name of ['rates', 'places'])
        expect(app.get(getCacheToken(name)).peek('PlacesService.find(1)')).toBe('place 1');
    });

    it('refuses two classes of one name in one of them', async () => {
      const [one, other] = [{ cache: 'rates' }, { cache: 'rates' }].map(placesService);
      const started = boot({ imports, providers: [one!, { provide: 'B', useClass: other! }] });

      await expect(started).rejects.toThrow(/Two classes are named PlacesService/);
    });
  });

  it('accepts two instances of one class that has keys of its own', async () => {
    const keyed = placesService({ key: (id) => `place:${id}` });

    await expect(
      boot({ providers: [keyed, { provide: 'B', useClass: keyed }] }),
    ).resolves.toBeDefined();
  });

  it('accepts one instance under two tokens', async () => {
    const PlacesService = placesService();

    await expect(
      boot({ providers: [PlacesService, { provide: 'ALIAS', useExisting: PlacesService }] }),
    ).resolves.toBeDefined();
  });

  it('refuses a second root, and names every problem of the application at once', async () => {
    @Module({ imports: [CacheHierarchyModule.forRoot({ ttl: '5s' })] })
    class PlacesModule {}
    const started = boot({
      imports: [CacheHierarchyModule.forRoot(), PlacesModule],
      providers: [
        placesService(),
        { provide: 'B', useClass: placesService() },
        { provide: 'EU', useFactory: () => new ApiClient('eu') },
        { provide: 'US', useFactory: () => new ApiClient('us') },
      ],
    });

    await expect(started).rejects.toThrow(/3 problems/);
    await expect(started).rejects.toThrow(/forRoot: was called 2 times.* Call forRoot/);
    await expect(started).rejects.toThrow(/Two classes are named PlacesService/);
    await expect(started).rejects.toThrow(/ApiClient: has 2 instances/);
  });

  it.each([
    ['above', [CacheResponse(), Cacheable() as MethodDecorator]],
    ['below', [Cacheable() as MethodDecorator, CacheResponse()]],
  ])('refuses @Cacheable and @CacheResponse on one method, %s', async (_name, decorators) => {
    @Controller()
    class PlacesController {
      @Get()
      @applyDecorators(...decorators)
      async find(): Promise<string> {
        return 'place';
      }
    }
    const started = boot({ controllers: [PlacesController] });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(
      /@CacheResponse on PlacesController.find: is on a method with @Cacheable.* Remove one/,
    );
  });

  it('refuses two controllers of one name whose routes have no path in their keys', async () => {
    const key = (): string => 'all';
    const started = boot({
      controllers: [placesController('admin', { key }), placesController('public')],
    });

    await expect(started).rejects.toThrow(
      /@CacheResponse on PlacesController.find: is there in 2 controllers.* Rename one/,
    );
  });

  it('accepts two controllers of one name whose keys have the path', async () => {
    await expect(
      boot({ controllers: [placesController('admin'), placesController('public')] }),
    ).resolves.toBeDefined();
  });

  it('accepts @Cacheable and @CacheResponse on two methods', async () => {
    @Controller()
    class PlacesController {
      @Get()
      @CacheResponse()
      find(): Promise<string> {
        return this.load();
      }

      @Cacheable()
      async load(): Promise<string> {
        return 'place';
      }
    }

    await expect(boot({ controllers: [PlacesController] })).resolves.toBeDefined();
  });

  it('accepts one root that several modules import', async () => {
    const cache = CacheHierarchyModule.forRoot();
    @Module({ imports: [cache] })
    class PlacesModule {}

    await expect(boot({ imports: [cache, PlacesModule] })).resolves.toBeDefined();
  });

  it('rejects calls of a class it could not see whose name is taken', async () => {
    const app = await boot({ providers: [placesService()] });
    const late = await app.get(ModuleRef).create(placesService());

    await expect(late.find(1)).rejects.toThrow(InvalidArgumentError);
    await expect(late.find(1)).rejects.toThrow(/Two classes are named PlacesService/);
  });

  it('warns of a transient class that derives keys', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class ClientService {
      @Cacheable()
      async find(id: number): Promise<string> {
        return `place ${id}`;
      }
    }

    await boot({ providers: [ClientService] });

    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/ClientService is transient/));
  });

  it('gives a class without a name the name of its base', async () => {
    const Wrapped = ((base: Type) => class extends base {})(placesService());
    const app = await boot({ providers: [{ provide: 'WRAPPED', useClass: Wrapped }] });

    await app.get<{ find(id: number): Promise<string> }>('WRAPPED').find(1);

    expect(app.get(CacheHierarchy).has('PlacesService.find(1)')).toBe(true);
  });

  it('warns of a request-scoped class that derives keys, and of no other', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class TenantService {
      @Cacheable()
      async find(id: number): Promise<string> {
        return `place ${id}`;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class KeyedService {
      @Cacheable({ key: (tenant: string) => tenant })
      async find(tenant: string): Promise<string> {
        return tenant;
      }
    }

    await boot({ providers: [TenantService, KeyedService, placesService()] });

    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/TenantService is request-scoped/));
  });

  it('warns once of @CacheResponse on methods of a class that is no controller', async () => {
    class Base {
      @CacheResponse()
      find(): string {
        return 'found';
      }
    }
    @Injectable()
    class PlacesService extends Base {
      @CacheResponse()
      list(): string {
        return 'listed';
      }
    }
    @Injectable()
    class QuietService extends Base {
      override find(): string {
        return 'found anew';
      }
    }
    @Controller()
    class BothController extends Base {}
    await boot({
      controllers: [placesController('a'), BothController],
      providers: [
        PlacesService,
        QuietService,
        BothController,
        { provide: 'again', useClass: PlacesService },
        { provide: 'alias', useExisting: PlacesService },
      ],
    });

    expect(warn.mock.calls).toEqual([
      [
        '@CacheResponse does nothing on PlacesService.list, PlacesService.find: it is for the routes of ' +
          'controllers. Use @Cacheable, which keeps what a method returns, whoever calls it.',
      ],
    ]);
  });
});
