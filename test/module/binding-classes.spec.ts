import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cacheable, CacheHierarchy, InvalidArgumentError } from 'nestjs-cache-hierarchy';
import { boot, closeAll } from './boot.js';

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
});
