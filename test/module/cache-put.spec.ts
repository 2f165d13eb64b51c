import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  cacheKeyOf,
  CachePut,
  InvalidArgumentError,
} from 'nestjs-cache-hierarchy';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { boot, closeAll } from './boot.js';

interface Place {
  readonly id: number;
  readonly name: string;
}

const keyOf = (id: number): string => `place:${id}`;

@Injectable()
class PlacesService {
  runs = 0;
  puts = 0;
  release: () => void = () => {};

  @Cacheable({ key: keyOf })
  async find(id: number): Promise<Place> {
    this.runs += 1;
    return { id, name: `loaded in run ${this.runs}` };
  }

  @Cacheable({ key: keyOf })
  async findSlowly(id: number): Promise<Place> {
    await new Promise<void>((resolve) => (this.release = resolve));
    return { id, name: 'loaded before the change' };
  }

  @Cacheable()
  async findIn(id: number, language: string): Promise<Place> {
    this.runs += 1;
    return { id, name: language };
  }

  @CachePut({ key: keyOf })
  async rename(id: number, name: string): Promise<Place> {
    this.puts += 1;
    return { id, name };
  }

  @CachePut({ method: 'findIn', args: (name: string, id: number) => [id, name] })
  async renameIn(name: string, id: number): Promise<Place> {
    return { id, name };
  }

  @CachePut({ method: 'findIn' })
  async overwrite(id: number, name: string): Promise<Place> {
    return { id, name };
  }

  @CachePut({ key: keyOf })
  async fail(_id: number): Promise<Place> {
    throw new RangeError('the database said no');
  }

  @CachePut({ key: keyOf })
  async remove(_id: number): Promise<Place | undefined> {
    return undefined;
  }

  @CachePut({
    key: keyOf,
    ttl: '5s',
    tags: (id: number) => ['places', `id:${id}`],
    resultTags: ({ name }: Place) => `name:${name}`,
  })
  async tag(id: number, name: string): Promise<Place> {
    return { id, name };
  }

  /** As JavaScript can have it. */
  @(CachePut({ key: keyOf }) as MethodDecorator)
  renameAtOnce(id: number, name: string): Place {
    return { id, name };
  }

  @CachePut({ key: keyOf, condition: (id: number) => id < 10 })
  async renameSmall(id: number, name: string): Promise<Place> {
    return { id, name };
  }

  @CachePut({ key: keyOf, unless: ({ name }: Place, id: number) => name === `draft ${id}` })
  async renameUnless(id: number, name: string): Promise<Place> {
    return { id, name };
  }

  @CachePut({
    key: keyOf,
    unless: () => {
      throw new RangeError('unless failed');
    },
  })
  async renameBadly(id: number, name: string): Promise<Place> {
    this.puts += 1;
    return { id, name };
  }

  @CachePut({ key: keyOf, resultTags: () => [''] })
  async tagBadly(id: number, name: string): Promise<Place> {
    this.puts += 1;
    return { id, name };
  }

  @CachePut({ key: 'tagged', tags: (tag: string) => tag })
  async putTagged(_tag: string): Promise<number> {
    return (this.puts += 1);
  }

  @CachePut({ key: (name: string) => name })
  async putUnder(_key: string): Promise<number> {
    return (this.puts += 1);
  }
}

