import { describe, expect, it } from '@jest/globals';
import {
  CacheResponse,
  InvalidArgumentError,
  InvalidOptionsError,
  type CacheResponseOptions,
} from 'nestjs-cache-hierarchy';
import { read, tableUnder } from '../docs/documents.js';

function decorate(options: unknown): void {
  class PlacesController {
    @CacheResponse(options as CacheResponseOptions)
    find(): void {}
  }
  void PlacesController;
}

describe(CacheResponse.name, () => {
  const identify = (): string => 'ada';

  it.each([
    [{ ttl: 0 }, /ttl: must be a positive number .* got 0/],
    [{ tags: 5 }, /tags: must be a string, an array of strings or a function .* got 5/],
    [{ tags: ['a', 5] }, /tags: must be a string/],
    [{ key: 'place' }, /key: must be a function, got "place"/],
    [{ scope: 'private' }, /scope: must be .*'public' or 'user', got "private"/],
    [{ scope: 'user' }, /identify: must be a function that names the user/],
    [{ identify }, /identify: belongs to scope: 'user'/],
    [{ scope: 'public', identify }, /identify: belongs to scope: 'user'/],
    [{ scope: 'user', identify: 'ada' }, /identify: must be a function, got "ada"/],
    [{ vary: 5 }, /vary: must be the name of a request header, or an array of them, got 5/],
    [{ vary: ['accept', 'a b'] }, /vary: must be the name of a request header/],
    [{ vary: '*' }, /vary: must be the name of a request header/],
    [{ condition: true }, /condition: is unknown; known are identify, key, scope, tags, ttl, vary/],
    [5, /options: must be an object, got 5/],
  ])('refuses %j', (options, message) => {
    expect(() => decorate(options)).toThrow(InvalidOptionsError);
    expect(() => decorate(options)).toThrow(message);
    expect(() => decorate(options)).toThrow(/@CacheResponse on PlacesController\.find has/);
  });

  it.each([
    [undefined],
    [{}],
    [{ ttl: '1m', tags: 'places', scope: 'public', vary: ['Accept-Language', 'X-Unit'] }],
    [{ scope: 'user', identify, key: () => 'key', tags: () => ['a'] }],
  ])('takes %j', (options) => {
    expect(() => decorate(options)).not.toThrow();
  });

  it('has its options, all of them, in the table of its page', () => {
    const listed = tableUnder(read('docs/responses.md'), 'Options').map(([name]) => name);

    expect(() => decorate({ unknown: 1 })).toThrow(
      `known are ${listed.toSorted((one, other) => one!.localeCompare(other!)).join(', ')}`,
    );
  });

  it('refuses what is no method of an instance, and to be there twice', () => {
    const decorator = CacheResponse();
    const twice = (): void => {
      class PlacesController {
        @CacheResponse()
        @CacheResponse({ ttl: '1m' })
        find(): void {}
      }
      void PlacesController;
    };

    expect(() => decorator({}, 'field', undefined as never)).toThrow(InvalidArgumentError);
    expect(() => decorator(class {}, 'find', { value: () => {} })).toThrow(
      /methods of controllers/,
    );
    expect(twice).toThrow(/@CacheResponse on PlacesController\.find is there twice/);
  });
});
