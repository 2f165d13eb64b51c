import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, InvalidOptionsError } from '../../lib/errors.js';
import { assertKnownOptions, OptionReader } from '../../lib/options.js';
import { deepFreeze } from '../support/deep-freeze.js';

type Read = (read: OptionReader) => unknown;

/** What is wrong with options that are read in a certain way. */
function problemsOf(options: unknown, ...reads: Read[]): string[] {
  const read = new OptionReader('Subject', options);
  for (const readOne of reads) readOne(read);
  try {
    read.finish();
  } catch (error) {
    return (error as InvalidOptionsError).problems.map(
      ({ option, message }) => `${option}: ${message}`,
    );
  }
  return [];
}

describe(OptionReader.name, () => {
  it.each<[string, Read, unknown, unknown]>([
    ['a duration', (read) => read.duration('it', 7), '2s', 2_000],
    ['an infinite duration', (read) => read.duration('it', 7), Infinity, Infinity],
    ['a duration that has no default', (read) => read.optionalDuration('it'), '2s', 2_000],
    ['a whole number', (read) => read.integer('it', 7, { min: 1, max: 9 }), 9, 9],
    [
      'Infinity where it is allowed',
      (read) => read.integer('it', 7, { min: 1, max: 9, infinity: true }),
      Infinity,
      Infinity,
    ],
    ['false', (read) => read.boolean('it', true), false, false],
    ['a function', (read) => read.callback<unknown>('it', 7), Math.abs, Math.abs],
    ['an object with methods', (read) => read.port<object>('it', {}, []), Math, Math],
  ])('reads %s', (_, readOne, given, result) => {
    const read = new OptionReader('Subject', { it: given });

    expect(readOne(read)).toBe(result);
    expect(() => read.finish()).not.toThrow();
  });

  it.each<[string, Read, unknown]>([
    ['a duration', (read) => read.duration('it', 7), 7],
    ['a duration that has no default', (read) => read.optionalDuration('it'), undefined],
    ['a whole number', (read) => read.integer('it', 7, { min: 1, max: 9 }), 7],
    ['true or false', (read) => read.boolean('it', true), true],
    ['a function', (read) => read.callback<unknown>('it', Math.abs), Math.abs],
    ['an object with methods', (read) => read.port<object>('it', Math, []), Math],
  ])('takes the default for %s that is undefined or not there', (_, readOne, fallback) => {
    const absent = readOne(new OptionReader('Subject', {}));
    const unset = readOne(new OptionReader('Subject', { it: undefined }));

    expect([absent, unset]).toEqual([fallback, fallback]);
  });

  it.each<[string, Read, unknown, string]>([
    [
      'duration',
      (read) => read.duration('it', 7),
      'soon',
      'it: must be a positive number of milliseconds, a number with a unit ' +
        '(250ms, 60s, 5m, 1h, 1d) or Infinity, got "soon"',
    ],
    [
      'optionalDuration',
      (read) => read.optionalDuration('it'),
      0,
      'it: must be a positive number of milliseconds, a number with a unit ' +
        '(250ms, 60s, 5m, 1h, 1d) or Infinity, got 0',
    ],
    [
      'integer',
      (read) => read.integer('it', 7, { min: 1, max: 9 }),
      10,
      'it: must be a whole number from 1 to 9, got 10',
    ],
    [
      'integer below its range',
      (read) => read.integer('it', 7, { min: 1, max: 9 }),
      0,
      'it: must be a whole number from 1 to 9, got 0',
    ],
    [
      'integer with a fraction',
      (read) => read.integer('it', 7, { min: 1, max: 9, infinity: true }),
      1.5,
      'it: must be a whole number from 1 to 9, or Infinity, got 1.5',
    ],
    [
      'integer as a text',
      (read) => read.integer('it', 7, { min: 1, max: 9 }),
      '8',
      'it: must be a whole number from 1 to 9, got "8"',
    ],
    [
      'integer that is infinite',
      (read) => read.integer('it', 7, { min: 1, max: 9 }),
      Infinity,
      'it: must be a whole number from 1 to 9, got Infinity',
    ],
    ['boolean', (read) => read.boolean('it', true), 'yes', 'it: must be true or false, got "yes"'],
    [
      'callback',
      (read) => read.callback('it', 7),
      {},
      'it: must be a function, got an object of Object',
    ],
    [
      'port',
      (read) =>
        read.port<Pick<Math, 'abs' | 'ceil' | 'floor'>>('it', Math, ['abs', 'ceil', 'floor']),
      { ceil: Math.ceil },
      'it: must have the methods abs, floor, got an object of Object',
    ],
    [
      'port that is no object',
      (read) => read.port<Pick<Math, 'abs'>>('it', Math, ['abs']),
      null,
      'it: must have the methods abs, got null',
    ],
  ])('says what is wrong: %s', (_, readOne, given, problem) => {
    expect(problemsOf({ it: given }, readOne)).toEqual([problem]);
  });

  it('refuses names that nobody reads, and says which are known', () => {
    const problems = problemsOf(
      { ttl: 1, tll: 2 },
      (read) => read.duration('ttl', 7),
      (read) => read.boolean('enabled', true),
    );

    expect(problems).toEqual(['tll: is unknown: did you mean ttl? Known are enabled, ttl']);
  });

  it.each([
    ['TTL', 'ttl'],
    ['numShard', 'numShards'],
    ['maxEntry', 'maxEntries'],
    ['nmuShards', 'numShards'],
    ['numberShards', 'numShards'],
    ['enable', 'enabled'],
    ['tags', undefined],
    ['timeToLive', undefined],
    ['bogus', undefined],
    ['ttlttlttlttl', undefined],
    ['', undefined],
  ])('takes %p for a slip of %p', (given, meant) => {
    const known = ['enabled', 'maxEntries', 'numShards', 'ttl'];
    const [problem] = problemsOf(
      { [given]: 1 },
      ...known.map((name) => (read: OptionReader) => read.raw(name)),
    );

    const listed = `nown are ${known.join(', ')}`;
    expect(problem).toBe(
      `${given}: is unknown${meant === undefined ? `; k${listed}` : `: did you mean ${meant}? K${listed}`}`,
    );
  });

  it('takes the nearest of two names', () => {
    const problems = problemsOf(
      { numSharez: 1 },
      (read) => read.raw('numShards'),
      (read) => read.raw('numShares'),
    );

    expect(problems[0]).toMatch(/did you mean numShares\?/);
  });

  it('says all problems at once, those of the parts included', () => {
    const problems = problemsOf(
      { ttl: 'x', l1: { numShards: 0, size: 1 }, bogus: true },
      (read) => read.duration('ttl', 7),
      (read) => read.part('l1').integer('numShards', 1, { min: 1, max: 9 }),
    );

    expect(problems).toEqual([
      expect.stringMatching(/^ttl: must be a positive number/),
      'l1.numShards: must be a whole number from 1 to 9, got 0',
      'bogus: is unknown; known are l1, ttl',
      'l1.size: is unknown; known are numShards',
    ]);
  });

  it.each([
    [null, 'options: must be an object, got null'],
    ['text', 'options: must be an object, got "text"'],
    [[], 'options: must be an object, got an array of 0'],
    [() => {}, 'options: must be an object, got a function (anonymous)'],
  ])('refuses %p in place of options', (options, problem) => {
    expect(problemsOf(options)).toEqual([problem]);
  });

  it('refuses something else in place of a part', () => {
    expect(problemsOf({ l1: 5 }, (read) => read.part('l1'))).toEqual([
      'l1: must be an object, got 5',
    ]);
  });

  it('takes missing options and parts for empty ones', () => {
    expect(problemsOf(undefined, (read) => read.part('l1'))).toEqual([]);
  });

  it('begins the error with whose options they are', () => {
    const read = new OptionReader('Subject', { bogus: 1 });

    expect(() => read.finish()).toThrow(InvalidOptionsError);
    expect(() => read.finish()).toThrow(/^Subject has /);
  });

  it('changes nothing in the options it reads', () => {
    const options = deepFreeze({ ttl: 'x', l1: { numShards: 0 }, bogus: [1] });

    const problems = problemsOf(
      options,
      (read) => read.duration('ttl', 7),
      (read) => read.part('l1').integer('numShards', 1, { min: 1, max: 9 }),
    );

    expect(problems).toHaveLength(3);
  });
});

describe(assertKnownOptions.name, () => {
  const known = new Set(['ttl', 'tags']);

  it.each([[{}], [{ ttl: 1 }], [{ tags: undefined }], [Object.create(null)]])(
    'accepts %p',
    (options) => {
      expect(() => assertKnownOptions(options as object, known)).not.toThrow();
    },
  );

  it('refuses a name that is unknown, and says which are known', () => {
    const check = (): void => assertKnownOptions({ ttl: 1, tll: 2 }, known);

    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(
      `The call's option "tll" is unknown: did you mean ttl? Known are tags, ttl.`,
    );
  });

  it.each([
    [null, 'null'],
    [5_000, '5000'],
    ['5s', '"5s"'],
    [[], 'an array of 0'],
  ])('refuses %p in place of options', (options, shown) => {
    const check = (): void => assertKnownOptions(options as unknown as object, known);

    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(`The options of a call must be an object, got ${shown}.`);
  });
});
