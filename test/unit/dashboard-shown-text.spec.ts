import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { cutLabel, labelOf, textOfValue } from '../../lib/dashboard/shown-text.js';

describe(textOfValue.name, () => {
  it.each([
    [{ id: 1, tags: ['a'] }, "{ id: 1, tags: [ 'a' ] }"],
    ['text', "'text'"],
    [null, 'null'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Map([['key', 1n]]), "Map(1) { 'key' => 1n }"],
  ])('shows %p', (value, text) => {
    expect(textOfValue(value)).toBe(text);
  });

  it('calls nothing of a value', () => {
    const called: string[] = [];
    const value = {
      get getter() {
        called.push('getter');
        return 1;
      },
      toJSON: () => called.push('toJSON'),
      toString: () => called.push('toString'),
      [inspect.custom]: () => called.push('custom'),
    };
    const trapped = new Proxy(
      {},
      {
        get: () => called.push('get'),
        ownKeys: () => {
          called.push('ownKeys');
          return [];
        },
      },
    );

    expect(textOfValue([value, trapped])).toContain('[Getter]');
    expect(called).toEqual([]);
  });

  it.each([
    ['a long text', 'x'.repeat(1_000_000)],
    ['a long list', Array.from({ length: 1_000_000 }, () => 'x'.repeat(10))],
    ['a deep object', JSON.parse('{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000))],
  ])('cuts %s', (_what, value: unknown) => {
    expect(textOfValue(value).length).toBeLessThanOrEqual(2_000);
  });

  it('does not fail at what can not be shown', () => {
    const value = {
      get [Symbol.toStringTag]() {
        throw new Error('no');
      },
    };

    // From Node 24 on it can.
    expect(textOfValue(value)).toMatch(/^(\(can not be shown\)|\{ Symbol.*\})$/);
  });
});

describe(labelOf.name, () => {
  it('hides a key behind the first digits of its SHA-256', () => {
    // printf '%s' key | sha256sum
    expect(labelOf([], 'key', false)).toBe('sha256:2c70e12b7a06');
    expect(labelOf(['users'], 'key', false)).not.toBe(labelOf([], 'key', false));
  });

  it('shows it where it may, cut', () => {
    expect(labelOf(['users', 'old'], 'key', true)).toBe('users > old > key');
    expect(labelOf([], 'k'.repeat(1_000), true)).toBe(cutLabel('k'.repeat(300)));
    expect(cutLabel('k'.repeat(201))).toBe(`${'k'.repeat(199)}…`);
    expect(cutLabel('k'.repeat(200))).toHaveLength(200);
  });
});
