/**
 * Checked by the compiler, never run: what `@CachePut`, `@CacheEvict`, `@Caching` and `@CacheConfig`
 * accept, and the newer options of `@Cacheable`; what they refuse stands under a line that must not compile.
 */
import { Cacheable, CacheConfig, CacheEvict, CachePut, Caching } from 'nestjs-cache-hierarchy';
import { of, Observable } from 'rxjs';

interface Place {
  readonly id: number;
}

@CacheConfig({ cache: 'places', keyPrefix: 'v1:', ttl: '5m', tags: ['places'] })
export class Accepted {
  @Cacheable({
    condition: (id: number) => id > 0,
    unless: (place: Place | null) => place === null,
    resultTags: (_: Place | null, id: number) => `place:${id}`,
    grace: '1h',
    eager: 0.8,
    staleOn: (error) => error instanceof RangeError,
  })
  async everything(id: number, _language: string): Promise<Place | null> {
    return { id };
  }

  @Cacheable({ unless: (place) => place === null, resultTags: (place) => `id:${String(place)}` })
  async untypedResult(id: number): Promise<Place> {
    return { id };
  }

  @CachePut({ key: (id: number) => `place:${id}`, unless: ({ id }: Place) => id === 0 })
  async put(id: number, _name: string): Promise<Place> {
    return { id };
  }

  @CachePut({ method: 'everything', args: (id: number) => [id, 'en'] })
  async putOther(id: number): Promise<Place> {
    return { id };
  }

  @CacheEvict({ key: (id: number) => `place:${id}`, tags: 'places', hold: '5s' })
  async evict(_id: number): Promise<void> {}

  @CacheEvict({ resultTags: (ids: readonly number[]) => ids.map(String) })
  async evictReturned(): Promise<number[]> {
    return [1];
  }

  @Caching({
    cacheable: { key: (id: number) => `place:${id}` },
    put: [{ key: 'last' }, { key: (_: number, name: string) => name, unless: () => false }],
    evict: [{ allEntries: true }, { tags: (id: number) => `id:${id}` }],
  })
  async several(id: number, _name: string): Promise<Place> {
    return { id };
  }

  @Cacheable({ key: (id: number) => `${id}`, unless: (places: Place[]) => places.length === 0 })
  stream(id: number): Observable<Place> {
    return of({ id });
  }

  @Caching({ cacheable: { key: 'a' } })
  cachingStream(): Observable<number> {
    return of(1);
  }

  @Caching({ evict: [{ key: 'a' }] })
  async one(): Promise<void> {}
}

export class Refused {
  // @ts-expect-error a key of other parameters, of a stream
  @Cacheable({ key: (id: string) => id })
  streamKey(id: number): Observable<Place> {
    return of({ id });
  }

  // @ts-expect-error unless of one value of a stream
  @Cacheable({ unless: (place: Place) => place.id === 0 })
  streamUnless(id: number): Observable<Place> {
    return of({ id });
  }

  // @ts-expect-error a stream
  @CachePut({ key: 'a' })
  putStream(id: number): Observable<Place> {
    return of({ id });
  }

  // @ts-expect-error a stream
  @Caching({ cacheable: { key: 'a' }, evict: [{ key: 'b' }] })
  evictStream(id: number): Observable<Place> {
    return of({ id });
  }

  // @ts-expect-error a condition of other parameters
  @Cacheable({ condition: (id: string) => id !== '' })
  async condition(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error unless of another result
  @Cacheable({ unless: (place: string) => place === '' })
  async unless(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error unless of a result that may be null
  @Cacheable({ unless: (place: Place) => place.id === 0 })
  async unlessNull(id: number): Promise<Place | null> {
    return id === 0 ? null : { id };
  }

  // @ts-expect-error unless of other parameters
  @Cacheable({ unless: (_: Place, id: string) => id === '' })
  async unlessOther(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error tags of another result
  @Cacheable({ resultTags: (place: string) => place })
  async resultTags(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a condition that is no boolean
  @Cacheable({ condition: (id: number) => `${id}` })
  async conditionOfText(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a key of other parameters
  @CachePut({ key: (id: string) => id })
  async putKey(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error tags of other parameters
  @CachePut({ key: 'a', tags: (id: string) => id })
  async putTags(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error arguments made of other parameters
  @CachePut({ method: 'find', args: (id: string) => [id] })
  async putArgs(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a condition of other parameters
  @CachePut({ key: 'a', condition: (id: string) => id === '' })
  async putCondition(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error unless of another result
  @CachePut({ key: 'a', unless: (place: string) => place === '' })
  async putUnless(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error tags of another result
  @CachePut({ key: 'a', resultTags: (place: string) => place })
  async putResultTags(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error an option of loads, which it has none of
  @CachePut({ key: 'a', softTimeout: '1s' })
  async putSoftTimeout(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a synchronous method
  @CachePut({ key: 'a' })
  putSynchronous(id: number): Place {
    return { id };
  }

  // @ts-expect-error an accessor
  @CachePut({ key: 'a' })
  get putAccessor(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error no options
  @CachePut()
  async putNothing(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a key of other parameters
  @CacheEvict({ key: (id: string) => id })
  async evictKey(_id: number): Promise<void> {}

  // @ts-expect-error tags of other parameters
  @CacheEvict({ tags: (id: string) => id })
  async evictTags(_id: number): Promise<void> {}

  // @ts-expect-error arguments made of other parameters
  @CacheEvict({ method: 'find', args: (id: string) => [id] })
  async evictArgs(_id: number): Promise<void> {}

  // @ts-expect-error a condition of other parameters
  @CacheEvict({ key: 'a', condition: (id: string) => id === '' })
  async evictCondition(_id: number): Promise<void> {}

  // @ts-expect-error tags of another result
  @CacheEvict({ resultTags: (place: string) => place })
  async evictResultTags(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error an option of entries, which it stores none of
  @CacheEvict({ key: 'a', ttl: '5s' })
  async evictTtl(): Promise<void> {}

  // @ts-expect-error a synchronous method
  @CacheEvict({ key: 'a' })
  evictSynchronous(): void {}

  // @ts-expect-error an accessor
  @CacheEvict({ key: 'a' })
  get evictAccessor(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error a key of other parameters, to cache
  @Caching({ cacheable: { key: (id: string) => id } })
  async cachingKey(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a key of other parameters, in the second put
  @Caching({ put: [{ key: 'a' }, { key: (id: string) => id }] })
  async cachingPut(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error tags of other parameters, in the second evict
  @Caching({ evict: [{ key: 'a' }, { tags: (id: string) => id }] })
  async cachingEvict(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error unless of another result, in a put
  @Caching({ put: [{ key: 'a', unless: (place: string) => place === '' }] })
  async cachingUnless(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error an unknown option in a put
  @Caching({ put: [{ key: 'a', conditions: () => true }] })
  async cachingUnknown(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error an unknown option
  @Caching({ puts: [{ key: 'a' }] })
  async cachingPuts(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a synchronous method
  @Caching({ evict: [{ key: 'a' }] })
  cachingSynchronous(): void {}

  // @ts-expect-error an accessor
  @Caching({ evict: [{ key: 'a' }] })
  get cachingAccessor(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error on a method
  @CacheConfig({ ttl: '5s' })
  async configured(): Promise<void> {}
}

// @ts-expect-error tags of arguments, which a class has none of
@CacheConfig({ tags: () => 'a' })
export class TaggedByFunction {}

// @ts-expect-error an unknown option
@CacheConfig({ key: 'a' })
export class Keyed {}

// @ts-expect-error a class
@CacheEvict({ key: 'a' })
export class Whole {}
