import { describe, expect, it } from '@jest/globals';
import {
  parseDuration,
  parseLifetime,
  showDuration,
  tryParseDuration,
  type Duration,
} from '../../lib/durations.js';
import { InvalidArgumentError } from '../../lib/errors.js';

describe(parseDuration.name, () => {
  it.each<[Duration, number]>([
    [1, 1],
    [0.5, 0.5],
    [2_592_000_000, 2_592_000_000],
    [Infinity, Infinity],
    ['250ms', 250],
    ['60s', 60_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['1.5s', 1_500],
    ['0.25ms', 0.25],
    ['1 h', 3_600_000],
    [' 5s', 5_000],
    ['+5s', 5_000],
    ['.5s', 500],
    ['5.s', 5_000],
    ['1e3ms', 1_000],
  ])('reads %p as %p milliseconds', (duration, milliseconds) => {
    expect(parseDuration(duration)).toBe(milliseconds);
  });

  it.each<[unknown, string]>([
    [0, '0'],
    [-0, '0'],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    ['0s', '"0s"'],
    ['0.0ms', '"0.0ms"'],
    ['-5s', '"-5s"'],
    ['5', '"5"'],
    ['5s ', '"5s "'],
    ['5S', '"5S"'],
    [' s', '" s"'],
    ['1e400s', '"1e400s"'],
    ['5w', '"5w"'],
    ['1,5s', '"1,5s"'],
    ['5s\n', String.raw`"5s\n"`],
    ['Infinity', '"Infinity"'],
    ['', '""'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [5n, '5n'],
    [{}, 'an object of Object'],
  ])('refuses %p', (duration, shown) => {
    const parse = (): unknown => parseDuration(duration as Duration);

    expect(parse).toThrow(InvalidArgumentError);
    expect(parse).toThrow(
      'A duration must be a positive number of milliseconds, a number with a unit ' +
        `(250ms, 60s, 5m, 1h, 1d) or Infinity, got ${shown}.`,
    );
  });
});

describe(tryParseDuration.name, () => {
  it('returns undefined for what is not a positive duration, and throws nothing', () => {
    const results = [0, -1, Number.NaN, '5', '5w', null, undefined, {}, Symbol('5s')].map(
      tryParseDuration,
    );

    expect(new Set(results)).toEqual(new Set([undefined]));
  });
});

describe(parseLifetime.name, () => {
  it.each<[Duration, number]>([
    ['250ms', 250],
    [1, 1],
    [Infinity, Infinity],
    [0, 0],
    [-0, 0],
    [-5, 0],
    [-Infinity, 0],
    ['0s', 0],
    ['0.00ms', 0],
  ])('reads %p as %p milliseconds: 0 for what is not to be kept', (lifetime, milliseconds) => {
    expect(parseLifetime(lifetime)).toBe(milliseconds);
  });

  it.each([Number.NaN, 'soon', '0', '-5s', '', null, undefined, {}, Symbol('0s')])(
    'refuses %p',
    (lifetime) => {
      expect(() => parseLifetime(lifetime as Duration)).toThrow(InvalidArgumentError);
    },
  );
});

describe(showDuration.name, () => {
  it.each<[Duration, string]>([
    ['250ms', "'250ms'"],
    ['60s', "'1m'"],
    ['90s', "'90s'"],
    ['1.5s', "'1500ms'"],
    ['1.1s', "'1100ms'"],
    ['36h', "'36h'"],
    ['7d', "'7d'"],
    [0.5, "'0.5ms'"],
    [Infinity, 'Infinity'],
  ])('writes %p as %s', (duration, shown) => {
    expect(showDuration(parseDuration(duration))).toBe(shown);
  });
});

describe('the type of durations', () => {
  it('refuses what the parser refuses, but for what is not above 0', () => {
    const texts = ['5', '5s ', '5S', '5w', '1,5s', '5s\n', 'Infinity', 's', '1e400s', ''] as const;
    const refused: readonly Exclude<(typeof texts)[number], Duration>[] = texts;

    expect(refused.filter((text) => tryParseDuration(text) !== undefined)).toEqual([]);
  });
});
