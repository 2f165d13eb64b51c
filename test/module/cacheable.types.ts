/**
 * Checked by the compiler, never run: what `@Cacheable` accepts, and what it refuses by a line that
 * must not compile.
 */
import { Cacheable } from 'nestjs-cache-hierarchy';

interface Place {
  readonly id: number;
}

export abstract class Accepted {
  @Cacheable()
  async withoutOptions(id: number): Promise<Place> {
    return { id };
  }

  @Cacheable({ ttl: '5m', tags: ['places'] })
  async withoutParameters(): Promise<void> {}

  @Cacheable({ key: 'places' })
  async withVerbatimKey(id?: number): Promise<Place | null> {
    return id === undefined ? null : { id };
  }

  @Cacheable({ key: (id: number) => `place:${id}` })
  async withKeyOfSomeParameters(id: number, language: string): Promise<string> {
    return `${id} ${language}`;
  }

  @Cacheable({ key: (id: number | string) => `place:${id}` })
  async withKeyOfWiderParameters(id: number): Promise<Place> {
    return { id };
  }

  @Cacheable({ key: (id) => `place:${String(id)}` })
  async withKeyOfUntypedParameter(id: number): Promise<Place> {
    return { id };
  }

  @Cacheable({
    key: (id: number) => `place:${id}`,
    tags: (_: number, language: string) => ['places', language],
  })
  async withKeyAndTagsOfDifferentParameters(id: number, language: string): Promise<string> {
    return `${id} ${language}`;
  }

  @Cacheable({ key: (id: number) => `place:${id}`, tags: (id) => [`place:${String(id)}`] })
  async withKeyTypedAndTagsNot(id: number): Promise<Place> {
    return { id };
  }

  @Cacheable({ key: (id: number, language?: string) => `${id}:${language ?? ''}` })
  async withOptionalParameter(id: number, language?: string): Promise<string> {
    return `${id} ${language ?? ''}`;
  }

  @Cacheable({ key: (...ids: number[]) => ids.join() })
  async withRestParameter(...ids: number[]): Promise<Place[]> {
    return ids.map((id) => ({ id }));
  }

  @Cacheable({ key: (id: string) => id })
  async generic<T extends string>(id: T): Promise<T> {
    return id;
  }

  async overloaded(id: number): Promise<number>;
  async overloaded(id: string): Promise<string>;
  @Cacheable()
  async overloaded(id: number | string): Promise<number | string> {
    return id;
  }

  @Cacheable()
  protected async guarded(id: number): Promise<Place> {
    return { id };
  }
}

export class Refused {
  // @ts-expect-error a synchronous method
  @Cacheable()
  synchronous(id: number): Place {
    return { id };
  }

  // @ts-expect-error a method that is synchronous at times
  @Cacheable()
  atTimes(id: number): Place | Promise<Place> {
    return id === 0 ? { id } : Promise.resolve({ id });
  }

  // @ts-expect-error a key of other parameters
  @Cacheable({ key: (id: string) => id })
  async wrongKey(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a key of more parameters
  @Cacheable({ key: (id: number, language: string) => `${id}:${language}` })
  async longKey(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a key that may be called without what it needs
  @Cacheable({ key: (id: number) => `place:${id}` })
  async optional(id?: number): Promise<Place> {
    return { id: id ?? 0 };
  }

  // @ts-expect-error tags of other parameters
  @Cacheable({ tags: (id: string) => [id] })
  async wrongTags(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a key that is no string
  @Cacheable({ key: (id: number) => id })
  async numericKey(id: number): Promise<Place> {
    return { id };
  }

  // @ts-expect-error a duration without a unit
  @Cacheable({ ttl: '5' })
  async bareDuration(): Promise<void> {}

  // @ts-expect-error an option that does not exist
  @Cacheable({ conditions: () => true })
  async unknownOption(): Promise<void> {}

  // @ts-expect-error an accessor
  @Cacheable()
  get accessor(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error a property
  @Cacheable()
  property: () => Promise<number> = () => Promise.resolve(1);
}

// @ts-expect-error a class
@Cacheable()
export class Whole {}
