import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { of, type Observable } from 'rxjs';
import {
  Cacheable,
  CacheEvict,
  CacheHierarchy,
  CacheHierarchyModule,
  InvalidArgumentError,
} from 'nestjs-cache-hierarchy';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { boot, closeAll } from './boot.js';

const keyOf = (id: number): string => `place:${id}`;

@Injectable()
class PlacesService {
  runs = 0;
  release: () => void = () => {};
  finish: () => void = () => {};
  /** What the cache had of place 1 while a method ran. */
  seen: unknown = 'nothing yet';
  cache: CacheHierarchy | undefined;

  @Cacheable({ key: keyOf, tags: (id: number) => ['places', `id:${id}`] })
  async find(id: number): Promise<string> {
    return `${id} in run ${(this.runs += 1)}`;
  }

  @Cacheable()
  async findIn(id: number, language: string): Promise<string> {
    return `${id} ${language} in run ${(this.runs += 1)}`;
  }

  @Cacheable({ key: keyOf })
  async findSlowly(id: number): Promise<string> {
    await new Promise<void>((resolve) => (this.release = resolve));
    return `${id} before the change`;
  }

  @CacheEvict({ key: keyOf })
  async remove(_id: number): Promise<string> {
    this.seen = this.cache?.peek('place:1');
    return 'removed';
  }

  @CacheEvict({ key: keyOf })
  async removeSlowly(_id: number): Promise<void> {
    await new Promise<void>((resolve) => (this.finish = resolve));
  }

  @CacheEvict({ key: keyOf })
  async fail(_id: number): Promise<void> {
    throw new RangeError('the database said no');
  }

  @CacheEvict({ key: keyOf, beforeInvocation: true })
  async removeBefore(_id: number): Promise<void> {
    this.seen = this.cache?.peek('place:1');
  }

  @CacheEvict({ key: keyOf, beforeInvocation: true })
  async failAfter(_id: number): Promise<void> {
    throw new RangeError('the database said no');
  }

  @CacheEvict({ method: 'findIn', args: (language: string, id: number) => [id, language] })
  async removeIn(_language: string, _id: number): Promise<void> {}

  @CacheEvict({ tags: (id: number) => `id:${id}` })
  async removeTagged(_id: number): Promise<void> {}

  @CacheEvict({ resultTags: (ids: number[], prefix: string) => ids.map((id) => prefix + id) })
  async removeReturned(_prefix: string, ...ids: number[]): Promise<number[]> {
    return ids;
  }

  @CacheEvict({ key: keyOf, tags: 'places' })
  async removeBoth(_id: number): Promise<void> {}

  @CacheEvict({ allEntries: true })
  async removeAll(): Promise<void> {}

  @CacheEvict({ key: keyOf, condition: (id: number) => id > 1 })
  async removeLarge(_id: number): Promise<void> {}

  @CacheEvict({ key: keyOf, hold: '5s' })
  async removeAndHold(_id: number): Promise<void> {}

  @CacheEvict({ key: keyOf, resultTags: () => [''] })
  async tagBadly(_id: number): Promise<string> {
    return 'removed';
  }

  @CacheEvict({ key: (key: string) => key, tags: 'places' })
  async removeKey(_key: string): Promise<void> {
    this.runs += 1;
  }

  /** As JavaScript can have it. */
  @(CacheEvict({ key: keyOf }) as MethodDecorator)
  removeAtOnce(_id: number): string {
    return 'removed';
  }

  @(CacheEvict({ key: keyOf, beforeInvocation: true }) as MethodDecorator)
  removeBeforeAtOnce(_id: number): string {
    return 'removed';
  }

  @(CacheEvict({ key: keyOf }) as MethodDecorator)
  removeAsStream(_id: number): Observable<string> {
    return of('removed');
  }

  @CacheEvict({ tags: (tag: string) => tag, key: 'place:1' })
  async removeTag(_tag: string): Promise<void> {
    this.runs += 1;
  }
}

