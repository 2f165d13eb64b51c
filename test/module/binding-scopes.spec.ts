import { afterEach, describe, expect, it } from '@jest/globals';
import {
  forwardRef,
  Inject,
  Injectable,
  Module,
  Scope,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ContextIdFactory, LazyModuleLoader, ModuleRef } from '@nestjs/core';
import { Cacheable, CacheHierarchy, CacheHierarchyModule } from 'nestjs-cache-hierarchy';
import { boot, bootAlone, closeAll } from './boot.js';

/** Counts its runs over all instances of the class. */
function counter(): { runs: number } {
  return { runs: 0 };
}

describe('@Cacheable on providers of every scope', () => {
  afterEach(closeAll);

  it('answers the second call of a singleton from the cache', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [PlacesService] });
    const places = app.get(PlacesService);

    expect([await places.find(1), await places.find(1)]).toEqual(['place 1', 'place 1']);

    expect(places.runs).toBe(1);
    expect(app.get(CacheHierarchy).peek('PlacesService.find(1)')).toBe('place 1');
  });

  it('answers calls through this, and of a cached method in a cached method', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }

      @Cacheable()
      async findBoth(): Promise<string[]> {
        return [await this.find(1), await this.find(1)];
      }
    }
    const app = await boot({ providers: [PlacesService] });
    const places = app.get(PlacesService);

    await places.findBoth();
    await places.findBoth();

    expect(places.runs).toBe(1);
  });

  it('answers calls in the onModuleInit of its own class', async () => {
    @Injectable()
    class PlacesService implements OnModuleInit {
      runs = 0;

      async onModuleInit(): Promise<void> {
        await this.find(1);
      }

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [PlacesService] });

    await app.get(PlacesService).find(1);

    expect(app.get(PlacesService).runs).toBe(1);
  });

  it('answers calls while another provider is made of it', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({
      providers: [
        PlacesService,
        {
          provide: 'HOME',
          inject: [PlacesService],
          useFactory: (places: PlacesService) => places.find(1),
        },
      ],
    });

    expect(await app.get(PlacesService).find(1)).toBe(app.get('HOME'));

    expect(app.get(PlacesService).runs).toBe(1);
  });

  it.each([
    ['request-scoped', { scope: Scope.REQUEST }],
    ['durable', { scope: Scope.REQUEST, durable: true }],
    ['transient', { scope: Scope.TRANSIENT }],
  ])('shares entries between the instances of a %s provider', async (_, options) => {
    const calls = counter();
    @Injectable(options)
    class PlacesService {
      @Cacheable({ key: (id: number) => `place:${id}` })
      async find(id: number): Promise<string> {
        calls.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [PlacesService] });
    const first = await app.resolve(PlacesService, ContextIdFactory.create());
    const second = await app.resolve(PlacesService, ContextIdFactory.create());

    await first.find(1);
    await second.find(1);

    expect(first).not.toBe(second);
    expect(calls.runs).toBe(1);
    expect(app.get(CacheHierarchy).getMetrics().hits).toBe(1);
  });

  it('shares entries between the instances that a request-scoped factory makes', async () => {
    const calls = counter();
    class PlacesService {
      @Cacheable()
      async find(id: number): Promise<string> {
        calls.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await bootAlone({
      providers: [
        {
          provide: PlacesService,
          scope: Scope.REQUEST,
          useFactory: () => new PlacesService(),
        },
      ],
    });
    const first = await app.resolve(PlacesService, ContextIdFactory.create());
    const second = await app.resolve(PlacesService, ContextIdFactory.create());

    await first.find(1);
    await second.find(1);

    expect(calls.runs).toBe(1);
  });

  it.each([
    ['useFactory', (type: Type) => ({ useFactory: () => new type() as object })],
    ['useValue', (type: Type) => ({ useValue: new type() as object })],
  ])('answers calls of a provider given by %s', async (_, provided) => {
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [{ provide: PlacesService, ...provided(PlacesService) }] });
    const places = app.get(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('answers calls of an instance made by moduleRef.create', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    const app = await boot({ providers: [] });
    const places = await app.get(ModuleRef).create(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('answers calls of a provider in a module that is loaded lazily', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    @Module({ providers: [PlacesService] })
    class PlacesModule {}
    const app = await boot({ providers: [] });
    const lazy = await app.get(LazyModuleLoader).load(() => PlacesModule);
    const places = lazy.get(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });

  it('answers calls of providers that depend on each other', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      constructor(@Inject(forwardRef(() => CountriesService)) readonly countries: object) {}

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    @Injectable()
    class CountriesService {
      runs = 0;

      constructor(@Inject(forwardRef(() => PlacesService)) readonly places: object) {}

      @Cacheable()
      async find(code: string): Promise<string> {
        this.runs += 1;
        return `country ${code}`;
      }
    }
    const app = await boot({ providers: [PlacesService, CountriesService] });
    const [places, countries] = [app.get(PlacesService), app.get(CountriesService)];

    await places.find(1);
    await places.find(1);
    await countries.find('fr');
    await countries.find('fr');

    expect([places.runs, countries.runs]).toEqual([1, 1]);
  });

  it('answers calls of a provider in a module that can not inject the cache', async () => {
    @Injectable()
    class PlacesService {
      runs = 0;

      @Cacheable()
      async find(id: number): Promise<string> {
        this.runs += 1;
        return `place ${id}`;
      }
    }
    @Module({ providers: [PlacesService], exports: [PlacesService] })
    class PlacesModule {}
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ isGlobal: false }), PlacesModule],
    });
    const places = app.get(PlacesService);

    await places.find(1);
    await places.find(1);

    expect(places.runs).toBe(1);
  });
});
