import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ReplayedBodies } from '../../lib/http/replayed-bodies.js';
import { bodyKindOf, copyData, isSameData, LiveBody } from '../../lib/http/response-body.js';
import { asSnapshot, type ResponseSnapshot } from '../../lib/http/response-snapshot.js';

class Place {
  name = 'Paris';
}

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;
// As many ways through it as there are paths in a tree of 64 levels.
const parent: { children: object[] } = { children: [] };
parent.children.push({ parent }, { parent });

const snapshot = (body: unknown, kind: 'data' | 'object'): ResponseSnapshot => ({
  status: 200,
  head: { set: {}, added: undefined, removed: undefined },
  kind,
  body,
  etag: undefined,
  madeAt: 0,
  vary: undefined,
});

const bodies = new ReplayedBodies();
const bodyOf = (kept: ResponseSnapshot): unknown =>
  bodies.replay(kept, { fastifyReply: undefined });

describe('the kind of a body', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'a'],
    ['a number', NaN],
    ['a list', [1, [undefined]]],
    ['a list with gaps', [, 1]], // oxlint-disable-line no-sparse-arrays
    ['an object without a class', { a: { b: new Date(0) }, c: undefined }],
    ['an object without a prototype', Object.create(null)],
  ])('is data: %s', (_name, value) => {
    expect(bodyKindOf(value)).toBe('data');
  });

  it.each([
    ['an instance', new Place()],
    ['an instance in a list', [[new Place()]]],
    ['a list with a property', Object.assign([1], { total: 9 })],
    ['a list with a hidden property', Object.defineProperty([1], 'total', { value: 9 })],
    ['a list with a symbol', Object.assign([1], { [Symbol('secret')]: true })],
    ['a list with a class', new (class extends Array {})()],
    ['an object that writes itself', { toJSON: () => 'x' }],
    ['an object with a symbol', { [Symbol('secret')]: true }],
    ['an object with something hidden', Object.defineProperty({}, 'a', { value: 1 })],
    ['a map', new Map()],
    ['bytes', Buffer.from('a')],
    ['a big number', 1n],
    ['a function', () => 1],
    ['a promise', Promise.resolve(1)],
  ])('is object: %s', (_name, value) => {
    expect(bodyKindOf(value)).toBe('object');
  });

  it.each([
    ['a stream', Readable.from([])],
    ['a web stream', new ReadableStream()],
    ['a file', new StreamableFile(Buffer.from('a'))],
    ['a web response', new Response('a')],
    ['a generator', (async function* none() {})()],
    ['a stream in an object', { a: [new Place(), { b: Readable.from([]) }] }],
    ['a cycle, which nobody can look through', cycle],
    ['a parent that its children know', parent],
  ])('is stream: %s', (_name, value) => {
    expect(bodyKindOf(value)).toBe('stream');
  });
});

describe('a stored body', () => {
  it('is a copy of data', () => {
    const value = { list: [{ at: new Date(5) }], ['__proto__x']: 1, none: undefined };
    const copy = copyData(value) as typeof value;

    expect(copy).toEqual(value);
    expect(copy.list[0]).not.toBe(value.list[0]);
    expect(copy.list[0]!.at).not.toBe(value.list[0]!.at);
  });

  it('is lost, and does not come back without its class, where it was copied or written down', () => {
    const place = new Place();
    const kept = snapshot(new LiveBody(place), 'object');

    expect(bodyOf(asSnapshot(kept)!)).toBe(place);
    expect(asSnapshot(structuredClone(kept))).toBeUndefined();
    expect(asSnapshot(JSON.parse(JSON.stringify(kept)))).toBeUndefined();
    expect(JSON.stringify(kept)).not.toContain('Paris');
  });

  it.each([undefined, null, 5, [], {}, { unstored: true }, { status: 200 }])(
    'is no snapshot: %j',
    (value) => {
      expect(asSnapshot(value)).toBeUndefined();
    },
  );
});

