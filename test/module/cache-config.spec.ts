import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable, Logger, Scope, type Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import type { TestingModule } from '@nestjs/testing';
import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CacheHierarchy,
  CacheHierarchyModule,
  cacheKeyOf,
  CachePut,
  getCacheToken,
  InvalidOptionsError,
} from 'nestjs-cache-hierarchy';
import { VirtualClock } from '../support/virtual-clock.js';
import { boot, bootAlone, closeAll } from './boot.js';

const clock = new VirtualClock();

@CacheConfig({ cache: 'places', keyPrefix: 'v1:', ttl: '5s', tags: ['places'] })
@Injectable()
class PlacesService {
  runs = 0;

  @Cacheable({ key: (id: number) => `place:${id}`, tags: (id: number) => `id:${id}` })
  async find(id: number): Promise<string> {
    return `${id} in run ${(this.runs += 1)}`;
  }

  @Cacheable({ ttl: '9s' })
  async findLong(id: number): Promise<string> {
    return `${id} in run ${(this.runs += 1)}`;
  }

  @Cacheable({ cache: 'others', key: 'other' })
  async findOther(): Promise<number> {
    return (this.runs += 1);
  }

  @CachePut({ method: 'findOther' })
  async putOther(): Promise<string> {
    return 'put';
  }

  @CacheEvict({ method: 'findOther', beforeInvocation: true })
  async removeOther(): Promise<void> {}

  @CachePut({ key: (id: number) => `place:${id}` })
  async rename(_id: number, name: string): Promise<string> {
    return name;
  }

  @CacheEvict({ key: (id: number) => `place:${id}` })
  async remove(_id: number): Promise<void> {}

  @CacheEvict({ allEntries: true })
  async removeAll(): Promise<void> {}
}

@Injectable()
class CitiesService extends PlacesService {}

@CacheConfig({ keyPrefix: 'v2:' })
@Injectable()
class VillagesService extends PlacesService {}

/** Starts an application with a default cache and two named ones. */
function bootPlaces(...providers: Type[]): Promise<TestingModule> {
  return boot({
    imports: [
      CacheHierarchyModule.forRoot({ clock }),
      CacheHierarchyModule.forFeature([{ name: 'places' }, { name: 'others' }]),
    ],
    providers,
  });
}

function named(app: TestingModule, name: string): CacheHierarchy {
  return app.get(getCacheToken(name));
}

describe(CacheConfig.name, () => {
  afterEach(closeAll);

  it('puts its prefix before keys that a method gives, where delete finds them', async () => {
    const app = await bootPlaces(PlacesService);
    const places = app.get(PlacesService);
    const cache = named(app, 'places');

    await places.find(1);

    expect(cache.peek('v1:place:1')).toBe('1 in run 1');
    expect(await cache.delete('v1:place:1')).toBe(true);
    expect(await places.find(1)).toBe('1 in run 2');
  });

  it('puts its prefix before the keys of all decorators alike', async () => {
    const app = await bootPlaces(PlacesService);
    const places = app.get(PlacesService);

    await places.rename(1, 'Paris');
    expect(await places.find(1)).toBe('Paris');
    await places.remove(1);

    expect(await places.find(1)).toBe('1 in run 1');
  });

  it('leaves derived keys alone', async () => {
    const app = await bootPlaces(PlacesService);

    await app.get(PlacesService).findLong(1);

    expect(named(app, 'places').has('PlacesService.findLong(1)')).toBe(true);
  });

  it('has cacheKeyOf give keys with the prefix of the class that is asked for', () => {
    expect(cacheKeyOf(PlacesService, 'find', [1])).toBe('v1:place:1');
    expect(cacheKeyOf(CitiesService, 'find', [1])).toBe('v1:place:1');
    expect(cacheKeyOf(VillagesService, 'find', [1])).toBe('v2:place:1');
  });

  it('has results kept for its ttl, unless the method says otherwise', async () => {
    const app = await bootPlaces(PlacesService);
    const places = app.get(PlacesService);
    await Promise.all([places.find(1), places.findLong(1)]);
    const keys = ['v1:place:1', 'PlacesService.findLong(1)'];

    await clock.advance(5_000);
    expect(keys.map((key) => named(app, 'places').has(key))).toEqual([false, true]);
    await clock.advance(4_000);

    expect(keys.map((key) => named(app, 'places').has(key))).toEqual([false, false]);
  });

  it.each(['places', 'id:1'])(
    'gives entries its tags beside those of the method, such as %s',
    async (tag) => {
      const app = await bootPlaces(PlacesService);
      await app.get(PlacesService).find(1);

      await named(app, 'places').invalidateTags(tag);

      expect(named(app, 'places').has('v1:place:1')).toBe(false);
    },
  );

  it('has methods use its cache, unless they name another', async () => {
    const app = await bootPlaces(PlacesService);
    const places = app.get(PlacesService);

    await Promise.all([places.find(1), places.findOther()]);

    expect(named(app, 'others').has('v1:other')).toBe(true);
    expect(named(app, 'places').has('v1:other')).toBe(false);
    expect(app.get(CacheHierarchy).has('v1:place:1')).toBe(false);
  });

  it('has those that mean another method use the cache of that one', async () => {
    const app = await bootPlaces(PlacesService);
    const places = app.get(PlacesService);

    await places.putOther();
    expect(named(app, 'others').peek('v1:other')).toBe('put');
    await places.removeOther();

    expect(named(app, 'others').has('v1:other')).toBe(false);
    expect(named(app, 'places').has('v1:other')).toBe(false);
  });

  it('has allEntries clear its cache, and no other', async () => {
    const app = await bootPlaces(PlacesService);
    const places = app.get(PlacesService);
    await Promise.all([places.find(1), places.findOther()]);
    await app.get(CacheHierarchy).set('key', 'value');

    await places.removeAll();

    expect(named(app, 'places').has('v1:place:1')).toBe(false);
    expect(named(app, 'others').has('v1:other')).toBe(true);
    expect(app.get(CacheHierarchy).has('key')).toBe(true);
  });

  it('holds for a class that extends it and has none', async () => {
    const app = await bootPlaces(CitiesService);

    await app.get(CitiesService).find(1);

    expect(named(app, 'places').has('v1:place:1')).toBe(true);
  });

  it('does not hold, as a whole, for a class that extends it and has its own', async () => {
    const app = await bootPlaces(VillagesService);

    await app.get(VillagesService).find(1);
    await clock.advance(5_000);

    expect(named(app, 'places').has('v1:place:1')).toBe(false);
    expect(app.get(CacheHierarchy).has('v2:place:1')).toBe(true);
  });
});