describe(CacheEvict.name, () => {
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
    places.cache = cache;
    await Promise.all([places.find(1), places.find(2)]);
  });

  afterEach(closeAll);

  const kept = (): boolean[] => [cache.has('place:1'), cache.has('place:2')];

  it('deletes its key after the method ran, and returns what that returned', async () => {
    expect(await places.remove(1)).toBe('removed');

    expect(places.seen).toBe('1 in run 1');
    expect(kept()).toEqual([false, true]);
  });

  it('deletes its key before the method runs, with beforeInvocation', async () => {
    await places.removeBefore(1);

    expect(places.seen).toBeUndefined();
    expect(kept()).toEqual([false, true]);
  });

  it('changes nothing when the method throws', async () => {
    await expect(places.fail(1)).rejects.toThrow('the database said no');

    expect(kept()).toEqual([true, true]);
  });

  it('has deleted its key when the method throws, with beforeInvocation', async () => {
    await expect(places.failAfter(1)).rejects.toThrow('the database said no');

    expect(kept()).toEqual([false, true]);
  });

  it('deletes the derived key of another method, with the arguments made for it', async () => {
    await places.findIn(1, 'fr');
    await places.findIn(1, 'de');

    await places.removeIn('fr', 1);

    expect(cache.has('PlacesService.findIn(1,"fr")')).toBe(false);
    expect(cache.has('PlacesService.findIn(1,"de")')).toBe(true);
  });

  it('invalidates tags made of the arguments', async () => {
    await places.removeTagged(2);

    expect(kept()).toEqual([true, false]);
  });

  it('invalidates tags made of the result and the arguments', async () => {
    await places.removeReturned('id:', 1, 3);

    expect(kept()).toEqual([false, true]);
  });

  it('deletes a key and invalidates a tag', async () => {
    await cache.set('place:3', 'without a tag');

    await places.removeBoth(3);

    expect([...kept(), cache.has('place:3')]).toEqual([false, false, false]);
  });

  it('clears the cache, with allEntries', async () => {
    await cache.set('country:fr', 'France');

    await places.removeAll();

    expect([...kept(), cache.has('country:fr')]).toEqual([false, false, false]);
  });

  it('just runs the method where its condition does not hold', async () => {
    await places.removeLarge(1);
    await places.removeLarge(2);

    expect(kept()).toEqual([true, false]);
  });

  it('has what is loaded during its hold returned and not stored', async () => {
    await places.removeAndHold(1);

    await clock.advance(4_999);
    await places.find(1);
    expect(cache.has('place:1')).toBe(false);
    await clock.advance(1);
    await places.find(1);

    expect(cache.has('place:1')).toBe(true);
  });

  it('has a load that was under way not stored', async () => {
    await cache.delete('place:1');
    const load = places.findSlowly(1);
    await settle();

    await places.remove(1);
    places.release();

    expect(await load).toBe('1 before the change');
    expect(cache.has('place:1')).toBe(false);
  });

  it('deletes its key and rejects when the tags of the result can not be used', async () => {
    await expect(places.tagBadly(1)).rejects.toThrow(InvalidArgumentError);

    expect(kept()).toEqual([false, true]);
  });

  it('rejects before the method runs when its key can not be used', async () => {
    await expect(places.removeKey('')).rejects.toThrow(InvalidArgumentError);

    expect(places.runs).toBe(2);
    expect(kept()).toEqual([true, true]);
  });

  it('rejects before the method runs when its tags can not be used', async () => {
    await expect(places.removeTag('')).rejects.toThrow(InvalidArgumentError);

    expect(places.runs).toBe(2);
    expect(kept()).toEqual([true, true]);
  });

  it.each(['removeAtOnce', 'removeBeforeAtOnce'] as const)(
    'refuses %s, which returns without a promise, and has deleted its key',
    async (name) => {
      const removed = places[name](1);

      await expect(removed).rejects.toThrow(InvalidArgumentError);
      await expect(removed).rejects.toThrow(
        `PlacesService.${name} is @CacheEvict and did not return a promise. Make the method async`,
      );
      expect(kept()).toEqual([false, true]);
    },
  );

  it('refuses a method that returns an Observable unannounced', async () => {
    await expect(places.removeAsStream(1)).rejects.toThrow(
      /returned an Observable. Return a promise/,
    );

    expect(kept()).toEqual([false, true]);
  });

  it('refuses a method that returns without a promise without a cache, too', async () => {
    await expect(new PlacesService().removeAtOnce(1)).rejects.toThrow(InvalidArgumentError);
  });

  it('returns what the method returned when the cache is closed meanwhile', async () => {
    const removed = places.removeSlowly(1);
    await settle();
    await closeAll();
    places.finish();

    await expect(removed).resolves.toBeUndefined();
  });
});
