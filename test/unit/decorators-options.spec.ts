import { describe, expect, it } from '@jest/globals';
import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  Caching,
  InvalidArgumentError,
  InvalidOptionsError,
} from 'nestjs-cache-hierarchy';

type Loose = (options?: unknown) => (...decorated: unknown[]) => void;

class PlacesService {
  static async count(): Promise<number> {
    return 1;
  }

  get first(): Promise<number> {
    return Promise.resolve(1);
  }

  async find(id: number): Promise<number> {
    return id;
  }
}

/** Applies a decorator to a member, past the compiler. */
function decorate(decorator: unknown, options?: unknown, name = 'find', target?: object): void {
  const on = target ?? PlacesService.prototype;
  (decorator as Loose)(options)(on, name, Object.getOwnPropertyDescriptor(on, name));
}

describe.each<[string, unknown, object]>([
  ['@CachePut', CachePut, { key: 'a' }],
  ['@CacheEvict', CacheEvict, { key: 'a' }],
  ['@Caching', Caching, { evict: [{ key: 'a' }] }],
])('%s', (_, decorator, options) => {
  it('refuses an accessor, a static method and a class', () => {
    expect(() => decorate(decorator, options, 'first')).toThrow(/can not cache the accessor first/);
    expect(() => decorate(decorator, options, 'count', PlacesService)).toThrow(
      /can not cache the static method count/,
    );
    expect(() => (decorator as Loose)(options)(PlacesService)).toThrow(
      /is for methods, not for classes/,
    );
    expect(() => (decorator as Loose)(options)(PlacesService)).toThrow(InvalidArgumentError);
  });

  it('refuses options that are no object', () => {
    expect(() => decorate(decorator, 'a')).toThrow(/options: must be an object, got "a"/);
    expect(() => decorate(decorator)).toThrow(InvalidOptionsError);
  });

  it('may be on one method several times', () => {
    decorate(decorator, options);

    expect(() => decorate(decorator, options)).not.toThrow();
  });
});

describe('the options of decorators', () => {
  it.each<[string, unknown, object, RegExp]>([
    [
      'CachePut has neither key nor method',
      CachePut,
      {},
      /key: must be there, or method, and not both, to say/,
    ],
    [
      'CachePut has both key and method',
      CachePut,
      { key: 'a', method: 'find' },
      /key: must be there, or method, and not both, to say/,
    ],
    ['CachePut has args without a method', CachePut, { key: 'a', args: () => [] }, /args: is for/],
    [
      'CachePut has an option of loads',
      CachePut,
      { key: 'a', throttle: 1 },
      /throttle: is unknown/,
    ],
    ['CachePut has a bad ttl', CachePut, { key: 'a', ttl: 0 }, /ttl: must be a positive number/],
    ['CachePut has a bad method', CachePut, { method: 5 }, /method: must be the name of a @Cache/],
    [
      'CacheEvict says nothing',
      CacheEvict,
      {},
      /key: must be there, or method, tags, resultTags or allEntries/,
    ],
    [
      'CacheEvict says nothing but when',
      CacheEvict,
      { beforeInvocation: true, allEntries: false },
      /key: must be there, or method, tags, resultTags or allEntries, to say what is inv/,
    ],
    [
      'CacheEvict needs a result before it is there',
      CacheEvict,
      { resultTags: () => 'a', beforeInvocation: true },
      /resultTags: needs a result, which there is not with beforeInvocation/,
    ],
    [
      'CacheEvict holds everything',
      CacheEvict,
      { allEntries: true, hold: '5s' },
      /hold: is for keys and tags: what allEntries clears is not held/,
    ],
    ['CacheEvict has an endless hold', CacheEvict, { key: 'a', hold: Infinity }, /hold: must end/],
    [
      'CacheEvict has no boolean',
      CacheEvict,
      { allEntries: 1 },
      /allEntries: must be true or false/,
    ],
    ['Cacheable has no function', Cacheable, { condition: true }, /condition: must be a function/],
    [
      'Cacheable has a bad cache',
      Cacheable,
      { cache: 'a b' },
      /cache: must be the name of a cache/,
    ],
    [
      'Cacheable has a bad policy',
      Cacheable,
      { eager: 2, jitter: 1 },
      /2 problems.*\n.*eager.*\n.*jitter/,
    ],
    ['Caching has nothing', Caching, {}, /cacheable: or put or evict must be there/],
    ['Caching has empty lists', Caching, { put: [], evict: [] }, /or put or evict must be there/],
    ['Caching has no list', Caching, { put: { key: 'a' } }, /put: must be an array/],
    [
      'Caching has an unknown option',
      Caching,
      { puts: [], evict: [{ key: 'a' }] },
      /puts: is unknown: did you mean put\? Known are cacheable, evict, put/,
    ],
    [
      'Caching has a bad part',
      Caching,
      { put: [{}] },
      /@CachePut on PlacesService\.find has 1 problem/,
    ],
  ])('are refused at decoration when %s', (_, decorator, options, message) => {
    expect(() => decorate(decorator, options)).toThrow(InvalidOptionsError);
    expect(() => decorate(decorator, options)).toThrow(message);
  });

  it.each<[string, object, RegExp]>([
    ['an empty prefix', { keyPrefix: '' }, /keyPrefix: must begin a key, which must not be empty/],
    ['tags of arguments', { tags: () => 'a' }, /tags: must be a string or an array of strings/],
    ['a bad tag', { tags: [1] }, /tags: must be a string/],
    ['a bad cache', { cache: '' }, /cache: must be the name of a cache/],
    ['a bad ttl', { ttl: 'soon' }, /ttl: must be/],
    ['an unknown option', { key: 'a' }, /key: is unknown; known are cache, keyPrefix, tags, ttl/],
  ])('of CacheConfig are refused when they have %s', (_, options, message) => {
    expect(() => (CacheConfig as Loose)(options)(PlacesService)).toThrow(InvalidOptionsError);
    expect(() => (CacheConfig as Loose)(options)(PlacesService)).toThrow(message);
  });

  it('of CacheConfig are refused on a method', () => {
    expect(() => decorate(CacheConfig, { ttl: '5s' })).toThrow(InvalidArgumentError);
    expect(() => decorate(CacheConfig, { ttl: '5s' })).toThrow(/@CacheConfig is for classes/);
  });
});