describe('the names in decorators', () => {
  afterEach(closeAll);

  it.each<[string, () => Type]>([
    ['Cacheable', () => withDecorator(Cacheable({ cache: 'rates' }) as MethodDecorator)],
    ['CachePut', () => withDecorator(CachePut({ cache: 'rates', key: 'a' }) as MethodDecorator)],
    [
      'CacheEvict',
      () => withDecorator(CacheEvict({ cache: 'rates', key: 'a' }) as MethodDecorator),
    ],
    [
      'CacheConfig',
      () => {
        const type = withDecorator(CacheEvict({ key: 'a' }) as MethodDecorator);
        CacheConfig({ cache: 'rates' })(type);
        return type;
      },
    ],
  ])('stop the start when %s names a cache that is not there, with advice', async (_, type) => {
    const started = boot({ providers: [type()] });

    await expect(started).rejects.toThrow(InvalidOptionsError);
    await expect(started).rejects.toThrow(
      /RatesService: There is no cache named "rates"\. Import CacheHierarchyModule\.forFeature\(\[\{ name: "rates" \}\]\)/,
    );
  });

  it.each<[string, MethodDecorator]>([
    ['CachePut', CachePut({ method: 'search' }) as MethodDecorator],
    ['CacheEvict', CacheEvict({ method: 'search' }) as MethodDecorator],
  ])(
    'stop the start when %s names a method that is not cached, with advice',
    async (_, decorate) => {
      const started = boot({ providers: [withDecorator(decorate)] });

      await expect(started).rejects.toThrow(InvalidOptionsError);
      await expect(started).rejects.toThrow(
        /RatesService: RatesService has no @Cacheable method search: decorate it/,
      );
    },
  );

  it.each([Scope.REQUEST, Scope.TRANSIENT])(
    'stop the start also in classes of scope %s',
    async (scope) => {
      const type = withDecorator(CacheEvict({ cache: 'rates', method: 'a' }) as MethodDecorator);
      Injectable({ scope })(type);
      const started = boot({ providers: [type] });

      await expect(started).rejects.toThrow(/There is no cache named "rates"/);
      await expect(started).rejects.toThrow(/RatesService has no @Cacheable method a/);
    },
  );

  it('reject calls of a class that the start did not see', async () => {
    await bootAlone({});
    const type = withDecorator(Cacheable({ cache: 'rates', key: 'a' }) as MethodDecorator);

    await expect((new type() as { find(): Promise<unknown> }).find()).rejects.toThrow(
      /There is no cache named "rates"/,
    );
  });

  it('reject a put under derived keys of a class whose name is taken', async () => {
    const app = await boot({ providers: [rates().type] });
    const late = rates();
    const instance = (await app.get(ModuleRef).create(late.type)) as {
      replace(id: number): Promise<unknown>;
    };

    await expect(instance.replace(1)).rejects.toThrow(/Two classes are named RatesService/);
    expect(late.calls.runs).toBe(0);
  });

  it('reject what is no key before the prefix of a class is put there', async () => {
    @CacheConfig({ keyPrefix: 'rate:' })
    @Injectable()
    class RatesService {
      @Cacheable({ key: (id: unknown) => id as string })
      async find(id: unknown): Promise<unknown> {
        return id;
      }
    }
    const app = await boot({ providers: [RatesService] });

    await expect(app.get(RatesService).find(5)).rejects.toThrow(
      'The key of RatesService.find must return a string, got 5.',
    );
    await expect(app.get(RatesService).find('')).rejects.toThrow(/must not be empty/);
  });

  it('find a method that a class inherits', async () => {
    class BaseService {
      @Cacheable()
      async search(text: string): Promise<string> {
        return text;
      }
    }
    @Injectable()
    class RatesService extends BaseService {
      @CacheEvict({ method: 'search' })
      async forget(_text: string): Promise<void> {}
    }
    const app = await boot({ providers: [RatesService] });
    await app.get(RatesService).search('rome');
    expect(app.get(CacheHierarchy).has('RatesService.search("rome")')).toBe(true);

    await app.get(RatesService).forget('rome');

    expect(app.get(CacheHierarchy).has('RatesService.search("rome")')).toBe(false);
  });
});

