import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  forwardRef,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  Scope,
  SetMetadata,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import {
  ContextIdFactory,
  LazyModuleLoader,
  ModuleRef,
  NestFactory,
  type ContextId,
  type ContextIdStrategy,
} from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  cacheKeyOf,
  CACHE_L1,
  InvalidArgumentError,
  InvalidOptionsError,
} from 'nestjs-cache-hierarchy';
import { boot, bootAlone, closeAll, start } from './boot.js';

/** The method of most cases, and how often its body has run. */
@Injectable()
class PlacesService {
  runs = 0;

  @Cacheable()
  async find(id: number): Promise<string> {
    this.runs += 1;
    return `${this.constructor.name} ${id}`;
  }
}

interface Counted {
  readonly runs: number;
  find(id: number): Promise<unknown>;
}

/** Calls the method twice, and tells how often it has run since the start. */
async function runsOfTwoCalls(places: Counted): Promise<number> {
  await places.find(1);
  await places.find(1);
  return places.runs;
}

/** Boots an application of one provider, and tells how often two calls have run. */
async function runsIn(provider: Provider): Promise<number> {
  const app = await boot({ providers: [provider] });
  return runsOfTwoCalls(app.get(PlacesService));
}

/** Calls the method of two instances, and tells how often it has run. */
async function runsOfTwoInstances(app: TestingModule): Promise<number> {
  const first = await app.resolve(PlacesService, ContextIdFactory.create());
  const second = await app.resolve(PlacesService, ContextIdFactory.create());
  expect(first).not.toBe(second);
  await first.find(1);
  await second.find(1);
  return first.runs + second.runs;
}

/** Applies the decorator as the compiler does, to what its types do not let through. */
function decorate(target: object, name: string): void {
  const decorator = Cacheable() as (...args: unknown[]) => void;
  decorator(target, name, Object.getOwnPropertyDescriptor(target, name));
}

/**
 * Every way in which Nest makes the host of a decorated method or calls one, by the name that it has in
 * the comparison of the designs. Unless a case is about applications, another one with a cache of its
 * own is in the process, so that no method finds its cache just because there is only one.
 */
