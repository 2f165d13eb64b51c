import { describe, expect, it } from '@jest/globals';
import type { InvalidOptionsError } from '../../lib/errors.js';
import {
  policyOf,
  readPolicy,
  type Policy,
  type PolicyOptions,
} from '../../lib/hierarchy/policy.js';
import { OptionReader } from '../../lib/options.js';

function resolve(options: object): Policy {
  const read = new OptionReader('Cache', options);
  const policy = readPolicy(read, 600_000);
  read.finish();
  return policy;
}

function problemOf(options: object): string {
  try {
    resolve(options);
  } catch (error) {
    const [{ option, message }] = (error as InvalidOptionsError).problems as [
      { option: string; message: string },
    ];
    return `${option} ${message}`;
  }
  return 'none';
}

describe(readPolicy.name, () => {
  it('has everything off unless it is written', () => {
    const { staleOn, ...policy } = resolve({});

    expect(policy).toEqual({
      ttlMs: 600_000,
      graceMs: 0,
      softTimeoutMs: Infinity,
      hardTimeoutMs: Infinity,
      throttleMs: 0,
      eager: undefined,
      jitter: 0,
      negativeTtlMs: undefined,
    });
    expect(staleOn(new Error('any'))).toBe(true);
  });

  it('takes false for off, wherever something can be on', () => {
    const off = { grace: false, softTimeout: false, hardTimeout: false, throttle: false };
    const { staleOn: _, ...policy } = resolve({ ...off, eager: false, negativeTtl: false });

    expect(policy).toEqual({ ...resolve({}), staleOn: undefined, ...policy });
    expect(policy).toMatchObject({ graceMs: 0, softTimeoutMs: Infinity, eager: undefined });
  });

  it.each([
    [{ eager: 0 }, 'eager must be a number above 0 and below 1, or false, got 0'],
    [{ eager: 1 }, 'eager must be a number above 0 and below 1, or false, got 1'],
    [{ jitter: 1 }, 'jitter must be a number from 0 up to, and not including, 1, got 1'],
    [{ jitter: -0.1 }, 'jitter must be a number from 0 up to, and not including, 1, got -0.1'],
    [{ staleOn: true }, 'staleOn must be a function, got true'],
  ])('refuses %p', (options, problem) => {
    expect(problemOf(options)).toBe(problem);
  });

  it.each(['grace', 'softTimeout', 'hardTimeout', 'throttle', 'negativeTtl'])(
    'refuses 0 for %s',
    (name) => {
      expect(problemOf({ [name]: 0 })).toMatch(
        new RegExp(`^${name} must be a positive number of milliseconds, .*, got 0$`),
      );
    },
  );
});

describe(policyOf.name, () => {
  const defaults = resolve({
    ttl: 100,
    grace: '1s',
    softTimeout: 10,
    hardTimeout: 20,
    throttle: 30,
    eager: 0.8,
    jitter: 0.1,
    negativeTtl: 40,
  });

  it('leaves what a call does not speak of', () => {
    expect(policyOf({}, defaults)).toEqual(defaults);
  });

  it('lets a call win, and switch off what the cache has on', () => {
    const staleOn = (): boolean => false;
    const call: PolicyOptions = { ttl: '2s', grace: false, eager: 0.5, staleOn };
    const off: PolicyOptions = {
      softTimeout: false,
      hardTimeout: false,
      throttle: false,
      eager: false,
      jitter: 0,
      negativeTtl: false,
    };

    expect(policyOf(call, defaults)).toEqual({
      ...defaults,
      ttlMs: 2_000,
      graceMs: 0,
      eager: 0.5,
      staleOn,
    });
    expect(policyOf(off, defaults)).toEqual({
      ...resolve({ ttl: 100, grace: '1s' }),
      staleOn: defaults.staleOn,
    });
  });

  it.each([
    [{ eager: 2 }, "The call's option eager must be a number above 0 and below 1, or false, got 2"],
    [{ jitter: 1 }, "The call's option jitter must be a number from 0 up to"],
    [{ staleOn: 1 }, "The call's option staleOn must be a function, got 1"],
    [{ grace: 0 }, 'A duration must be a positive number'],
  ])('refuses %p', (options, message) => {
    expect(() => policyOf(options as PolicyOptions, defaults)).toThrow(message);
  });
});