describe(ReplayedBodies.name, () => {
  const date = new Date(0);

  it.each([
    ['a text', 'a'],
    ['an empty list', []],
    [
      'a list of objects that are alike',
      [
        { a: 1, at: { b: 1 } },
        { a: 2, at: { b: 2 } },
      ],
    ],
    ['a list of objects that differ', [{ a: { b: 1 } }, { a: 1 }, [{ c: [1] }], null]],
    ['a list with gaps', [{ a: 1 }, , { a: 2 }]], // oxlint-disable-line no-sparse-arrays
    ['lists in lists', [[[{ a: 1 }]], [[{ a: 2 }]]]],
    ['dates', { at: date, all: [date, date], each: [{ at: date }] }],
    ['a property that is nobody’s prototype', JSON.parse('{"__proto__":{"a":1}}')],
    [
      'many objects in one',
      Object.fromEntries(Array.from({ length: 99 }, (_, at) => [at, { at }])),
    ],
  ])('copies all of it each time: %s', (_name, stored) => {
    const kept = snapshot(stored, 'data');

    const [first, second] = [bodyOf(kept), bodyOf(kept)];

    expect(first).toStrictEqual(stored);
    expect(second).toStrictEqual(stored);
    const shared = objectsIn(first).filter((one) => objectsIn(second).includes(one));
    expect(shared).toEqual([]);
    expect(objectsIn(first).filter((one) => objectsIn(stored).includes(one))).toEqual([]);
  });

  it('looks once at a list in a list in a list, however deep', () => {
    let deep: unknown = [{ a: 1 }];
    for (let depth = 0; depth < 60; depth += 1) deep = [deep];

    expect(bodyOf(snapshot(deep, 'data'))).toStrictEqual(deep);
  });
});

describe(isSameData.name, () => {
  const original = () => ({
    list: [{ a: 1, b: { c: 'x' } }, [], null],
    at: new Date(5),
    none: undefined,
    not: NaN,
    invalid: new Date(NaN),
  });
  type Original = ReturnType<typeof original>;

  it('knows a copy', () => {
    expect(isSameData(copyData(original()), original())).toBe(true);
  });

  it.each<[string, (copy: Original) => unknown]>([
    ['another value', (copy) => ((copy.list[0] as { a: number }).a = 2)],
    ['a value of another type', (copy) => ((copy.list[0] as { a: unknown }).a = '1')],
    ['a new property', (copy) => Object.assign(copy.list[0]!, { d: 1 })],
    ['a property less', (copy) => delete (copy as Partial<Original>).none],
    [
      'another order',
      (copy) => {
        const { list } = copy;
        delete (copy as Partial<Original>).list;
        copy.list = list;
      },
    ],
    [
      'a property that is hidden',
      (copy) => Object.defineProperty(copy, 'at', { enumerable: false }),
    ],
    ['a longer list', (copy) => copy.list.push(null)],
    ['a shorter list', (copy) => copy.list.pop()],
    ['an object for a list', (copy) => (copy.list = Object.assign({}, copy.list) as never)],
    ['a list for an object', (copy) => (copy.list[0] = [1, { c: 'x' }] as never)],
    ['nothing for an object', (copy) => (copy.list[0] = null)],
    ['something for nothing', (copy) => (copy.list[2] = {} as never)],
    ['another date', (copy) => copy.at.setTime(6)],
    ['a number for a date', (copy) => ((copy as { at: unknown }).at = 5)],
    [
      'a date of a class',
      (copy) =>
        (copy.at = new (class extends Date {
          override toJSON(): string {
            return 'never';
          }
        })(5)),
    ],
    ['an object of a class', (copy) => Object.setPrototypeOf(copy, class {}.prototype)],
    ['an object that writes itself', (copy) => defineHidden(copy, 'toJSON', () => 'x')],
    ['a list that writes itself', (copy) => defineHidden(copy.list, 'toJSON', () => 'x')],
    ['a date that writes itself', (copy) => defineHidden(copy.at, 'toJSON', () => 'x')],
  ])('knows what was changed: %s', (_name, change) => {
    const copy = copyData(original()) as Original;

    change(copy);

    expect(isSameData(copy, original())).toBe(false);
  });
});

function defineHidden(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: false });
}

/** A value and all that is in it, as far as they are objects. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}
