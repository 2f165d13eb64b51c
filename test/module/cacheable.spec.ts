import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, NotFoundException } from '@nestjs/common';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  cacheKeyOf,
  InvalidArgumentError,
} from 'nestjs-cache-hierarchy';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { boot, closeAll } from './boot.js';

@Injectable()
class PlacesService {
  runs = 0;
  result: unknown = 'place';
  release: () => void = () => {};

  @Cacheable()
  async find(..._args: unknown[]): Promise<unknown> {
    this.runs += 1;
    return this.result;
  }

  @Cacheable({ key: (id: number) => `place:${id}`, ttl: '5s' })
  async findById(id: number): Promise<string> {
    return `${id} in run ${(this.runs += 1)}`;
  }

  @Cacheable({ key: 'places:all', tags: 'places' })
  async findAll(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({ tags: (country: string) => ['places', `country:${country}`] })
  async findIn(country: string): Promise<string> {
    return `${country} in run ${(this.runs += 1)}`;
  }

  @Cacheable()
  async findSlowly(): Promise<number> {
    this.runs += 1;
    await new Promise<void>((resolve) => (this.release = resolve));
    return this.runs;
  }

  @Cacheable()
  async findNone(): Promise<never> {
    this.runs += 1;
    throw new NotFoundException();
  }

  @Cacheable()
  findAtOnce(): Promise<never> {
    throw new RangeError('thrown at once');
  }

  @Cacheable({
    key: () => {
      throw new RangeError('no key today');
    },
  })
  async findWithoutKey(): Promise<void> {}

  @Cacheable({ key: () => 5 as unknown as string })
  async findWithNumber(): Promise<void> {}
}

describe(`${Cacheable.name} in an application`, () => {
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

  it('takes null as a hit, and does not keep undefined', async () => {
    places.result = null;
    expect([await places.find('null'), await places.find('null')]).toEqual([null, null]);
    expect(places.runs).toBe(1);

    places.result = undefined;
    expect([await places.find(), await places.find()]).toEqual([undefined, undefined]);
    expect(places.runs).toBe(3);
  });

  it.each([false, 0, '', NaN])('takes %p, which is a value, as a hit', async (result) => {
    places.result = result;

    expect([await places.find(), await places.find()]).toEqual([result, result]);
    expect(places.runs).toBe(1);
  });

  it('tells arguments apart by type and structure', async () => {
    const calls = [[1], ['1'], [['a', 'b']], [['a,b']], ['a', 'b'], [null], [undefined], []];

    for (const args of [...calls, ...calls]) await places.find(...args);

    expect(places.runs).toBe(calls.length);
  });

  it('runs once for callers who come together', async () => {
    const callers = Array.from({ length: 100 }, () => places.findSlowly());
    await settle();
    places.release();

    expect(new Set(await Promise.all(callers))).toEqual(new Set([1]));
    expect(places.runs).toBe(1);
  });

  it('hands an error to every caller as the same object, and keeps nothing', async () => {
    const errors = await Promise.all(
      Array.from({ length: 3 }, () => places.findNone().catch((error: unknown) => error)),
    );

    expect(errors[0]).toBeInstanceOf(NotFoundException);
    expect(new Set(errors).size).toBe(1);
    await expect(places.findNone()).rejects.toThrow(NotFoundException);
    expect(places.runs).toBe(2);
  });

  it('uses a key verbatim and keeps the result for its ttl', async () => {
    await places.findById(1);
    await clock.advance(4_999);
    expect(cache.peek('place:1')).toBe('1 in run 1');

    await clock.advance(1);

    expect(cache.has('place:1')).toBe(false);
  });

  it('runs again after a delete of the key', async () => {
    await places.findAll();
    expect(await cache.delete('places:all')).toBe(true);
    expect(await places.findAll()).toBe(2);

    await places.findIn('fr');
    expect(await cache.delete(cacheKeyOf(PlacesService, 'findIn', ['fr']))).toBe(true);
    expect(await places.findIn('fr')).toBe('fr in run 4');
  });

  it('runs again after a tag was invalidated, fixed or made of the arguments', async () => {
    await Promise.all([places.findAll(), places.findIn('fr'), places.findIn('de')]);

    await cache.invalidateTags('country:fr');
    await Promise.all([places.findAll(), places.findIn('fr'), places.findIn('de')]);
    expect(places.runs).toBe(4);

    await cache.invalidateTags('places');
    await Promise.all([places.findAll(), places.findIn('fr'), places.findIn('de')]);
    expect(places.runs).toBe(7);
  });

  it('rejects, and does not throw, when there is no key for the call', async () => {
    await expect(places.find(/a/)).rejects.toThrow(InvalidArgumentError);
    await expect(places.findWithoutKey()).rejects.toThrow('no key today');
    await expect(places.findWithNumber()).rejects.toThrow(
      'The key of PlacesService.findWithNumber must return a string, got 5.',
    );
  });

  it('just runs for what is no instance of the class', async () => {
    const find = places.find.bind(undefined as unknown as PlacesService);
    const foreign = { runs: 0, result: 'foreign' };

    await expect(find(1)).rejects.toThrow(TypeError);
    await places.find.call(foreign as PlacesService, 1);
    await places.find.call(foreign as PlacesService, 1);

    expect(foreign.runs).toBe(2);
  });

  it('rejects where the method throws at once, with a cache and without one', async () => {
    const withoutCache = places.findAtOnce.bind(undefined as unknown as PlacesService);

    await expect(places.findAtOnce()).rejects.toThrow('thrown at once');
    await expect(withoutCache()).rejects.toThrow('thrown at once');
  });
});
