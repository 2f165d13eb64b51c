import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InvalidArgumentError } from '../../lib/errors.js';
import { assertKey } from '../../lib/memory/cache-key.js';

describe(assertKey.name, () => {
  it.each([
    'a',
    ' ',
    'place:1',
    'Ключ',
    '🗝',
    'x'.repeat(1_024),
    '\u00a0',
    '\u2028',
    '~',
    '__proto__',
  ])('accepts %p', (key) => {
    expect(() => assertKey(key)).not.toThrow();
  });

  it.each<[unknown, string]>([
    ['', 'A cache key must not be empty; got "".'],
    [
      '\ud800',
      String.raw`A cache key must be well-formed Unicode, this one has a lone surrogate; got "\ud800".`,
    ],
    [
      'a\udc00b',
      String.raw`A cache key must be well-formed Unicode, this one has a lone surrogate; got "a\udc00b".`,
    ],
    [
      'x'.repeat(1_025),
      'A cache key must have at most 1024 characters, this one has 1025: hash its long part; ' +
        `got "${'x'.repeat(60)}…".`,
    ],
    ['a\u0000', String.raw`A cache key must not contain control characters; got "a\u0000".`],
    ['\n', String.raw`A cache key must not contain control characters; got "\n".`],
    ['\u001f', String.raw`A cache key must not contain control characters; got "\u001f".`],
    ['\u007f', 'A cache key must not contain control characters; got "\u007f".'],
    ['\u009f', 'A cache key must not contain control characters; got "\u009f".'],
    [1, 'A cache key must be a string; got 1.'],
    [null, 'A cache key must be a string; got null.'],
    [undefined, 'A cache key must be a string; got undefined.'],
    [Symbol('key'), 'A cache key must be a string; got Symbol(key).'],
    [['key'], 'A cache key must be a string; got an array of 1.'],
    [new String('key'), 'A cache key must be a string; got an object of String.'],
  ])('refuses %p', (key, message) => {
    const check = (): void => assertKey(key);

    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(message);
  });

  it('takes another bound on the length', () => {
    expect(() => assertKey('1234', 4)).not.toThrow();
    expect(() => assertKey('12345', 4)).toThrow('at most 4 characters, this one has 5');
  });

  it('accepts exactly the keys that its rules describe', () => {
    const units = fc.array(fc.oneof(fc.nat(0xffff), fc.nat(0xff)), { maxLength: 6 });
    const accepted = (key: string): boolean => {
      try {
        assertKey(key);
        return true;
      } catch {
        return false;
      }
    };

    const followsTheRules = (): void =>
      fc.assert(
        fc.property(units, (codes) => {
          const key = String.fromCharCode(...codes);
          const control = codes.some((code) => code < 32 || (code >= 127 && code < 160));
          const wellFormed = Buffer.from(key, 'utf8').toString('utf8') === key;
          return accepted(key) === (key !== '' && !control && wellFormed);
        }),
        { numRuns: 500 },
      );

    expect(followsTheRules).not.toThrow();
  });
});
