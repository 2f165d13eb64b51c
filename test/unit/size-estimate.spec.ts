import { describe, expect, it } from '@jest/globals';
import { estimateBytes } from '../../lib/memory/size-estimate.js';

/** What a value adds to an entry. */
function bytesOf(value: unknown): number {
  return estimateBytes(value, 'key') - estimateBytes(null, 'key');
}

describe(estimateBytes.name, () => {
  it('grows with the key', () => {
    expect(estimateBytes(1, 'k'.repeat(101)) - estimateBytes(1, 'k')).toBe(200);
  });

  it.each<[string, unknown, unknown]>([
    ['a longer text', 'a', 'a'.repeat(100)],
    ['more items', [1], Array(50).fill(1)],
    ['more fields', { a: 1 }, { a: 1, b: 1, c: 1 }],
    ['more members', new Set([1]), new Set([1, 2, 3])],
    [
      'a fuller map',
      new Map<number, unknown>([[1, 1]]),
      new Map<number, unknown>([
        [1, 1],
        [2, 'two'],
      ]),
    ],
    ['more bytes', new Uint8Array(10), new Uint8Array(1_000)],
    ['deeper data', { a: { b: 1 } }, { a: { b: { c: { d: 'deep' } } } }],
    ['a larger number', 1n, 2n ** 500n],
  ])('is more for %s', (_, less, more) => {
    expect(bytesOf(more)).toBeGreaterThan(bytesOf(less));
  });

  it('counts the bytes of a buffer and of a text exactly, but for a head', () => {
    expect(bytesOf(Buffer.alloc(10_000)) - bytesOf(Buffer.alloc(0))).toBe(10_000);
    expect(bytesOf('a'.repeat(1_000)) - bytesOf('')).toBe(2_000);
  });

  it('is within a factor of two of what JSON data takes', () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, name: `city-${id}`, big: id > 50 }));
    const heapBytes = 100 * (8 + 48 + 24);

    expect(bytesOf(rows)).toBeGreaterThan(heapBytes / 2);
    expect(bytesOf(rows)).toBeLessThan(heapBytes * 2);
  });

  it('looks at a thousand values of a large one, and takes the rest to be like those', () => {
    let read = 0;
    const large = Array.from({ length: 100_000 }, () => 'text');
    const counted = new Proxy(large, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d+$/.test(name)) read += 1;
        return Reflect.get(target, name) as unknown;
      },
    });

    const bytes = bytesOf(counted);

    expect(read).toBeLessThanOrEqual(1_001);
    expect(bytes / bytesOf(large.slice(0, 1_000))).toBeCloseTo(100, 0);
  });

  it('ends for data that refers to itself, and counts what it meets twice once', () => {
    const circle: Record<string, unknown> = { text: 'a'.repeat(100) };
    circle['self'] = circle;
    const shared = ['a'.repeat(1_000)];

    expect(bytesOf(circle)).toBeLessThan(1_000);
    expect(bytesOf([shared, shared])).toBeLessThan(1.5 * bytesOf([shared]));
  });

  it('calls nobody’s accessors', () => {
    const value = {
      get trap(): never {
        throw new Error('called');
      },
    };

    expect(() => bytesOf(value)).not.toThrow();
  });

  it('looks at a thousand fields of an object, and takes the others to be like those', () => {
    let looked = 0;
    const fields = Object.fromEntries(Array.from({ length: 50_000 }, (_, id) => [`f${id}`, id]));
    const watched = new Proxy(fields, {
      getOwnPropertyDescriptor(target, name) {
        looked += 1;
        return Reflect.getOwnPropertyDescriptor(target, name);
      },
      ownKeys: (target) => Reflect.ownKeys(target),
    });
    const listing = Object.keys(watched).length;
    looked = 0;

    expect(bytesOf(fields)).toBeGreaterThan(50_000 * 8);
    expect(bytesOf(watched)).toBe(bytesOf(fields));
    expect(looked - listing).toBeLessThan(1_100);
  });
});