describe(CachePut.name, () => {
  let clock: VirtualClock;
  let places: PlacesService;
  let cache: CacheHierarchy;

  beforeEach(async () => {
    clock = new VirtualClock();
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ clock })],
      providers: [PlacesService],
    });
    places = app.get(PlacesService);
    cache = app.get(CacheHierarchy);
  });

  afterEach(closeAll);

  it('runs the method each time, and stores what it returns in place of what was there', async () => {
    await places.find(1);

    await places.rename(1, 'Paris');
    await places.rename(1, 'Lutetia');

    expect(await places.find(1)).toEqual({ id: 1, name: 'Lutetia' });
    expect([places.runs, places.puts]).toEqual([1, 2]);
  });

  it('stores under the derived key of another method, with the arguments made for it', async () => {
    await places.findIn(1, 'fr');

    await places.renameIn('fr', 1);

    expect(cache.peek(cacheKeyOf(PlacesService, 'findIn', [1, 'fr']))).toEqual({
      id: 1,
      name: 'fr',
    });
    expect(cache.has(cacheKeyOf(PlacesService, 'findIn', [1, 'fr']))).toBe(true);
    await places.findIn(1, 'fr');
    expect(places.runs).toBe(1);
  });

  it('stores under the derived key of another method, with the same arguments by default', async () => {
    await places.overwrite(1, 'de');

    expect(await places.findIn(1, 'de')).toEqual({ id: 1, name: 'de' });
    expect(places.runs).toBe(0);
  });

  it('removes the key when the method returns undefined', async () => {
    await places.find(1);

    expect(await places.remove(1)).toBeUndefined();

    expect(cache.has('place:1')).toBe(false);
  });

  it('changes nothing when the method throws', async () => {
    await places.find(1);

    await expect(places.fail(1)).rejects.toThrow('the database said no');

    expect(await places.find(1)).toEqual({ id: 1, name: 'loaded in run 1' });
  });

  it('keeps what it stored for its ttl', async () => {
    await places.tag(1, 'Paris');

    await clock.advance(4_999);
    expect(cache.has('place:1')).toBe(true);
    await clock.advance(1);

    expect(cache.has('place:1')).toBe(false);
  });

  it.each(['places', 'id:1', 'name:Paris'])(
    'gives its entry tags of the arguments and of the result, such as %s',
    async (tag) => {
      await places.tag(1, 'Paris');

      await cache.invalidateTags(tag);

      expect(cache.has('place:1')).toBe(false);
    },
  );

  it('just runs the method where its condition does not hold', async () => {
    await places.renameSmall(10, 'Paris');
    await places.renameSmall(9, 'Rome');

    expect([cache.has('place:10'), cache.has('place:9')]).toEqual([false, true]);
  });

  it('leaves what was there where unless holds for the result', async () => {
    await places.renameUnless(1, 'Paris');

    await places.renameUnless(1, 'draft 1');

    expect(cache.peek('place:1')).toEqual({ id: 1, name: 'Paris' });
  });

  it('is not overwritten by a load that was under way', async () => {
    const load = places.findSlowly(1);
    await settle();

    await places.rename(1, 'Lutetia');
    places.release();

    expect(await load).toEqual({ id: 1, name: 'loaded before the change' });
    expect(cache.peek('place:1')).toEqual({ id: 1, name: 'Lutetia' });
  });

  it('deletes the key and rejects when the tags of the result can not be used', async () => {
    await places.find(1);

    await expect(places.tagBadly(1, 'Paris')).rejects.toThrow(InvalidArgumentError);

    expect(places.puts).toBe(1);
    expect(cache.has('place:1')).toBe(false);
  });

  it('deletes the key and rejects when unless throws', async () => {
    await places.find(1);

    await expect(places.renameBadly(1, 'Paris')).rejects.toThrow('unless failed');

    expect(places.puts).toBe(1);
    expect(cache.has('place:1')).toBe(false);
  });

  it('rejects before the method runs when its key can not be used', async () => {
    await expect(places.putUnder('')).rejects.toThrow(InvalidArgumentError);

    expect(places.puts).toBe(0);
  });

  it('rejects before the method runs when the tags of the arguments can not be used', async () => {
    await expect(places.putTagged('')).rejects.toThrow(InvalidArgumentError);

    expect(places.puts).toBe(0);
  });

  it('refuses a method that returns without a promise, and has stored what it returned', async () => {
    const renamed = places.renameAtOnce(1, 'Paris');

    await expect(renamed).rejects.toThrow(InvalidArgumentError);
    await expect(renamed).rejects.toThrow(
      'PlacesService.renameAtOnce is @CachePut and did not return a promise. Make the method async',
    );
    expect(cache.peek('place:1')).toEqual({ id: 1, name: 'Paris' });
  });

  it('returns what the method returned when the cache is closed meanwhile', async () => {
    const renamed = places.rename(1, 'Paris');
    await closeAll();

    expect(await renamed).toEqual({ id: 1, name: 'Paris' });
  });
});
