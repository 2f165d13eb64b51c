import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  CacheError,
  InvalidArgumentError,
  InvalidOptionsError,
  LoadTimeoutError,
  LockTimeoutError,
  show,
} from '../../lib/errors.js';

describe(CacheError.name, () => {
  it.each([
    [new InvalidOptionsError('X', []), 'InvalidOptionsError', 'CACHE_INVALID_OPTIONS'],
    [new InvalidArgumentError('m'), 'InvalidArgumentError', 'CACHE_INVALID_ARGUMENT'],
    [new LoadTimeoutError('m'), 'LoadTimeoutError', 'CACHE_LOAD_TIMEOUT'],
    [new LockTimeoutError('m'), 'LockTimeoutError', 'CACHE_LOCK_TIMEOUT'],
  ])('%p has its name and a stable code', (error, name, code) => {
    expect(error).toBeInstanceOf(CacheError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, code });
  });

  it('keeps the error behind it as its cause', () => {
    const cause = new Error('behind');

    expect(new LockTimeoutError('in front', { cause }).cause).toBe(cause);
  });
});

describe(InvalidOptionsError.name, () => {
  it('tells each problem once where it is logged with all that it holds', () => {
    const error = new InvalidOptionsError('Cache', [{ option: 'ttl', message: 'is bad' }]);

    expect(inspect(error).split('is bad')).toHaveLength(2);
  });

  it('says one problem in one line', () => {
    const error = new InvalidOptionsError('Cache', [{ option: 'ttl', message: 'is bad' }]);

    expect(error.message).toBe('Cache has 1 problem in its options:\n  - ttl: is bad');
  });

  it('says every problem and carries them', () => {
    const problems = [
      { option: 'ttl', message: 'is bad' },
      { option: 'l1.numShards', message: 'is worse' },
    ];

    const error = new InvalidOptionsError('Cache', problems);

    expect(error.problems).toEqual(problems);
    expect(error.message).toBe(
      'Cache has 2 problems in its options:\n  - ttl: is bad\n  - l1.numShards: is worse',
    );
  });
});

describe(show.name, () => {
  it.each<[unknown, string]>([
    ['text', '"text"'],
    ['a\nb', String.raw`"a\nb"`],
    ['\ud800', String.raw`"\ud800"`],
    ['x'.repeat(60), `"${'x'.repeat(60)}"`],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    [1.5, '1.5'],
    [7n, '7n'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('id'), 'Symbol(id)'],
    [[1, 2], 'an array of 2'],
    [{ secret: 1 }, 'an object of Object'],
    [new Map(), 'an object of Map'],
    [Object.create(null), 'an object of no class'],
    [function load() {}, 'a function load'],
    [() => {}, 'a function (anonymous)'],
  ])('renders %p', (value, shown) => {
    expect(show(value)).toBe(shown);
  });

  it('renders anything on one line of a length that fits into a message', () => {
    const rendersAnything = (): void =>
      fc.assert(
        fc.property(fc.anything({ withBigInt: false, withNullPrototype: true }), (value) => {
          const shown = show(value);
          return !shown.includes('\n') && shown.length < 400;
        }),
      );

    expect(rendersAnything).not.toThrow();
  });
});
