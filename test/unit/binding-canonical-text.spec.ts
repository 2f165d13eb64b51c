import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { canonicalText } from '../../lib/binding/canonical-text.js';
import { InvalidArgumentError } from '../../lib/errors.js';
import { keyProblem } from '../../lib/memory/cache-key.js';

/** Few enough that equal arguments come up, and shaped to be mistaken for each other. */
const TRICKY: unknown[] = [
  [0, -0, 1, -1, 1.5, NaN, Infinity, -Infinity, 1e21, 2 ** 53, 0n, 1n],
  ['', '1', 'a', 'a,b', '"', '\\', '[', ']', '{}', 'null', 'undefined', 'empty', '1n', '-0'],
  ['\u0000', '\u007f', '\u0085', '\ud800', '\udc00', '\ud83d\ude00', '\\u0000'],
  [true, false, null, undefined],
].flat();

const toDate = (ms: number): Date => new Date(ms);
const toMap = (entries: [unknown, unknown][]): Map<unknown, unknown> => new Map(entries);
const toSet = (elements: unknown[]): Set<unknown> => new Set(elements);

/** The same few bytes, as one kind or another. */
const bytes = fc
  .tuple(fc.constantFrom([], [0], [1], [0, 1], [49]), fc.nat({ max: 4 }))
  .map(([list, kind]) => {
    if (kind === 0) return Buffer.from(list);
    if (kind === 1) return Uint8Array.from(list).buffer;
    const TypedArray = [Uint8Array, Int8Array, Uint16Array][kind - 2]!;
    return TypedArray.from(list);
  });

const { args: argumentLists } = fc.letrec<{ args: unknown[]; value: unknown }>((tie) => ({
  args: fc.array(tie('value'), { maxLength: 3 }),
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value' },
    fc.constantFrom(...TRICKY),
    fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.bigInt()),
    bytes,
    // The judge of the properties, isDeepStrictEqual, takes no two invalid dates for equal.
    fc.oneof(fc.constantFrom(0, 1).map(toDate), fc.date({ noInvalidDate: true })),
    fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'value' }),
    fc.dictionary(fc.constantFrom('a', 'b', 'a,b', '1', '__proto__', '\ud800'), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
      depthIdentifier: 'value',
    }),
    fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'value' }).map(toSet),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3, depthIdentifier: 'value' })
      .map(toMap),
  ),
}));

/** Copies arguments with all that has no order in the opposite one. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value instanceof Set) return toSet([...value].toReversed().map(reversed));
  if (value instanceof Map) {
    const entries = [...value].toReversed();
    return toMap(entries.map(([key, inner]) => [reversed(key), reversed(inner)]));
  }
  return Object.prototype.toString.call(value) === '[object Object]'
    ? reversedObject(value as object)
    : value;
}

function reversedObject(object: object): object {
  const copy = Object.create(Object.getPrototypeOf(object) as object) as object;
  for (const [name, inner] of Object.entries(object).toReversed()) {
    const property = { value: reversed(inner), enumerable: true };
    Object.defineProperty(copy, name, property);
  }
  return copy;
}

/** Puts what a value holds into something of another kind. */
function recast(value: unknown): unknown {
  if (Array.isArray(value)) return toSet(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Map) return toSet([...value].flat());
  if (value instanceof Date) return value.toISOString();
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return recastBytes(value);
  if (typeof value === 'object' && value !== null) return toMap(Object.entries(value));
  return String(value);
}

function recastBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

class Place {
  readonly id = 1;
}

class Places extends Array<number> {}

function find(): void {}

describe(canonicalText.name, () => {
  it('is equal exactly for arguments that are equal', () => {
    fc.assert(
      fc.property(argumentLists, argumentLists, (left, right) => {
        expect(canonicalText(left) === canonicalText(right)).toBe(isDeepStrictEqual(left, right));
      }),
      { numRuns: 5_000 },
    );
  });

  it('differs for the same in another kind, unless it is of that kind', () => {
    fc.assert(
      fc.property(argumentLists, (args) => {
        const others = args.map(recast);
        expect(canonicalText(others) === canonicalText(args)).toBe(isDeepStrictEqual(others, args));
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not depend on the order of object keys, Map entries and Set elements', () => {
    fc.assert(
      fc.property(argumentLists, (args) => {
        expect(canonicalText(reversed(args) as unknown[])).toBe(canonicalText(args));
      }),
    );
  });

  it('is fit for a key, whatever the strings in it hold', () => {
    fc.assert(
      fc.property(argumentLists, (args) => {
        expect(keyProblem(`(${canonicalText(args)})`, Infinity)).toBeUndefined();
      }),
    );
  });

  it('tells the values of a small table apart, each from all others', () => {
    const lists: unknown[][] = [[], ...TRICKY.map((value) => [value])];
    lists.push([undefined, undefined], [['a', 'b']], [['a,b']], ['a', 'b'], [['a'], 'b']);
    lists.push([{}], [{ a: undefined }], [{ a: null }], [[]], [[undefined]], [Array(1)], [[[]]]);

    expect(new Set(lists.map((list) => canonicalText(list))).size).toBe(lists.length);
  });

  it.each<[unknown[], string]>([
    [[1, 'en'], '1,"en"'],
    [[{ near: [48.8, -0], limit: undefined }], '{"limit":undefined,"near":[48.8,-0]}'],
    [['é\u0000\u0085\ud800'], '"é\\u0000\\u0085\\ud800"'],
    [[Object.create(null)], '{}'],
    [[10n ** 20n, NaN, true, null], '100000000000000000000n,NaN,true,null'],
  ])('writes %j as %s', (args, text) => {
    expect(canonicalText(args)).toBe(text);
  });

  it('writes arrays and objects of another realm as its own', () => {
    const foreign = runInNewContext('[[1, { a: 1 }]]') as unknown[];

    expect(canonicalText(foreign)).toBe('[1,{"a":1}]');
  });

  it.each<[string, unknown]>([
    ['an object of WeakMap', new WeakMap()],
    ['an object of DataView', new DataView(new ArrayBuffer(1))],
    ['an object of SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['an object of RegExp', /a/],
    ['an object of Promise', Promise.resolve()],
    ['an object of Place', new Place()],
    ['an object of String', Object('a')],
    ['an object of Error', new Error('a')],
    ['a function find', find],
    ['Symbol(a)', Symbol('a')],
    ['an array with more than its elements', Object.assign([1], { index: 0 })],
    ['an array with more than its elements', Places.from([1])],
    ['an object with symbols or hidden properties', { [Symbol('a')]: 1 }],
    ['an object with symbols or hidden properties', Math],
  ])('refuses %s', (what, value) => {
    expect(() => canonicalText([1, { a: [value] }])).toThrow(InvalidArgumentError);
    expect(() => canonicalText([1, { a: [value] }])).toThrow(`argument 2.a[0] is ${what}`);
  });

  it('refuses a cycle and what is nested without end', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = [cycle];
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];

    expect(() => canonicalText([cycle])).toThrow('argument 1.self[0] is a cycle');
    expect(() => canonicalText([deep])).toThrow('nested deeper than 64 levels');
  });

  it('takes one object in two places', () => {
    const shared = { id: 1 };

    expect(canonicalText([shared, [shared]])).toBe('{"id":1},[{"id":1}]');
  });
});
