import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import {
  CacheConfig,
  CacheHierarchy,
  CacheHierarchyModule,
  CachePut,
  type CacheHierarchyOptions,
} from 'nestjs-cache-hierarchy';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { boot, closeAll } from './boot.js';

@Injectable()
class PlacesService {
  @CachePut({ key: 'ttl', ttl: '100s' })
  async putWithTtl(name: string | null): Promise<string | null> {
    return name;
  }

  @CachePut({ key: 'negativeTtl', ttl: '100s', negativeTtl: '5s' })
  async putWithNegativeTtl(name: string | null): Promise<string | null> {
    return name;
  }

  @CachePut({ key: 'noNegativeTtl', ttl: '100s', negativeTtl: false })
  async putWithoutNegativeTtl(name: string | null): Promise<string | null> {
    return name;
  }

  @CachePut({ key: 'grace', ttl: '100s', grace: '1h' })
  async putWithGrace(name: string): Promise<string> {
    return name;
  }

  @CachePut({ key: 'eager', ttl: '100s', eager: 0.5 })
  async putWithEager(name: string): Promise<string> {
    return name;
  }

  @CachePut({ key: 'jitter', ttl: '100s', jitter: 0.5 })
  async putWithJitter(name: string): Promise<string> {
    return name;
  }
}

@CacheConfig({ ttl: '100s' })
@Injectable()
class CountriesService {
  @CachePut({ key: 'country', negativeTtl: '5s' })
  async put(name: string | null): Promise<string | null> {
    return name;
  }
}

describe(`the policy of ${CachePut.name}`, () => {
  let clock: VirtualClock;
  let cache: CacheHierarchy;
  let places: PlacesService;
  let countries: CountriesService;

  beforeEach(() => open({}));

  afterEach(async () => {
    jest.restoreAllMocks();
    await closeAll();
  });

  async function open(options: CacheHierarchyOptions): Promise<void> {
    clock = new VirtualClock();
    const app = await boot({
      imports: [CacheHierarchyModule.forRoot({ ...options, clock })],
      providers: [PlacesService, CountriesService],
    });
    cache = app.get(CacheHierarchy);
    places = app.get(PlacesService);
    countries = app.get(CountriesService);
  }

  /** For how many seconds the lowest level has the entry as a hit. */
  async function livesFor(key: string): Promise<number> {
    return (await cache.inspect(key)).at(-1)!.freshForMs / 1_000;
  }

  it('keeps null for its negativeTtl, and anything else for its ttl', async () => {
    await places.putWithNegativeTtl(null);
    expect(await livesFor('negativeTtl')).toBe(5);

    await places.putWithNegativeTtl('Paris');
    expect(await livesFor('negativeTtl')).toBe(100);
  });

  it('keeps null for its negativeTtl where the class says the ttl', async () => {
    await countries.put(null);
    expect(await livesFor('country')).toBe(5);

    await countries.put('France');
    expect(await livesFor('country')).toBe(100);
  });

  it('keeps null for the negativeTtl of the cache, whatever its ttl, unless it is false', async () => {
    await open({ negativeTtl: '7s' });

    await places.putWithTtl(null);
    await places.putWithoutNegativeTtl(null);

    expect([await livesFor('ttl'), await livesFor('noNegativeTtl')]).toEqual([7, 100]);
  });

  it('keeps null for its ttl where nobody says a negativeTtl', async () => {
    await places.putWithTtl(null);

    expect(await livesFor('ttl')).toBe(100);
  });

  it('keeps what is expired for its grace', async () => {
    await places.putWithGrace('Paris');
    await clock.advance('101s');

    const failing = cache.getOrSet('grace', () => Promise.reject(new Error('away')));

    expect(await failing).toBe('Paris');
  });

  it('has what is eager loaded anew behind a hit', async () => {
    await places.putWithEager('Paris');
    await clock.advance('60s');

    expect(await cache.getOrSet('eager', () => 'Lutetia')).toBe('Paris');
    await settle();

    expect(cache.peek('eager')).toBe('Lutetia');
  });

  it('has lifetimes differ by its jitter', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0);

    await places.putWithJitter('Paris');

    expect(await livesFor('jitter')).toBe(50);
  });
});
