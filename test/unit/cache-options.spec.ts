import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidOptionsError } from '../../lib/errors.js';
import { resolveCacheOptions, type CacheOptions } from '../../lib/memory/cache-options.js';
import { EnhancedAsyncTTLCache } from '../../lib/memory/enhanced-async-ttl-cache.js';
import type { CacheReport } from '../../lib/report.js';
import { deepFreeze } from '../support/deep-freeze.js';
import { VirtualClock } from '../support/virtual-clock.js';

const DURATION =
  'must be a positive number of milliseconds, a number with a unit (250ms, 60s, 5m, 1h, 1d) or Infinity';

const BYTES =
  'must be a number of bytes from 1 to 2^53, a number with a unit (512b, 64kb, 100mb, 1gb) or Infinity';

function resolveUnchecked(options: unknown): ReturnType<typeof resolveCacheOptions> {
  return resolveCacheOptions(options as CacheOptions);
}

function reportsOf(options: CacheOptions): CacheReport[] {
  const reports: CacheReport[] = [];
  resolveCacheOptions({ ...options, report: (report) => reports.push(report) });
  return reports;
}

describe(resolveCacheOptions.name, () => {
  it('has a default for everything', () => {
    expect(resolveCacheOptions({})).toMatchObject({
      ttlMs: 60_000,
      maxEntries: 5_000,
      ring: { numShards: 8, virtualNodes: 150 },
      sweepEveryMs: 30_000,
      maxWorkers: 4,
      maxKeyLength: 1_024,
      lockTimeoutMs: 5_000,
    });
  });

  it('reads what is given', () => {
    const clock = new VirtualClock();
    const hash = (): number => 7;

    const resolved = resolveCacheOptions({
      ttl: '1m',
      maxEntries: Infinity,
      numShards: 3,
      virtualNodes: 5,
      cleanupInterval: '2s',
      maxWorkers: 2,
      seed: -1,
      hash,
      maxKeyLength: 10,
      lockTimeout: 100,
      clock,
    });

    expect(resolved).toMatchObject({
      ttlMs: 60_000,
      maxEntries: Infinity,
      ring: { numShards: 3, virtualNodes: 5, seed: -1, hash },
      sweepEveryMs: 2_000,
      maxWorkers: 2,
      maxKeyLength: 10,
      lockTimeoutMs: 100,
      clock,
    });
  });

  it('never sweeps by itself when cleanupInterval is false', () => {
    expect(resolveCacheOptions({ cleanupInterval: false }).sweepEveryMs).toBe(Infinity);
  });

  it.each([
    [1, 1],
    [255, 1],
    [256, 2],
    [1_023, 7],
    [1_024, 8],
    [1_000_000, 8],
    [Infinity, 8],
  ])('takes for maxEntries %p by default %p shards', (maxEntries, numShards) => {
    expect(resolveCacheOptions({ maxEntries }).ring.numShards).toBe(numShards);
  });

  it('has another random seed for each cache', () => {
    const seeds = Array.from({ length: 20 }, () => resolveCacheOptions({}).ring.seed);

    expect(new Set(seeds).size).toBeGreaterThan(1);
  });

  it('leaves the options as they are and gives out others that can not be changed', () => {
    const options = deepFreeze({ ttl: '1m', numShards: 2 } as const);

    const resolved = resolveCacheOptions(options);

    expect(Object.isFrozen(resolved)).toBe(true);
    expect(resolved).not.toBe(options);
  });

  it('does not see what is done to the options afterwards', async () => {
    const options = { ttl: 1_000, cleanupInterval: false as const, clock: new VirtualClock() };
    const cache = new EnhancedAsyncTTLCache<number>(options);

    options.ttl = 1;
    await cache.set('key', 1);
    await options.clock.advance(999);

    expect(cache.peek('key')).toBe(1);
  });
});