describe('decorators and hosts of every kind', () => {
  afterEach(closeAll);

  @Injectable()
  class CountsService {
    runs = 0;

    @CachePut({ key: 'count' })
    async put(): Promise<number> {
      return (this.runs += 1);
    }

    @CacheEvict({ allEntries: true, beforeInvocation: true })
    async evict(): Promise<number> {
      return (this.runs += 1);
    }
  }

  it('just run methods of an instance without an application', async () => {
    const counts = new CountsService();

    expect([await counts.put(), await counts.evict()]).toEqual([1, 2]);
  });

  it('just run methods after the application was closed', async () => {
    const app = await boot({ providers: [CountsService] });
    await app.close();

    expect(await app.get(CountsService).put()).toBe(1);
    expect(await app.get(CountsService).evict()).toBe(2);
  });

  it('just run methods where nothing is cached', async () => {
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ enabled: false })],
      providers: [CountsService],
    });

    expect(await app.get(CountsService).put()).toBe(1);
    expect(await app.get(CountsService).evict()).toBe(2);
  });

  it('keep two applications apart', async () => {
    const first = await boot({ providers: [CountsService] });
    const second = await boot({ providers: [CountsService] });
    await first.get(CountsService).put();
    await second.get(CountsService).put();

    await first.get(CountsService).evict();

    expect(first.get(CacheHierarchy).has('count')).toBe(false);
    expect(second.get(CacheHierarchy).has('count')).toBe(true);
  });

  it('find the cache of request-scoped instances', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    @Injectable({ scope: Scope.REQUEST })
    class RequestService extends CountsService {}
    const app = await boot({ providers: [RequestService] });
    const counts = await app.resolve(RequestService, ContextIdFactory.create());

    await counts.put();
    expect(app.get(CacheHierarchy).peek('count')).toBe(1);
    await counts.evict();

    expect(app.get(CacheHierarchy).has('count')).toBe(false);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

/** Makes a class that puts under the derived keys of its other method. */
function rates(): { type: Type; calls: { runs: number } } {
  const calls = { runs: 0 };
  @Injectable()
  class RatesService {
    @Cacheable()
    async find(id: number): Promise<number> {
      return id;
    }

    @CachePut({ method: 'find' })
    async replace(id: number): Promise<number> {
      calls.runs += 1;
      return id;
    }
  }
  return { type: RatesService, calls };
}

/** Makes a class with one method that has this decorator. */
function withDecorator(decorate: MethodDecorator): Type {
  @Injectable()
  class RatesService {
    async find(): Promise<string> {
      return 'rate';
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(RatesService.prototype, 'find')!;
  decorate(RatesService.prototype, 'find', descriptor);
  Object.defineProperty(RatesService.prototype, 'find', descriptor);
  return RatesService;
}
