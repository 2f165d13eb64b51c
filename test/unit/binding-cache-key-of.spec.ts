import { describe, expect, it } from '@jest/globals';
import { Cacheable, cacheKeyOf, InvalidArgumentError } from 'nestjs-cache-hierarchy';
import { keyProblem } from '../../lib/memory/cache-key.js';

const near = Symbol('near');

class PlacesService {
  @Cacheable()
  async find(...args: unknown[]): Promise<unknown> {
    return args;
  }

  @Cacheable()
  async 'find all'(): Promise<void> {}

  @Cacheable()
  async [near](id: number): Promise<number> {
    return id;
  }

  @Cacheable({ key: (id: number) => `place:${id}` })
  async findById(id: number): Promise<number> {
    return id;
  }

  @Cacheable({ key: 'places:count' })
  async count(): Promise<number> {
    return 0;
  }

  async plain(): Promise<void> {}
}

class CitiesService extends PlacesService {}

/** The key of a call with one string of this length. */
function keyAt(length: number, character = 'a'): string {
  return cacheKeyOf(PlacesService, 'find', [character.repeat(length)]);
}

describe(cacheKeyOf.name, () => {
  it('derives a key from the class, the method and the arguments', () => {
    expect(cacheKeyOf(PlacesService, 'find', [1, 'en'])).toBe('PlacesService.find(1,"en")');
    expect(cacheKeyOf(CitiesService, 'find', [])).toBe('CitiesService.find()');
  });

  it.each([
    [['1'], '"1"'],
    [[1], '1'],
    [[-0], '-0'],
    [[1e21], '1e+21'],
    [[10n], '10n'],
    [['a"b\\'], '"a\\"b\\\\"'],
    [['caf\u00e9 \u0085'], '"caf\u00e9 \\u0085"'],
    [[{ page: 1, id: 'x', on: true }], '{"id":"x","on":true,"page":1}'],
    [[{ b: 'y', a: 'x', c: 'z' }], '{"a":"x","b":"y","c":"z"}'],
    [
      [{ z: '\n', a: { y: 's', x: [undefined, null] } }],
      '{"a":{"x":[undefined,null],"y":"s"},"z":"\\n"}',
    ],
    [[{ a: 'x', b: {}, c: -0, d: 'y' }, 'en'], '{"a":"x","b":{},"c":-0,"d":"y"},"en"'],
    [[new Date(0), new Set(['b', 'a'])], 'Date(1970-01-01T00:00:00.000Z),Set{"a","b"}'],
    [[new Map([['k', { v: 's' }]]), Buffer.from('hi')], 'Map{"k":{"v":"s"}},Buffer(6869)'],
  ])('writes %p as it did when keys were stored outside the process', (args, text) => {
    expect(cacheKeyOf(PlacesService, 'find', args)).toBe(`PlacesService.find(${text})`);
  });

  it('has always had the same hash in place of what is too long', () => {
    expect(keyAt(2_000)).toBe(
      'PlacesService.find(#c46f49f7a80d2899df72ad15dcd2eda109daecbea4729f9f0dfe2ac01e542706)',
    );
  });

  it('keeps a missing argument, undefined and null apart', () => {
    const keys = [[], [undefined], [null], [undefined, undefined]].map((args) =>
      cacheKeyOf(PlacesService, 'find', args),
    );

    expect(new Set(keys).size).toBe(4);
  });

  it('puts names that are no identifiers in quotes, and marks symbols', () => {
    expect(cacheKeyOf(PlacesService, 'find all', [])).toBe('PlacesService."find all"()');
    expect(cacheKeyOf(PlacesService, near, [1])).toBe('PlacesService.@"near"(1)');
  });

  it('returns the key that the method gives itself', () => {
    expect(cacheKeyOf(PlacesService, 'findById', [1])).toBe('place:1');
    expect(cacheKeyOf(PlacesService, 'count', [])).toBe('places:count');
  });

  it('writes arguments as they are up to 1,024 characters, and their hash beyond', () => {
    const longest = 1_024 - 'PlacesService.find("")'.length;
    expect(keyAt(longest)).toHaveLength(1_024);
    expect(keyAt(longest)).toContain('aaa');
    expect(keyAt(longest + 1)).toMatch(/^PlacesService\.find\(#[0-9a-f]{64}\)$/);
    expect(keyAt(longest + 1)).toBe(keyAt(longest + 1));
    expect(
      new Set([keyAt(2_000), keyAt(2_001), keyAt(2_000, 'b'), keyAt(2_000, '\ud800')]).size,
    ).toBe(4);
  });

  it('hashes all of a long argument', () => {
    const bytes = Buffer.alloc(10_000);
    const key = cacheKeyOf(PlacesService, 'find', [bytes]);
    bytes[9_999] = 1;

    expect(key).toMatch(/^PlacesService\.find\(#[0-9a-f]{64}\)$/);
    expect(cacheKeyOf(PlacesService, 'find', [bytes])).not.toBe(key);
  });

  it('makes a legal key however long the names are', () => {
    const Long = { [`C${'𠮷'.repeat(2_000)}`]: class extends PlacesService {} };
    const [type] = Object.values(Long);

    const key = cacheKeyOf(type!, 'find', [1]);

    expect(key).toMatch(/^#[0-9a-f]{64}$/);
    expect(keyProblem(key, 1_024)).toBeUndefined();
  });

  it('refuses an argument that has no place in a key, with advice', () => {
    expect(() => cacheKeyOf(PlacesService, 'find', [{ since: /a/ }])).toThrow(
      /^PlacesService\.find has no cache key.*argument 1\.since is an object of RegExp.*Give @Cacheable a key/,
    );
  });

  it('passes on what an argument throws', () => {
    const failure = new Error('no longer there');
    const args = [
      {
        get gone(): never {
          throw failure;
        },
      },
    ];

    expect(() => cacheKeyOf(PlacesService, 'find', args)).toThrow(failure);
  });

  it('refuses a method that is not decorated', () => {
    expect(() => cacheKeyOf(PlacesService, 'plain', [])).toThrow(InvalidArgumentError);
    expect(() => cacheKeyOf(PlacesService, 'plain', [])).toThrow(
      /PlacesService has no @Cacheable method plain/,
    );
  });
});
