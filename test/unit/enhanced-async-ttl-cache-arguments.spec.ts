import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../../lib/errors.js';
import {
  EnhancedAsyncTTLCache,
  type EntryOptions,
} from '../../lib/memory/enhanced-async-ttl-cache.js';
import { rejectionOf } from '../support/observed.js';
import { VirtualClock } from '../support/virtual-clock.js';

let clock: VirtualClock;
let cache: EnhancedAsyncTTLCache<unknown>;

beforeEach(async () => {
  clock = new VirtualClock();
  cache = new EnhancedAsyncTTLCache({ clock, numShards: 2 });
  await cache.set('kept', 'value');
});

afterEach(async () => {
  await cache.stop();
});

type Call = (key: string, options?: EntryOptions) => Promise<unknown>;

const calls: [name: string, call: Call][] = [
  ['set', (key, options) => cache.set(key, 1, options)],
  ['getOrSet', (key, options) => cache.getOrSet(key, () => 1, options)],
  ['update', (key, options) => cache.update(key, () => 1, options)],
];

const badKeys: [key: unknown, problem: string][] = [
  ['', 'must not be empty'],
  ['\ud800', 'must be well-formed Unicode, this one has a lone surrogate'],
  ['x'.repeat(1_025), 'must have at most 1024 characters, this one has 1025: hash its long part'],
  ['a\nb', 'must not contain control characters'],
  ['\u0000', 'must not contain control characters'],
  [7, 'must be a string'],
  [Symbol('key'), 'must be a string'],
  [{}, 'must be a string'],
  [undefined, 'must be a string'],
  [null, 'must be a string'],
];

/** Nothing may have come of a call that was refused. */
function expectNothingLost(): void {
  expect([...cache.entries()]).toEqual([['kept', 'value']]);
  expect(cache.getMetrics()).toMatchObject({ sets: 1, lockContentions: 0, joins: 0 });
}

describe.each(calls)(`${EnhancedAsyncTTLCache.name}: arguments of %s`, (_, call) => {
  it.each(badKeys)('refuses the key %p', async (key, problem) => {
    const error = await rejectionOf(call(key as string));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toContain(`A cache key ${problem}; got `);
    expectNothingLost();
  });

  it.each([0, -1, Number.NaN, '0s', 'soon', null])('refuses the ttl %p', async (ttl) => {
    const error = await rejectionOf(call('new', { ttl: ttl as number }));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toMatch(/^A duration must be a positive number/);
    expectNothingLost();
  });

  it('refuses an option that it does not know', async () => {
    const error = await rejectionOf(call('new', { tll: 5 } as EntryOptions));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toBe(
      `The call's option "tll" is unknown: did you mean ttl? Known are ttl.`,
    );
    expectNothingLost();
  });

  it('refuses a ttl in place of options', async () => {
    const error = await rejectionOf(call('new', 5_000 as EntryOptions));

    expect((error as Error).message).toBe('The options of a call must be an object, got 5000.');
    expectNothingLost();
  });

  it('accepts a key of 1,024 characters and options without a ttl', async () => {
    await call('x'.repeat(1_024), { ttl: undefined });

    expect(cache.size).toBe(2);
  });
});

describe(`${EnhancedAsyncTTLCache.name}: arguments`, () => {
  it('refuses undefined as a value, and keeps what was there', async () => {
    const error = await rejectionOf(cache.set('kept', undefined));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toBe(
      'A cached value must not be undefined, which means absent: store null, or delete the key.',
    );
    expectNothingLost();
  });

  it('refuses a loader that can not be called', async () => {
    const error = await rejectionOf(cache.getOrSet('new', 'loader' as unknown as () => string));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toBe('A loader must be a function, got "loader".');
    expectNothingLost();
  });

  it.each([Number.NaN, 'soon', null])('refuses a loader’s ttl of %p', async (ttl) => {
    const error = await rejectionOf(
      cache.getOrSet('new', (load) => {
        load.ttl(ttl as number);
        return 1;
      }),
    );

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expectNothingLost();
  });

  it('keeps to its own bound on the length of a key', async () => {
    const narrow = new EnhancedAsyncTTLCache({ clock, maxKeyLength: 4 });
    await narrow.set('1234', 1);

    const error = await rejectionOf(narrow.set('12345', 1));

    expect((error as Error).message).toContain('at most 4 characters, this one has 5');
    await narrow.stop();
  });

  it('finds nothing under texts that can not be keys', async () => {
    const texts = badKeys.map(([key]) => key).filter((key) => typeof key === 'string');

    const found = await Promise.all(texts.map((key) => cache.get(key)));

    expect(found.filter((value) => value !== undefined)).toEqual([]);
    expect(texts.filter((key) => cache.has(key))).toEqual([]);
  });

  it.each([undefined, null, 7, {}])('refuses %p as a key to read', async (key) => {
    const text = key as string;

    expect(await rejectionOf(cache.get(text))).toBeInstanceOf(InvalidArgumentError);
    for (const read of [
      () => cache.getIfPresent(text),
      () => cache.peek(text),
      () => cache.has(text),
    ]) {
      expect(read).toThrow(InvalidArgumentError);
    }
    expectNothingLost();
  });

  it.each(badKeys)('refuses %p as a key to delete', async (key) => {
    expect(await rejectionOf(cache.delete(key as string))).toBeInstanceOf(InvalidArgumentError);
    expectNothingLost();
  });

  it('refuses a change that can not be called, and keeps what was there', async () => {
    const error = await rejectionOf(cache.update('kept', 'change' as unknown as () => string));

    expect(error).toBeInstanceOf(InvalidArgumentError);
    expectNothingLost();
  });
});
