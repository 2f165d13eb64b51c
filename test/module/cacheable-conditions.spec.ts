import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  Cacheable,
  CacheHierarchy,
  CacheHierarchyModule,
  getCacheToken,
  InvalidArgumentError,
} from 'nestjs-cache-hierarchy';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { boot, closeAll } from './boot.js';

/** What the compiler does not see in code without types. */
const later = (() => Promise.reject(new RangeError('too late'))) as unknown as () => boolean;

@Injectable()
class PlacesService {
  runs = 0;
  failing = false;

  @Cacheable({ condition: (id: number) => id < 10 })
  async findSmall(id: number): Promise<string> {
    return `${id} in run ${(this.runs += 1)}`;
  }

  @Cacheable({
    condition: () => {
      throw new RangeError('no condition today');
    },
  })
  async findNever(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({ key: 'late', condition: later })
  async findLate(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({ key: 'kept late', unless: later })
  async keepLate(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({ unless: (ids: number[], limit: number) => ids.length < limit })
  async search(_limit: number, ...ids: number[]): Promise<number[]> {
    this.runs += 1;
    return ids;
  }

  @Cacheable({
    key: 'all',
    tags: 'all',
    resultTags: (ids: number[]) => ids.map((id) => `id:${id}`),
  })
  async findAll(): Promise<number[]> {
    this.runs += 1;
    return [1, 2];
  }

  @Cacheable({ key: 'bad', resultTags: () => [''] })
  async tagBadly(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({
    unless: (place: { name: string } | null | undefined) => place === null,
    resultTags: (place) => (place as { name: string }).name,
  })
  async findPlace(
    place: { name: string } | null | undefined,
  ): Promise<{ name: string } | null | undefined> {
    this.runs += 1;
    return place;
  }

  @Cacheable({ cache: 'rates', key: 'rate' })
  async rate(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({ key: 'graced', ttl: '5s', grace: '1h' })
  async findGraced(): Promise<number> {
    if (this.failing) throw new RangeError('the database is away');
    return (this.runs += 1);
  }

  @Cacheable({ key: 'eager', ttl: '10s', eager: 0.5 })
  async findEagerly(): Promise<number> {
    return (this.runs += 1);
  }

  @Cacheable({ key: 'null', ttl: '10s', negativeTtl: '1s' })
  async findNull(): Promise<number | null> {
    this.runs += 1;
    return null;
  }
}

describe(`${Cacheable.name} with conditions, tags of results and the whole policy`, () => {
  let clock: VirtualClock;
  let places: PlacesService;
  let cache: CacheHierarchy;
  let rates: CacheHierarchy;

  beforeEach(async () => {
    clock = new VirtualClock();
    const app = await boot({
      imports: [
        CacheHierarchyModule.forRoot({ clock }),
        CacheHierarchyModule.forFeature([{ name: 'rates' }]),
      ],
      providers: [PlacesService],
    });
    places = app.get(PlacesService);
    cache = app.get(CacheHierarchy);
    rates = app.get(getCacheToken('rates'));
  });

  afterEach(closeAll);

  it('neither reads nor stores where the condition does not hold', async () => {
    await places.findSmall(9);
    await places.findSmall(9);
    expect(places.runs).toBe(1);

    await places.findSmall(10);
    await places.findSmall(10);

    expect(places.runs).toBe(3);
    expect(cache.has('PlacesService.findSmall(10)')).toBe(false);
  });

  it('rejects, and does not run the method, when the condition throws', async () => {
    await expect(places.findNever()).rejects.toThrow('no condition today');

    expect(places.runs).toBe(0);
  });

  it('rejects when a promise comes for an answer', async () => {
    await expect(places.findLate()).rejects.toThrow(
      'condition of @Cacheable on PlacesService.findLate returned a promise: it must decide at once.',
    );
    expect(places.runs).toBe(0);

    await expect(places.keepLate()).rejects.toThrow(
      /^unless of @Cacheable on PlacesService.keepLate/,
    );
    expect(cache.has('kept late')).toBe(false);
  });

  it('returns to all who wait, and does not store, where unless holds for the result', async () => {
    const found = await Promise.all([places.search(2, 1), places.search(2, 1)]);
    expect(found).toEqual([[1], [1]]);
    expect(places.runs).toBe(1);

    await places.search(2, 1);
    await places.search(2, 1, 2);
    await places.search(2, 1, 2);

    expect(places.runs).toBe(3);
  });

  it.each(['all', 'id:2'])(
    'gives entries tags of the result beside the others, such as %s',
    async (tag) => {
      await places.findAll();
      expect(cache.has('all')).toBe(true);

      await cache.invalidateTags(tag);

      expect(cache.has('all')).toBe(false);
    },
  );

  it('rejects and stores nothing when the tags of the result can not be used', async () => {
    await expect(places.tagBadly()).rejects.toThrow(InvalidArgumentError);

    expect(cache.has('bad')).toBe(false);
  });

  it.each([null, undefined])(
    'asks for no tags of a result that is not stored: %s',
    async (none) => {
      expect(await places.findPlace(none)).toBe(none);
      expect(await places.findPlace(none)).toBe(none);

      expect(places.runs).toBe(2);
    },
  );

  it('stores in the cache that it names', async () => {
    await places.rate();
    await places.rate();

    expect(places.runs).toBe(1);
    expect([rates.has('rate'), cache.has('rate')]).toEqual([true, false]);
  });

  it('answers with a stale value in its grace when the method fails', async () => {
    await places.findGraced();
    await clock.advance(6_000);
    places.failing = true;

    expect(await places.findGraced()).toBe(1);
  });

  it('runs anew behind a hit when it is eager', async () => {
    await places.findEagerly();
    await clock.advance(9_000);

    expect(await places.findEagerly()).toBe(1);
    await settle();

    expect(await places.findEagerly()).toBe(2);
  });

  it('keeps null for its negativeTtl', async () => {
    await places.findNull();

    await clock.advance(999);
    expect(cache.has('null')).toBe(true);
    await clock.advance(1);

    expect(cache.has('null')).toBe(false);
  });
});
