import { describe, expect, it } from '@jest/globals';
import { InvalidOptionsError } from '../../lib/errors.js';
import {
  isLevel,
  resolveHierarchyOptions,
  type CacheHierarchyOptions,
} from '../../lib/hierarchy/hierarchy-options.js';
import { PlainLevel, ScriptedLevel } from '../support/scripted-level.js';
import { VirtualClock } from '../support/virtual-clock.js';

const clock = new VirtualClock();

function problemsOf(options: unknown): string[] {
  try {
    resolveHierarchyOptions(options as CacheHierarchyOptions);
    return [];
  } catch (error) {
    return (error as InvalidOptionsError).problems.map(
      ({ option, message }) => `${option}: ${message}`,
    );
  }
}

/** A level without some of its members. */
function without(level: object, ...names: string[]): unknown {
  return Object.assign(level, Object.fromEntries(names.map((name) => [name, undefined])));
}

describe(`${resolveHierarchyOptions.name}: levels`, () => {
  it('keeps the very objects', () => {
    const [l2, remote] = [new PlainLevel(), new ScriptedLevel(clock)];

    const resolved = resolveHierarchyOptions({ l2, remote });

    expect(resolved.customL2).toBe(l2);
    expect(resolved.remote).toBe(remote);
    expect(resolved.l2).toBeUndefined();
  });

  it('takes a level outside this process as l2, too', () => {
    const l2 = new ScriptedLevel(clock);

    expect(resolveHierarchyOptions({ l2 }).customL2).toBe(l2);
  });

  it.each([
    ['nothing', {}, 600_000],
    ['l2: false', { l2: false }, 60_000],
    ['a remote', { remote: new ScriptedLevel(clock) }, 600_000],
    ['a remote and l2: false', { remote: new ScriptedLevel(clock), l2: false }, 600_000],
    ['a level of your own', { l2: new PlainLevel() }, 600_000],
    ['a ttl', { ttl: '5s', remote: new ScriptedLevel(clock) }, 5_000],
  ] as [string, CacheHierarchyOptions, number][])(
    'has entries live as long as %s says',
    (_, options, ttlMs) => {
      expect(resolveHierarchyOptions(options).policy.ttlMs).toBe(ttlMs);
    },
  );

  it.each([
    [
      'a remote that is none',
      { remote: {} },
      [
        'remote: must have the methods read, write, delete, invalidateTags, clear, close, got an object of Object',
        'remote: must say whether it is inProcess, got an object of Object',
      ],
    ],
    [
      'a remote that is no object',
      { remote: 'redis://localhost' },
      [
        'remote: must have the methods read, write, delete, invalidateTags, clear, close, got "redis://localhost"',
      ],
    ],
    [
      'a remote without some methods',
      { remote: without(new ScriptedLevel(clock), 'clear', 'write') },
      ['remote: must have the methods write, clear, got an object of ScriptedLevel'],
    ],
    [
      'a remote in this process',
      { remote: new PlainLevel() },
      [
        'remote: must not be inProcess: a level of this process is given as l2, got an object of PlainLevel',
      ],
    ],
    [
      'a level in this process that reads asynchronously only',
      { l2: without(new PlainLevel(), 'readNow') },
      ['l2: must have the method readNow, since it is inProcess, got an object of PlainLevel'],
    ],
    [
      'a level that does not say where it is',
      { l2: Object.assign(new PlainLevel(), { inProcess: undefined }) },
      ['l2: must say whether it is inProcess, got an object of PlainLevel'],
    ],
    [
      'a level without a write',
      { l2: without(new PlainLevel(), 'write') },
      ['l2: must have the methods write, got an object of PlainLevel'],
    ],
  ])('refuses %s', (_, options, problems) => {
    expect(problemsOf(options)).toEqual(problems);
  });

  it.each([
    ['levelTimeout', 0, 'must be a duration'],
    ['levelTimeout', 'soon', 'must be a duration'],
    ['maxConcurrentLoads', 0, 'must be a whole number from 1 to 16777216, or Infinity'],
    ['maxConcurrentLoads', 1.5, 'must be a whole number from 1 to 16777216, or Infinity'],
  ])('refuses %s: %p', (name, value, message) => {
    const [problem] = problemsOf({ [name]: value });

    expect(problem).toContain(
      message.startsWith('must be a dur') ? `${name}: must be ` : `${name}: ${message}`,
    );
  });

  it('has a second for each call of a level, and no limit on loads', () => {
    expect(resolveHierarchyOptions({})).toMatchObject({
      levelTimeoutMs: 1_000,
      maxConcurrentLoads: Infinity,
    });
  });
});

describe(isLevel.name, () => {
  it.each([
    [new PlainLevel(), true],
    [{ read: () => {} }, true],
    [{ ttl: '5s', maxEntries: 3 }, false],
    [false, false],
    [null, false],
    [undefined, false],
    [[], false],
  ])('says of %p %p', (given, expected) => {
    expect(isLevel(given)).toBe(expected);
  });
});
