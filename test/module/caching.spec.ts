import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, SetMetadata } from '@nestjs/common';
import { Cacheable, CacheEvict, CacheHierarchy, CachePut, Caching } from 'nestjs-cache-hierarchy';
import { boot, closeAll } from './boot.js';

interface Place {
  readonly id: number;
  readonly name: string;
}

function fail(): never {
  throw new RangeError('the decorator failed');
}

@Injectable()
class PlacesService {
  runs = 0;

  @Caching({
    put: [
      { key: (id: number) => `place:${id}` },
      { key: (_: number, name: string) => `place:${name}`, unless: ({ id }: Place) => id === 0 },
    ],
    evict: [{ key: 'places:all' }, { tags: 'lists' }],
  })
  async rename(id: number, name: string): Promise<Place> {
    if (name === '') throw new RangeError('no name');
    return { id, name };
  }

  @Caching({
    put: [{ key: 'place:1' }],
    evict: [{ key: 'place:1' }],
  })
  async putAndEvict(): Promise<Place> {
    return { id: 1, name: 'Paris' };
  }

  @CacheEvict({ tags: 'lists' })
  @Caching({
    put: [{ key: 'place:1', unless: fail }, { key: 'place:2' }],
    evict: [{ tags: 'none', resultTags: fail }, { key: 'places:all' }],
  })
  async renameBadly(): Promise<string> {
    return 'renamed';
  }

  @CacheEvict({ key: 'places:all' })
  async renameThrough(): Promise<void> {
    await this.renameAlone();
  }

  @CachePut({ key: 'place:1', unless: fail })
  async renameAlone(): Promise<string> {
    return 'renamed';
  }

  @Caching({
    cacheable: { key: (name: string) => `named:${name}` },
    put: [{ key: 'last' }],
    evict: [{ key: 'places:all' }],
  })
  async findByName(name: string): Promise<Place> {
    this.runs += 1;
    return { id: this.runs, name };
  }
}

describe(Caching.name, () => {
  let places: PlacesService;
  let cache: CacheHierarchy;

  beforeEach(async () => {
    const app = await boot({ providers: [PlacesService] });
    places = app.get(PlacesService);
    cache = app.get(CacheHierarchy);
    await cache.set('places:all', 'all');
    await cache.set('places:some', 'some', { tags: 'lists' });
  });

  afterEach(closeAll);

  it('puts a result under several keys, and invalidates keys and tags', async () => {
    const place = await places.rename(1, 'Paris');

    expect(cache.peek('place:1')).toBe(place);
    expect(cache.peek('place:Paris')).toBe(place);
    expect([cache.has('places:all'), cache.has('places:some')]).toEqual([false, false]);
  });

  it('asks each part for itself', async () => {
    await places.rename(0, 'Nowhere');

    expect([cache.has('place:0'), cache.has('place:Nowhere')]).toEqual([true, false]);
  });

  it('changes nothing when the method throws', async () => {
    await expect(places.rename(1, '')).rejects.toThrow('no name');

    expect(cache.has('place:1')).toBe(false);
    expect([cache.has('places:all'), cache.has('places:some')]).toEqual([true, true]);
  });

  it('does what is left when a part fails after the method ran', async () => {
    await expect(places.renameBadly()).rejects.toThrow('the decorator failed');

    expect(cache.peek('place:2')).toBe('renamed');
    expect([cache.has('places:all'), cache.has('places:some')]).toEqual([false, false]);
  });

  it('changes nothing when the method throws what a part of another method threw', async () => {
    await expect(places.renameThrough()).rejects.toThrow('the decorator failed');

    expect(cache.has('places:all')).toBe(true);
  });

  it('invalidates after it has put', async () => {
    await places.putAndEvict();

    expect(cache.has('place:1')).toBe(false);
  });

  it('does the rest only for calls that run the method, with cacheable', async () => {
    await places.findByName('Paris');
    expect([cache.has('last'), cache.has('places:all')]).toEqual([true, false]);
    await cache.set('places:all', 'all');
    await cache.delete('last');

    await places.findByName('Paris');

    expect(places.runs).toBe(1);
    expect([cache.has('last'), cache.has('places:all')]).toEqual([false, true]);
  });
});

describe('decorators on one method', () => {
  afterEach(closeAll);

  it.each<[string, MethodDecorator[]]>([
    ['CachePut and CacheEvict', [put(), evict()]],
    ['CacheEvict and CachePut', [evict(), put()]],
    ['Cacheable and CacheEvict', [cacheable(), evict()]],
    ['CacheEvict and Cacheable', [evict(), cacheable()]],
    ['Caching', [Caching({ cacheable: {}, put: [{ key: 'a' }] }) as MethodDecorator]],
  ])('%s keep its name, length and metadata', (_, decorators) => {
    class Service {}
    const find = async (id: number, language: string): Promise<string> => `${id} ${language}`;
    const descriptor: PropertyDescriptor = { value: find };
    for (const decorate of [SetMetadata('below', 1), ...decorators, SetMetadata('above', 2)])
      decorate(Service.prototype, 'find', descriptor);
    const decorated = descriptor.value as typeof find;

    expect(decorated).not.toBe(find);
    expect([decorated.name, decorated.length]).toEqual(['find', 2]);
    expect(Reflect.getMetadata('below', decorated)).toBe(1);
    expect(Reflect.getMetadata('above', decorated)).toBe(2);
  });

  it('act each on each call when the one that caches is below', async () => {
    @Injectable()
    class CountsService {
      runs = 0;

      @CacheEvict({ key: 'list' })
      @Cacheable({ key: 'count' })
      async count(): Promise<number> {
        return (this.runs += 1);
      }
    }
    const app = await boot({ providers: [CountsService] });
    const cache = app.get(CacheHierarchy);
    await app.get(CountsService).count();
    await cache.set('list', [1]);

    await app.get(CountsService).count();

    expect(app.get(CountsService).runs).toBe(1);
    expect(cache.has('list')).toBe(false);
  });
});

function put(): MethodDecorator {
  return CachePut({ key: 'put' }) as MethodDecorator;
}

function evict(): MethodDecorator {
  return CacheEvict({ tags: 'evicted' }) as MethodDecorator;
}

function cacheable(): MethodDecorator {
  return Cacheable() as MethodDecorator;
}
