import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { canonicalText } from '../../lib/binding/canonical-text.js';
import { InvalidArgumentError } from '../../lib/errors.js';

class MyDate extends Date {}
class MyMap extends Map {}
class MySet extends Set {}
class MyBuffer extends ArrayBuffer {}
class MyBytes extends Uint8Array {
  override get [Symbol.toStringTag](): 'Uint8Array' {
    return 'Int8Array' as 'Uint8Array';
  }
}

/** A subclass as it was written before there were classes: its constructor claims to be that of Date. */
function OldDate(): void {}
OldDate.prototype = Object.create(Date.prototype, { constructor: { value: Date } });

function inside(container: 'Map key' | 'Map value' | 'Set', value: unknown): unknown {
  if (container === 'Set') return new Set([1, value]);
  return new Map<unknown, unknown>(container === 'Map key' ? [[value, 1]] : [[1, value]]);
}

/** What makes a value of each kind, here or in another realm, and what is written for it. */
const KINDS: [() => unknown, string][] = [
  [() => new Date(0), 'Date(1970-01-01T00:00:00.000Z)'],
  [() => new Date(-8.64e15), 'Date(-271821-04-20T00:00:00.000Z)'],
  [() => new Date(NaN), 'Date(invalid)'],
  [() => new Map(), 'Map{}'],
  [
    () =>
      new Map<unknown, unknown>([
        ['b', undefined],
        [1, new Map([[-0, -0]])],
      ]),
    'Map{"b":undefined,1:Map{0:-0}}',
  ],
  [
    () =>
      new Map([
        [{ id: 2 }, 'b'],
        [{ id: 1 }, 'a'],
      ]),
    'Map{{"id":1}:"a",{"id":2}:"b"}',
  ],
  [
    () =>
      new Map([
        [[], 2],
        [[], 1],
        [[], 2],
      ]),
    'Map{[]:1,[]:2,[]:2}',
  ],
  [() => new Set(), 'Set{}'],
  [() => new Set(['b', 'a', 1, [new Set([2])]]), 'Set{"a","b",1,[Set{2}]}'],
  [() => new Set(['a,b', '}']), 'Set{"a,b","}"}'],
  [() => new Uint8Array([0, 255]), 'Uint8Array(00ff)'],
  [() => new Uint8Array([0, 1, 2, 3]).subarray(1, 3), 'Uint8Array(0102)'],
  [() => new Int8Array([0, -1]), 'Int8Array(00ff)'],
  [() => new Uint8ClampedArray([0, 300]), 'Uint8ClampedArray(00ff)'],
  [() => new Uint16Array([0, 65535]), 'Uint16Array(0000ffff)'],
  [() => new BigInt64Array([-1n]), 'BigInt64Array(ffffffffffffffff)'],
  [() => new Float32Array(1), 'Float32Array(00000000)'],
  [() => new Float64Array(0), 'Float64Array()'],
  [() => new Uint8Array([0, 255]).buffer, 'ArrayBuffer(00ff)'],
];

describe('canonicalText, of built-in classes', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each(KINDS)('writes the value of %s as %s', (make, text) => {
    expect(canonicalText([make()])).toBe(text);
  });

  it.each(KINDS)('writes the value of %s as %s in another realm, too', (make, text) => {
    expect(canonicalText([runInNewContext(`(${make.toString()})()`)])).toBe(text);
  });

  it('writes a Buffer as its bytes', () => {
    expect(canonicalText([Buffer.from('rome')])).toBe('Buffer(726f6d65)');
  });

  it('tells a Buffer, a Uint8Array and an ArrayBuffer of the same bytes apart, and all from their text', () => {
    const buffer = Buffer.from('a');
    const alike = [
      buffer,
      new Uint8Array(buffer),
      new Uint8Array(buffer).buffer,
      '61',
      'Buffer(61)',
    ];

    expect(new Set(alike.map((value) => canonicalText([value]))).size).toBe(alike.length);
  });

  it('does not take the neighbours of a Buffer in memory for its own', () => {
    const pooled = Buffer.from('rome and paris').subarray(0, 4);

    expect(canonicalText([pooled])).toBe(canonicalText([Buffer.alloc(4, 'rome')]));
  });

  it('takes the dates of fake timers', () => {
    jest.useFakeTimers({ now: 5 });

    expect(canonicalText([new Date()])).toBe('Date(1970-01-01T00:00:00.005Z)');
  });

  it.each<[string, unknown]>([
    ['an object of MyDate', new MyDate(0)],
    ['an object of MyMap', new MyMap()],
    ['an object of MySet', new MySet()],
    ['an object of MyBuffer', new MyBuffer(1)],
    ['an object of MyBytes', new MyBytes(1)],
    ['an object of Late', runInNewContext('class Late extends Date {} new Late(0)')],
    ['an object of Date', Object.setPrototypeOf(new Date(0), OldDate.prototype as object)],
    ['an object of Int8Array', Object.setPrototypeOf(new Uint8Array(1), Int8Array.prototype)],
    ['an object of Buffer', Object.setPrototypeOf(new Int8Array(1), Buffer.prototype)],
    ['an object of Date', Object.create(Date.prototype)],
    ['an object of Map', new Proxy(new Map(), {})],
    ['an object of Date with properties of its own', Object.assign(new Date(0), { zone: 'CET' })],
    ['an object of Map with properties of its own', Object.assign(new Map(), { a: 1 })],
    ['an object of Set with properties of its own', Object.assign(new Set(), { [Symbol('a')]: 1 })],
    ['an object of Buffer with properties of its own', Object.assign(Buffer.alloc(1), { a: 1 })],
    [
      'an object of Int8Array with properties of its own',
      Object.assign(new Int8Array(1), { [Symbol('a')]: 1 }),
    ],
    [
      'an object of ArrayBuffer with properties of its own',
      Object.assign(new ArrayBuffer(1), { a: 1 }),
    ],
  ])('refuses %s', (what, value) => {
    expect(() => canonicalText([value])).toThrow(InvalidArgumentError);
    expect(() => canonicalText([value])).toThrow(new RegExp(`^argument 1 is ${what}$`));
  });

  it.each([
    ['Map key', 'argument 1.a.keys()[0]'],
    ['Map value', 'argument 1.a.values()[0]'],
    ['Set', 'argument 1.a.values()[1]'],
  ] as const)('says where in a %s something is refused', (container, place) => {
    expect(() => canonicalText([{ a: inside(container, Symbol('b')) }])).toThrow(
      `${place} is Symbol(b)`,
    );
  });

  it.each(['Map key', 'Map value', 'Set'] as const)(
    'refuses a cycle through a %s and what is nested there without end',
    (container) => {
      const cycle: unknown[] = [];
      cycle.push(inside(container, cycle));
      let deep: unknown = 1;
      for (let depth = 0; depth < 10_000; depth += 1) deep = inside(container, deep);

      expect(() => canonicalText([cycle])).toThrow(/ is a cycle$/);
      expect(() => canonicalText([deep])).toThrow('nested deeper than 64 levels');
    },
  );

  it('refuses a Map that holds itself', () => {
    const map = new Map<unknown, unknown>();
    map.set('self', map);

    expect(() => canonicalText([map])).toThrow('argument 1.values()[0] is a cycle');
  });

  it('passes on that the bytes are gone', () => {
    const gone = new ArrayBuffer(1);
    structuredClone(gone, { transfer: [gone] });

    expect(() => canonicalText([gone])).toThrow('detached');
  });
});
