import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheHierarchy,
  CacheResponse,
  InvalidArgumentError,
} from 'nestjs-cache-hierarchy';
import { boot, closeAll } from './boot.js';

class ApiClient {
  constructor(private readonly region: string) {}

  @Cacheable()
  async find(id: number): Promise<string> {
    return `${this.region} ${id}`;
  }
}

/** Its override says where it goes, and hides the cached method from all other calls. */
class LoggedApiClient extends ApiClient {
  override async find(id: number): Promise<string> {
    return `logged ${id}`;
  }

  async findCached(id: number): Promise<string> {
    return super.find(id);
  }
}

describe('@Cacheable on classes', () => {
  afterEach(closeAll);

  it('keeps a decorated override apart from the decorated method it calls', async () => {
    @Injectable()
    class PlacesService {
      @Cacheable()
      async find(id: number): Promise<string> {
        return `${this.constructor.name} ${id}`;
      }
    }
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

  it('accepts two instances whose cached methods are all overridden', async () => {
    const app = await boot({
      providers: [
        { provide: 'EU', useValue: new LoggedApiClient('eu') },
        { provide: 'US', useValue: new LoggedApiClient('us') },
      ],
    });

    expect(await app.get<LoggedApiClient>('EU').find(1)).toBe('logged 1');
  });

  it('rejects calls that come to such a method by super, and says why', async () => {
    const app = await boot({
      providers: [
        { provide: 'EU', useValue: new LoggedApiClient('eu') },
        { provide: 'US', useValue: new LoggedApiClient('us') },
      ],
    });

    const found = app.get<LoggedApiClient>('EU').findCached(1);

    await expect(found).rejects.toThrow(InvalidArgumentError);
    await expect(found).rejects.toThrow(
      /LoggedApiClient: has 2 instances.* or give its @Cacheable/,
    );
  });

  it('accepts @CacheResponse on an override of a method with @Cacheable', async () => {
    class PlacesController {
      @Cacheable()
      async find(): Promise<string> {
        return 'place';
      }
    }
    @Controller()
    class CitiesController extends PlacesController {
      @Get()
      @CacheResponse()
      override async find(): Promise<string> {
        return 'city';
      }
    }

    await expect(boot({ controllers: [CitiesController] })).resolves.toBeDefined();
  });

  it('refuses both on one method that a controller inherits', async () => {
    class PlacesController {
      @Get()
      @CacheResponse()
      @Cacheable()
      async find(): Promise<string> {
        return 'place';
      }
    }
    @Controller()
    class CitiesController extends PlacesController {}

    await expect(boot({ controllers: [CitiesController] })).rejects.toThrow(
      /@CacheResponse on CitiesController.find: is on a method with @Cacheable/,
    );
  });
});
