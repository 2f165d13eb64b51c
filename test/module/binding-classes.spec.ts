import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Inject, Injectable, SetMetadata, type OnModuleInit } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  Cacheable,
  CacheHierarchy,
  cacheKeyOf,
  CacheHierarchyModule,
  InvalidArgumentError,
} from 'nestjs-cache-hierarchy';
import { boot, bootAlone, closeAll, start } from './boot.js';

@Injectable()
class PlacesService {
  runs = 0;

  @Cacheable()
  async find(id: number): Promise<string> {
    this.runs += 1;
    return `${this.constructor.name} ${id}`;
  }
}

describe('@Cacheable on classes of every make', () => {
  afterEach(closeAll);

  it('keeps what subclasses inherit apart, each under its own name', async () => {
    @Injectable()
    class CitiesService extends PlacesService {}
    @Injectable()
    class VillagesService extends PlacesService {}
    const app = await boot({ providers: [CitiesService, VillagesService] });

    expect(await app.get(CitiesService).find(1)).toBe('CitiesService 1');
    expect(await app.get(VillagesService).find(1)).toBe('VillagesService 1');
    expect(await app.get(CitiesService).find(1)).toBe('CitiesService 1');

    expect(app.get(CitiesService).runs).toBe(1);
    expect(app.get(CacheHierarchy).has(cacheKeyOf(VillagesService, 'find', [1]))).toBe(true);
  });

  it('answers calls of a subclass that injects properties of its own', async () => {
    @Injectable()
    class CitiesService extends PlacesService {
      @Inject('COUNTRY') readonly country!: string;
    }
    const app = await boot({
      providers: [CitiesService, { provide: 'COUNTRY', useValue: 'fr' }],
    });
    const cities = app.get(CitiesService);

    await cities.find(1);
    await cities.find(1);

    expect([cities.country, cities.runs]).toEqual(['fr', 1]);
  });

  it('answers super.method() of an override that is not decorated', async () => {
    @Injectable()
    class CitiesService extends PlacesService {
      override async find(id: number): Promise<string> {
        return `city: ${await super.find(id)}`;
      }
    }
    const app = await boot({ providers: [CitiesService] });
    const cities = app.get(CitiesService);

    await cities.find(1);

    expect(await cities.find(1)).toBe('city: CitiesService 1');
    expect(cities.runs).toBe(1);
  });

  it('keeps a decorated override apart from the decorated method it calls', async () => {
    @Injectable()
    class CitiesService extends PlacesService {
      @Cacheable()
      override async find(id: number): Promise<string> {
        return `city: ${await super.find(id)}`;
      }
    }
    const app = await boot({ providers: [CitiesService] });
    const cities = app.get(CitiesService);

    await cities.find(1);

    expect(await cities.find(1)).toBe('city: CitiesService 1');
    expect(app.get(CacheHierarchy).peek('CitiesService.find(1)')).toBe('city: CitiesService 1');
    expect(app.get(CacheHierarchy).peek('CitiesService.super.find(1)')).toBe('CitiesService 1');
  });

  it('keeps the metadata of decorators above and below, the name and the length', () => {
    class Decorated {
      @SetMetadata('above', 1)
      @Cacheable()
      @SetMetadata('below', 2)
      async find(id: number, language: string): Promise<string> {
        return `${id} ${language}`;
      }
    }
    const { value: find } = Object.getOwnPropertyDescriptor(Decorated.prototype, 'find')! as {
      value: (...args: unknown[]) => unknown;
    };

    expect(Reflect.getMetadata('above', find)).toBe(1);
    expect(Reflect.getMetadata('below', find)).toBe(2);
    expect([find.name, find.length]).toEqual(['find', 2]);
  });

  it('answers calls of a method whose name is a symbol', async () => {
    const find = Symbol('find');
    @Injectable()
    class SymbolsService {
      runs = 0;

      @Cacheable()
      async [find](id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [SymbolsService] });
    const places = app.get(SymbolsService);

    await places[find](1);
    await places[find](1);

    expect(places.runs).toBe(1);
    expect(app.get(CacheHierarchy).has('SymbolsService.@"find"(1)')).toBe(true);
  });

  it('answers calls of a method that uses private fields and methods', async () => {
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
    const places = app.get(PrivateService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('leaves a mock alone that overrides the provider', async () => {
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

  it('lets a spy on the instance answer, and is there again when the spy is gone', async () => {
    const app = await boot({ providers: [PlacesService] });
    const places = app.get(PlacesService);
    const spy = jest.spyOn(places, 'find').mockResolvedValue('spied');

    expect(await places.find(1)).toBe('spied');
    spy.mockRestore();
    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('lets a spy on the prototype answer after the start', async () => {
    const app = await boot({ providers: [PlacesService] });
    const spy = jest.spyOn(PlacesService.prototype, 'find').mockResolvedValue('spied');

    expect(await app.get(PlacesService).find(1)).toBe('spied');

    spy.mockRestore();
  });

  it('leaves nothing on the instance that a comparison or a copy sees', async () => {
    const app = await boot({ providers: [PlacesService] });
    const places = app.get(PlacesService);

    expect(places).toEqual({ runs: 0 });
    expect(Reflect.ownKeys(Object.assign({}, places))).toEqual(['runs']);
  });

  it('answers calls of an instance that froze itself', async () => {
    const calls = { runs: 0 };
    @Injectable()
    class FrozenService {
      constructor() {
        Object.freeze(this);
      }

      @Cacheable()
      async find(id: number): Promise<string> {
        calls.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [FrozenService] });

    await app.get(FrozenService).find(1);
    await app.get(FrozenService).find(1);

    expect(calls.runs).toBe(1);
  });

  it('answers calls through a proxy that another library puts around the instance', async () => {
    const instanceDecorator = (instance: object): object =>
      instance instanceof PlacesService
        ? new Proxy(instance, {
            get: (target, name) => {
              const value: unknown = Reflect.get(target, name, target);
              return typeof value === 'function' ? (value.bind(target) as unknown) : value;
            },
          })
        : instance;
    await bootAlone({});
    const app = await NestFactory.createApplicationContext(
      { module: class {}, imports: [CacheHierarchyModule.forRoot()], providers: [PlacesService] },
      {
        logger: false,
        instrument: { instanceDecorator: instanceDecorator as (i: unknown) => unknown },
      },
    );
    const places = (await start(app)).get(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('answers calls of who found the method by its metadata when the application started', async () => {
    @Injectable()
    class TimedService {
      runs = 0;

      @SetMetadata('every', 1_000)
      @Cacheable()
      async refresh(): Promise<string> {
        this.runs += 1;
        return 'fresh';
      }
    }
    @Injectable()
    class Explorer implements OnModuleInit {
      run = async (): Promise<unknown> => undefined;

      constructor(private readonly timed: TimedService) {}

      onModuleInit(): void {
        const refresh: unknown = Reflect.get(this.timed, 'refresh');
        if (Reflect.getMetadata('every', refresh as object) !== 1_000) return;
        this.run = async () => Reflect.apply(refresh as () => unknown, this.timed, []);
      }
    }
    const app = await boot({ providers: [TimedService, Explorer] });

    await app.get(Explorer).run();

    expect(await app.get(Explorer).run()).toBe('fresh');
    expect(app.get(TimedService).runs).toBe(1);
  });

  it('refuses a method that returns without a promise, and says what to do', async () => {
    @Injectable()
    class HastyService {
      @Cacheable()
      async find(): Promise<string> {
        return 'place';
      }
    }
    const descriptor = { value: () => 'place' } as unknown as TypedPropertyDescriptor<
      () => Promise<string>
    >;
    Cacheable()(HastyService.prototype, 'hasty', descriptor);
    Object.defineProperty(HastyService.prototype, 'hasty', descriptor);
    const app = await boot({ providers: [HastyService] });
    const service = app.get<{ hasty(): Promise<string> }>(HastyService);

    await expect(service.hasty()).rejects.toThrow(InvalidArgumentError);
    await expect(service.hasty()).rejects.toThrow(/HastyService\.hasty .* Make the method async/);
  });
});
