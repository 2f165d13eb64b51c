import { describe, expect, it } from '@jest/globals';
import { Cacheable, InvalidArgumentError, InvalidOptionsError } from 'nestjs-cache-hierarchy';

/** Applies the decorator to a member as the compiler does, past the compiler. */
function decorate(target: object, name: unknown, options?: object): void {
  const descriptor =
    typeof name === 'object'
      ? undefined
      : Object.getOwnPropertyDescriptor(target, name as string | symbol);
  const decorator = Cacheable(options) as unknown as (...args: unknown[]) => void;
  decorator(target, name, descriptor);
}

class PlacesService {
  property = 1;

  set last(_: number) {}

  async find(id: number): Promise<number> {
    return id;
  }
}

describe(Cacheable.name, () => {
  it.each<[string, object, unknown, RegExp]>([
    ['a setter', PlacesService.prototype, 'last', /can not cache the accessor last/],
    ['a property', PlacesService.prototype, 'property', /can not cache the property property/],
    ['a class', PlacesService, undefined, /is for methods, not for classes/],
    [
      'a call as a standard decorator',
      Object.getOwnPropertyDescriptor(PlacesService.prototype, 'find')?.value as object,
      { kind: 'method', name: 'find' },
      /Compile with experimentalDecorators/,
    ],
  ])('refuses %s at decoration', (_, target, name, message) => {
    expect(() => decorate(target, name)).toThrow(InvalidArgumentError);
    expect(() => decorate(target, name)).toThrow(message);
  });

  it('refuses wrong and unknown options at decoration, all at once', () => {
    const options = { key: '', ttl: 0, tags: [1], conditions: (): boolean => true };

    expect(() => decorate(PlacesService.prototype, 'find', options)).toThrow(InvalidOptionsError);
    expect(() => decorate(PlacesService.prototype, 'find', options)).toThrow(
      new RegExp(
        [
          '^@Cacheable on PlacesService\\.find has 4 problems in its options:',
          '.*- key: must be a cache key or a function: a key must not be empty, got ""',
          '.*- tags: must be .*, got an array of 1',
          '.*- ttl: must be a positive number of milliseconds.*, got 0',
          '.*- conditions: is unknown: did you mean condition\\? Known are cache, condition, eager, grace, hardTimeout, jitter, key, ' +
            'negativeTtl, resultTags, softTimeout, staleOn, tags, throttle, ttl, unless$',
        ].join('\n'),
      ),
    );
  });

  it.each([
    ['a number', 5],
    ['a control character', 'a\u0000'],
    ['more than 1,024 characters', 'a'.repeat(1_025)],
    ['a lone surrogate', '\ud800'],
  ])('refuses a verbatim key of %s', (_, key) => {
    expect(() => decorate(PlacesService.prototype, 'find', { key })).toThrow(InvalidOptionsError);
  });

  it('refuses options that are no object', () => {
    expect(() => decorate(PlacesService.prototype, 'find', 'place:1' as unknown as object)).toThrow(
      /options: must be an object, got "place:1"/,
    );
  });

  it('refuses to be on one method twice', () => {
    class TwiceService {
      @Cacheable()
      async find(): Promise<void> {}
    }

    expect(() => decorate(TwiceService.prototype, 'find')).toThrow(
      /@Cacheable on TwiceService\.find is there twice/,
    );
  });

  it('refuses two symbols of one description, whose derived keys would be the same', () => {
    const [first, second] = [Symbol('find'), Symbol('find')];
    class SymbolsService {
      @Cacheable()
      async [first](): Promise<void> {}

      async [second](): Promise<void> {}
    }

    expect(() => decorate(SymbolsService.prototype, second)).toThrow(/Give it a key/);
    decorate(SymbolsService.prototype, second, { key: 'second' });
  });
});