describe(`${resolveCacheOptions.name}: problems`, () => {
  it.each<[string, unknown, string]>([
    ['ttl', 0, `${DURATION}, got 0`],
    ['ttl', -1, `${DURATION}, got -1`],
    ['ttl', Number.NaN, `${DURATION}, got NaN`],
    ['ttl', 'abc', `${DURATION}, got "abc"`],
    ['maxEntries', 0, 'must be a whole number from 1 to 1073741824, or Infinity, got 0'],
    ['maxEntries', 1.5, 'must be a whole number from 1 to 1073741824, or Infinity, got 1.5'],
    ['numShards', 0, 'must be a whole number from 1 to 1024, got 0'],
    ['numShards', 1_025, 'must be a whole number from 1 to 1024, got 1025'],
    ['virtualNodes', 0, 'must be a whole number from 1 to 1024, got 0'],
    ['cleanupInterval', 0, `${DURATION}, got 0`],
    ['cleanupInterval', true, `${DURATION}, got true`],
    ['maxWorkers', 0, 'must be a whole number from 1 to 1024, got 0'],
    ['seed', 0.5, 'must be a whole number from -2147483648 to 4294967295, got 0.5'],
    ['hash', 'fnv', 'must be a function, got "fnv"'],
    ['maxKeyLength', 65_537, 'must be a whole number from 1 to 65536, got 65537'],
    ['lockTimeout', '5', `${DURATION}, got "5"`],
    [
      'clock',
      { now: () => 0 },
      'must have the methods wallNow, setTimer, setImmediate, got an object of Object',
    ],
    ['report', 'log', 'must be a function, got "log"'],
    ['maxBytes', '5 tb', `${BYTES}, got "5 tb"`],
    ['maxBytes', 0, `${BYTES}, got 0`],
    ['maxEntryBytes', '0kb', `${BYTES}, got "0kb"`],
    ['onRemove', {}, 'must be a function, got an object of Object'],
  ])('refuses %s: %p', (option, value, message) => {
    const resolve = (): unknown => resolveUnchecked({ [option]: value });

    expect(resolve).toThrow(
      `EnhancedAsyncTTLCache has 1 problem in its options:\n  - ${option}: ${message}`,
    );
  });

  it('refuses a bound on one entry that is above the bound on all', () => {
    expect(() => resolveUnchecked({ maxBytes: 10, maxEntryBytes: 11 })).toThrow(
      'maxEntryBytes: must not be above maxBytes, got 11',
    );
  });

  it('refuses a weigh function that nothing would use', () => {
    expect(() => resolveUnchecked({ weigh: () => 1 })).toThrow('weigh: must come with maxBytes');
  });

  it('refuses unknown options and names those it knows', () => {
    expect(() => resolveUnchecked({ maxSize: 1 })).toThrow(
      'maxSize: is unknown; known are cleanupInterval, clock, hash, lockTimeout, maxBytes, ' +
        'maxEntries, maxEntryBytes, maxKeyLength, maxWorkers, numShards, onRemove, report, seed, ' +
        'ttl, virtualNodes, weigh',
    );
  });

  it('come all at once out of the constructor', () => {
    const make = (): unknown =>
      new EnhancedAsyncTTLCache({ ttl: 0, numShards: 0, bogus: 1 } as CacheOptions);

    expect(make).toThrow(InvalidOptionsError);
    expect(make).toThrow(/has 3 problems in its options:\n.*ttl: .*\n.*numShards: .*\n.*bogus: /);
  });
});

describe(`${resolveCacheOptions.name}: reports`, () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('that shards are too small for the eviction, with what to write instead', () => {
    const [report, ...others] = reportsOf({ maxEntries: 1_000, numShards: 16 });

    expect(others).toEqual([]);
    expect(report).toMatchObject({ code: 'CACHE_SMALL_SHARDS' });
    expect(report?.message).toBe(
      'EnhancedAsyncTTLCache: 16 shards for 1000 entries leave fewer than 128 to each. They share ' +
        'tables, so more of them buy nothing. Write at most 7 for numShards, or leave it out.',
    );
  });

  it.each<CacheOptions>([
    {},
    { maxEntries: 1 },
    { maxEntries: 1, numShards: 1 },
    { maxEntries: 256, numShards: 2 },
    { maxEntries: Infinity, numShards: 1_024 },
  ])('nothing for %p', (options) => {
    expect(reportsOf(options)).toEqual([]);
  });

  it('to the warnings of the process where nobody else takes them', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});

    resolveCacheOptions({ maxEntries: 10, numShards: 2 });

    expect(warn).toHaveBeenCalledWith(expect.stringContaining('2 shards for 10 entries'), {
      type: 'CacheWarning',
      code: 'CACHE_SMALL_SHARDS',
    });
  });
});