describe('the 36 cases of binding a method to its cache', () => {
  afterEach(closeAll);

  it('1. singleton: the second call is answered', async () => {
    expect(await runsIn(PlacesService)).toBe(1);
  });

  it('2. self-call this.m(): is answered', async () => {
    @Injectable()
    class SelfCallingService extends PlacesService {
      both(): Promise<string[]> {
        return Promise.all([this.find(1), this.find(1)]);
      }
    }
    const app = await boot({ providers: [SelfCallingService] });

    await app.get(SelfCallingService).both();

    expect(app.get(SelfCallingService).runs).toBe(1);
  });

  it('3. call in own onModuleInit: is answered, and fills the cache', async () => {
    @Injectable()
    class EarlyService extends PlacesService implements OnModuleInit {
      async onModuleInit(): Promise<void> {
        await this.find(1);
      }
    }
    const app = await boot({ providers: [EarlyService] });

    expect(await runsOfTwoCalls(app.get(EarlyService))).toBe(1);
  });

  it('4. cached body calling another cached method of this: both are answered', async () => {
    @Injectable()
    class NestedService extends PlacesService {
      @Cacheable()
      async findBoth(): Promise<string[]> {
        return [await this.find(1), await this.find(1)];
      }
    }
    const app = await boot({ providers: [NestedService] });
    const places = app.get(NestedService);

    await places.findBoth();
    await places.findBoth();

    expect(places.runs).toBe(1);
    expect(app.get(CacheHierarchy).has(cacheKeyOf(NestedService, 'find', [1]))).toBe(true);
    expect(app.get(CacheHierarchy).has(cacheKeyOf(NestedService, 'findBoth', []))).toBe(true);
  });

  it.each([
    ['5. REQUEST scope', { scope: Scope.REQUEST }],
    ['6. TRANSIENT scope', { scope: Scope.TRANSIENT }],
  ])('%s: instances share entries', async (_, options) => {
    const provider = { provide: PlacesService, useClass: PlacesService, ...options };

    expect(await runsOfTwoInstances(await boot({ providers: [provider] }))).toBe(1);
  });

  it('7. durable: the instances of the tenants share entries', async () => {
    const options = { scope: Scope.REQUEST, durable: true } as const;
    const provider = { provide: PlacesService, useClass: PlacesService, ...options };
    const app = await boot({ providers: [provider] });
    const former = Reflect.get(ContextIdFactory, 'strategy') as ContextIdStrategy;
    ContextIdFactory.apply(tenantStrategy());
    const placesOf = (tenant: string): Promise<PlacesService> =>
      app.resolve(PlacesService, ContextIdFactory.getByRequest({ tenant }));

    try {
      const [first, again, other] = [await placesOf('a'), await placesOf('a'), await placesOf('b')];

      expect([again === first, other === first]).toEqual([true, false]);
      expect([await runsOfTwoCalls(first), await runsOfTwoCalls(other)]).toEqual([1, 0]);
    } finally {
      ContextIdFactory.apply(former);
    }
  });

  it('8. call during instantiation, by the async factory of another provider: is answered', async () => {
    const home = {
      provide: 'HOME',
      inject: [PlacesService],
      useFactory: (places: PlacesService) => places.find(1),
    };
    const app = await boot({ providers: [PlacesService, home] });

    expect(await app.get(PlacesService).find(1)).toBe(app.get('HOME'));
    expect(app.get(PlacesService).runs).toBe(1);
  });

  it('9. inherited method: each subclass has keys of its own', async () => {
    @Injectable()
    class CitiesService extends PlacesService {}
    @Injectable()
    class VillagesService extends PlacesService {}
    const app = await boot({ providers: [CitiesService, VillagesService] });
    const [cities, villages] = [app.get(CitiesService), app.get(VillagesService)];

    expect(await cities.find(1)).toBe('CitiesService 1');
    expect(await villages.find(1)).toBe('VillagesService 1');
    expect(await cities.find(1)).toBe('CitiesService 1');
    expect([cities.runs, villages.runs]).toEqual([1, 1]);
  });

  it('10. subclass with own @Inject: is answered, and gets what it injects', async () => {
    @Injectable()
    class CitiesService extends PlacesService {
      @Inject('COUNTRY') readonly country!: string;
    }
    const app = await boot({
      providers: [CitiesService, { provide: 'COUNTRY', useValue: 'fr' }],
    });

    expect(await runsOfTwoCalls(app.get(CitiesService))).toBe(1);
    expect(app.get(CitiesService).country).toBe('fr');
  });

  it('11. super.m() from undecorated override: is answered', async () => {
    @Injectable()
    class CitiesService extends PlacesService {
      override async find(id: number): Promise<string> {
        return `city: ${await super.find(id)}`;
      }
    }
    const app = await boot({ providers: [CitiesService] });

    expect(await runsOfTwoCalls(app.get(CitiesService))).toBe(1);
    expect(await app.get(CitiesService).find(1)).toBe('city: CitiesService 1');
  });

  it('12. metadata of decorators above and below: is on the method', () => {
    class Decorated {
      @SetMetadata('above', 1)
      @Cacheable()
      @SetMetadata('below', 2)
      async find(): Promise<void> {}
    }
    const find: unknown = Reflect.get(Decorated.prototype, 'find');

    expect(Reflect.getMetadata('above', find as object)).toBe(1);
    expect(Reflect.getMetadata('below', find as object)).toBe(2);
  });

  it('13. function name and length: are kept', () => {
    class Decorated {
      @Cacheable()
      async find(_id: number, _language: string): Promise<void> {}
    }

    const find = Reflect.get(Decorated.prototype, 'find');

    expect([find.name, find.length]).toEqual(['find', 2]);
  });

  it('14. symbol-named method: is answered', async () => {
    const find = Symbol('find');
    @Injectable()
    class SymbolsService {
      runs = 0;

      @Cacheable()
      async [find](): Promise<number> {
        return (this.runs += 1);
      }
    }
    const app = await boot({ providers: [SymbolsService] });
    const places = app.get(SymbolsService);

    expect([await places[find](), await places[find]()]).toEqual([1, 1]);
    expect(places.runs).toBe(1);
    expect(app.get(CacheHierarchy).has('SymbolsService.@"find"()')).toBe(true);
  });

  it('15. #private fields and #methods in body: are reached', async () => {
    @Injectable()
    class PrivateService {
      #runs = 0;

      get runs(): number {
        return this.#runs;
      }

      @Cacheable()
      async find(id: number): Promise<string> {
        return this.#load(id);
      }

      #load(id: number): string {
        this.#runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [PrivateService] });

    expect(await runsOfTwoCalls(app.get(PrivateService))).toBe(1);
  });

  it('16. getter: is refused at decoration, with advice', () => {
    class Decorated {
      get first(): Promise<number> {
        return Promise.resolve(1);
      }
    }
    const refused = (): void => decorate(Decorated.prototype, 'first');

    expect(refused).toThrow(InvalidArgumentError);
    expect(refused).toThrow(/can not cache the accessor first: make it a method/);
  });

  it('17. static method: is refused at decoration, with advice', () => {
    class Decorated {
      static async count(): Promise<number> {
        return 1;
      }
    }
    const refused = (): void => decorate(Decorated, 'count');

    expect(refused).toThrow(InvalidArgumentError);
    expect(refused).toThrow(/can not cache the static method count: make it a method of/);
  });

  it('18. overrideProvider(mock): is left alone', async () => {
    const find = jest.fn(async () => 'mock');
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      providers: [PlacesService],
    })
      .overrideProvider(PlacesService)
      .useValue({ find })
      .compile();
    const places = (await start(compiled)).get(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(find).toHaveBeenCalledTimes(2);
  });

  it('19. spyOn(instance) and restore: the spy answers, then the cache again', async () => {
    const places = (await boot({ providers: [PlacesService] })).get(PlacesService);
    const spy = jest.spyOn(places, 'find').mockResolvedValue('spied');

    expect(await places.find(1)).toBe('spied');
    spy.mockRestore();

    expect(await runsOfTwoCalls(places)).toBe(1);
  });

  it('20. spyOn(Class.prototype) after init: the spy answers', async () => {
    const places = (await boot({ providers: [PlacesService] })).get(PlacesService);
    const spy = jest.spyOn(PlacesService.prototype, 'find').mockResolvedValue('spied');

    expect(await places.find(1)).toBe('spied');
    spy.mockRestore();

    expect(await runsOfTwoCalls(places)).toBe(1);
  });

  it('21. two apps in one process: each has its own entries', async () => {
    const first = await boot({ providers: [PlacesService] });
    const second = await boot({ providers: [PlacesService] });

    expect(await runsOfTwoCalls(first.get(PlacesService))).toBe(1);
    expect(await runsOfTwoCalls(second.get(PlacesService))).toBe(1);
    expect([first.get(CACHE_L1).size, second.get(CACHE_L1).size]).toEqual([1, 1]);
  });

  it('22. useFactory: is answered', async () => {
    expect(await runsIn({ provide: PlacesService, useFactory: () => new PlacesService() })).toBe(1);
  });

  it('23. useValue: is answered', async () => {
    expect(await runsIn({ provide: PlacesService, useValue: new PlacesService() })).toBe(1);
  });

  it('24. useFactory, two apps: each has its own entries', async () => {
    const provider = { provide: PlacesService, useFactory: () => new PlacesService() };
    const first = await boot({ providers: [provider] });
    const second = await boot({ providers: [provider] });

    expect(await runsOfTwoCalls(first.get(PlacesService))).toBe(1);
    expect(await runsOfTwoCalls(second.get(PlacesService))).toBe(1);
    expect([first.get(CACHE_L1).size, second.get(CACHE_L1).size]).toEqual([1, 1]);
  });

  it('25. useFactory REQUEST-scoped: instances share entries where one app is in the process', async () => {
    const provider = {
      provide: PlacesService,
      scope: Scope.REQUEST,
      useFactory: () => new PlacesService(),
    };

    expect(await runsOfTwoInstances(await bootAlone({ providers: [provider] }))).toBe(1);
  });

  it('26. moduleRef.create(): is answered', async () => {
    const app = await boot({});

    expect(await runsOfTwoCalls(await app.get(ModuleRef).create(PlacesService))).toBe(1);
  });

  it('27. lazy-loaded module: is answered', async () => {
    @Module({ providers: [PlacesService] })
    class PlacesModule {}
    const app = await boot({});
    const lazy = await app.get(LazyModuleLoader).load(() => PlacesModule);

    expect(await runsOfTwoCalls(lazy.get(PlacesService))).toBe(1);
  });

  it('28. circular forwardRef: both sides are answered', async () => {
    @Injectable()
    class CitiesService extends PlacesService {
      constructor(@Inject(forwardRef(() => CountriesService)) readonly countries: object) {
        super();
      }
    }
    @Injectable()
    class CountriesService extends PlacesService {
      constructor(@Inject(forwardRef(() => CitiesService)) readonly cities: object) {
        super();
      }
    }
    const app = await boot({ providers: [CitiesService, CountriesService] });

    expect(await runsOfTwoCalls(app.get(CitiesService))).toBe(1);
    expect(await runsOfTwoCalls(app.get(CountriesService))).toBe(1);
  });

  it('29. plain new S() without app: just runs', async () => {
    expect(await runsOfTwoCalls(new PlacesService())).toBe(2);
  });

  it('30. module not imported: just runs', async () => {
    const app = await bootAlone({ imports: [], providers: [PlacesService] });

    expect(await runsOfTwoCalls(app.get(PlacesService))).toBe(2);
  });

  it('31. no enumerable trace (toEqual, spread): nothing is seen on the instance', async () => {
    const places = (await boot({ providers: [PlacesService] })).get(PlacesService);

    expect(places).toEqual({ runs: 0 });
    expect(Reflect.ownKeys(Object.assign({}, places))).toEqual(['runs']);
  });

  it('32. frozen instance: is answered', async () => {
    const body = jest.fn(async (id: number) => `place ${id}`);
    @Injectable()
    class FrozenService {
      constructor() {
        Object.freeze(this);
      }

      @Cacheable()
      async find(id: number): Promise<string> {
        return body(id);
      }
    }
    const places = (await boot({ providers: [FrozenService] })).get(FrozenService);

    await places.find(1);
    await places.find(1);

    expect(body).toHaveBeenCalledTimes(1);
  });

  it('33. foreign instanceDecorator proxy bound to target: is answered through it', async () => {
    const instanceDecorator = (instance: unknown): unknown =>
      instance instanceof PlacesService ? boundToTarget(instance) : instance;
    await bootAlone({});
    const app = await NestFactory.createApplicationContext(
      { module: class {}, imports: [CacheHierarchyModule.forRoot()], providers: [PlacesService] },
      { logger: false, instrument: { instanceDecorator } },
    );

    expect(await runsOfTwoCalls((await start(app)).get(PlacesService))).toBe(1);
  });

  it.each([
    ['Express', () => new ExpressAdapter()],
    ['Fastify', () => new FastifyAdapter()],
  ])('34. controller handler over HTTP: is answered on %s', async (_, adapter) => {
    @Controller('places')
    class PlacesController {
      runs = 0;

      @Cacheable()
      @Get(':id')
      async find(@Param('id') id: string): Promise<{ id: string; run: number }> {
        this.runs += 1;
        return { id, run: this.runs };
      }
    }
    await bootAlone({});
    const compiled = await Test.createTestingModule({
      imports: [CacheHierarchyModule.forRoot()],
      controllers: [PlacesController],
    }).compile();
    const app = await start(compiled.createNestApplication(adapter()));
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/places/1`;
    const ask = async (): Promise<unknown> => (await fetch(url)).json();

    const together = await Promise.all([ask(), ask()]);

    for (const answer of [...together, await ask()]) expect(answer).toEqual({ id: '1', run: 1 });
  });

  it('35. with @Interval on the same method, above and below: is called by the scheduler, and answered', async () => {
    @Injectable()
    class TimedService {
      readonly runs = { above: 0, below: 0 };

      @Interval('above', 1_000)
      @Cacheable()
      async above(): Promise<number> {
        return (this.runs.above += 1);
      }

      @Cacheable()
      @Interval('below', 1_000)
      async below(): Promise<number> {
        return (this.runs.below += 1);
      }
    }
    const everyTimer = [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
    ] as const;
    jest.useFakeTimers({
      doNotFake: [...everyTimer, 'clearImmediate', 'setTimeout', 'clearTimeout'],
    });
    try {
      const imports = [CacheHierarchyModule.forRoot(), ScheduleModule.forRoot()];
      const app = await boot({ imports, providers: [TimedService] });

      await jest.advanceTimersByTimeAsync(3_000);

      expect(app.get(TimedService).runs).toEqual({ above: 1, below: 1 });
      expect(app.get(CacheHierarchy).getMetrics().hits).toBe(4);
    } finally {
      await closeAll();
      jest.useRealTimers();
    }
  });

  it('36. two instances of one class with different state: are refused at the start, with advice', async () => {
    class ApiClient {
      constructor(private readonly region: string) {}

      @Cacheable()
      async find(id: number): Promise<string> {
        return `${this.region} ${id}`;
      }
    }
    const started = boot({
      providers: [
        { provide: 'EU', useFactory: () => new ApiClient('eu') },
        { provide: 'US', useValue: new ApiClient('us') },
      ],
    });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(
      /ApiClient: has 2 instances.* give its @Cacheable methods a key/,
    );
  });
});

/** Gives what is durable one instance for each tenant, and all else one for each request. */
function tenantStrategy(): ContextIdStrategy<{ readonly tenant: string }> {
  const tenants = new Map<string, ContextId>();
  return {
    attach(contextId, { tenant }) {
      const ofTenant = tenants.get(tenant) ?? ContextIdFactory.create();
      tenants.set(tenant, ofTenant);
      return ({ isTreeDurable }) => (isTreeDurable ? ofTenant : contextId);
    },
  };
}

/** Puts a proxy around an instance whose methods run on the instance itself, as tracing libraries do. */
function boundToTarget(instance: object): object {
  return new Proxy(instance, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
