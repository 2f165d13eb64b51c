import { describe, expect, it } from '@jest/globals';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import {
  resolveHierarchyOptions,
  type CacheHierarchyOptions,
} from '../../lib/hierarchy/hierarchy-options.js';
import { ADVICE_RULES, adviceOn } from '../../lib/hierarchy/options-advisor.js';
import type { CacheLevel } from '../../lib/levels/cache-level.js';
import type { CacheReport } from '../../lib/report.js';

function adviceFor(options: CacheHierarchyOptions): readonly CacheReport[] {
  return adviceOn(resolveHierarchyOptions(options));
}

function weigh(): number {
  return 1;
}

describe(`${CacheHierarchy.name}.advice`, () => {
  it('keeps what was reported', async () => {
    const reported: CacheReport[] = [];
    const report = (one: CacheReport): void => void reported.push(one);
    await using cache = new CacheHierarchy({ softTimeout: '2s', throttle: '1s', report });
    await using quiet = new CacheHierarchy();

    expect(cache.advice.map(({ code }) => code)).toEqual([
      'CACHE_SOFT_TIMEOUT_WITHOUT_GRACE',
      'CACHE_THROTTLE_WITHOUT_GRACE',
    ]);
    expect(reported).toEqual(cache.advice);
    expect(quiet.advice).toEqual([]);
  });
});

interface Case {
  readonly code: string;
  readonly options: CacheHierarchyOptions;
  readonly message: string;
  /** The same after each remedy that the message names. */
  readonly remedied: readonly CacheHierarchyOptions[];
}

/** A level outside the process, of which only the options are looked at. */
const REMOTE = {
  name: 'remote',
  inProcess: false,
  read: () => new Map(),
  write: () => new Map(),
  delete: () => 'applied',
  invalidateTags: () => 'applied',
  clear: () => 'applied',
  close: async () => {},
} satisfies CacheLevel;

const CASES: readonly Case[] = [
  {
    code: 'CACHE_SOFT_TIMEOUT_WITHOUT_GRACE',
    options: { softTimeout: '2s' },
    message:
      "softTimeout ('2s') does nothing without grace: there is no stale value to answer with, so " +
      'callers wait on. Write grace, or softTimeout only in the calls that have one.',
    remedied: [{ softTimeout: '2s', grace: '1h' }, {}],
  },
  {
    code: 'CACHE_THROTTLE_WITHOUT_GRACE',
    options: { throttle: 10_000 },
    message:
      "throttle ('10s') does nothing without grace: there is no stale value to answer with, so the " +
      'call after a failed load loads again. Write grace, or throttle only in the calls that have one.',
    remedied: [{ throttle: 10_000, grace: '1h' }, {}],
  },
  {
    code: 'CACHE_STALE_ON_WITHOUT_GRACE',
    options: { staleOn: () => true },
    message:
      'staleOn changes nothing without grace: there is no stale value to answer with, so every ' +
      'error is passed on. Write grace, or staleOn only in the calls that have one.',
    remedied: [{ staleOn: () => true, grace: '1h' }, {}],
  },
  {
    code: 'CACHE_SOFT_TIMEOUT_ABOVE_GRACE',
    options: { softTimeout: '1.5s', grace: '1.5s' },
    message:
      "softTimeout ('1500ms') is not below grace ('1500ms'): when it is over, so is the grace of an " +
      'entry that had expired before, and there is no stale value to answer with. Write a grace ' +
      'well above softTimeout.',
    remedied: [{ softTimeout: '1.5s', grace: '1m' }],
  },
  {
    code: 'CACHE_THROTTLE_ABOVE_GRACE',
    options: { throttle: '5m', grace: '1m' },
    message:
      "throttle ('5m') is not below grace ('1m'): after a failed load of an entry that had expired " +
      'no other is tried for as long as it is kept. Write a throttle well below grace.',
    remedied: [{ throttle: '10s', grace: '1m' }],
  },
  {
    code: 'CACHE_SOFT_TIMEOUT_ABOVE_HARD_TIMEOUT',
    options: { grace: '1h', softTimeout: '3s', hardTimeout: '3s' },
    message:
      "softTimeout ('3s') is not below hardTimeout ('3s'), after which callers get the stale value " +
      'as well: it changes nothing. Write a shorter softTimeout, or leave it out.',
    remedied: [
      { grace: '1h', softTimeout: '1s', hardTimeout: '3s' },
      { grace: '1h', hardTimeout: '3s' },
    ],
  },
  {
    code: 'CACHE_SOFT_TIMEOUT_ABOVE_JOIN_TIMEOUT',
    options: { grace: '1h', softTimeout: '40s' },
    message:
      "softTimeout ('40s') is above joinTimeout ('30s'): callers who joined a load at its start " +
      'begin another one before they get the stale value. Write a softTimeout of at most joinTimeout.',
    remedied: [
      { grace: '1h', softTimeout: '30s' },
      { grace: '1h', softTimeout: '40s', joinTimeout: '40s' },
    ],
  },
  {
    code: 'CACHE_HARD_TIMEOUT_ABOVE_JOIN_TIMEOUT',
    options: { hardTimeout: '1m' },
    message:
      "hardTimeout ('1m') is above joinTimeout ('30s'): callers who joined a load begin others of " +
      'its key beside it before it is given up. Write a joinTimeout of at least hardTimeout, or a ' +
      'shorter hardTimeout.',
    remedied: [{ hardTimeout: '1m', joinTimeout: '1m' }, { hardTimeout: '30s' }],
  },
  {
    code: 'CACHE_WAIT_TIMEOUT_BEFORE_STALE_VALUE',
    options: { grace: '1h', softTimeout: '2s', waitTimeout: '2s' },
    message:
      "waitTimeout ('2s') is not above softTimeout ('2s'): whoever begins a load that takes long " +
      'gets a LoadTimeoutError, not the stale value. Write a softTimeout below waitTimeout.',
    remedied: [{ grace: '1h', softTimeout: '1s', waitTimeout: '2s' }],
  },
  {
    code: 'CACHE_WAIT_TIMEOUT_BEFORE_STALE_VALUE',
    options: { grace: '1h', hardTimeout: '5s', waitTimeout: '2s' },
    message:
      "waitTimeout ('2s') is not above hardTimeout ('5s'): whoever begins a load that takes long " +
      'gets a LoadTimeoutError, not the stale value. Write a softTimeout below waitTimeout.',
    remedied: [{ grace: '1h', softTimeout: '1s', hardTimeout: '5s', waitTimeout: '2s' }],
  },
  {
    code: 'CACHE_ENDLESS_JOIN_TIMEOUT',
    options: { joinTimeout: Infinity },
    message:
      'joinTimeout: Infinity lets callers of a load that hangs wait for ever, and so do loaders that ' +
      "ask for each other's keys. Write a joinTimeout above the longest load, or a hardTimeout.",
    remedied: [{ joinTimeout: '10m' }, { joinTimeout: Infinity, hardTimeout: '1m' }],
  },
  {
    code: 'CACHE_LEVEL_TIMEOUT_ABOVE_LOCK_TIMEOUT',
    options: { levelTimeout: '5s', remote: REMOTE },
    message:
      "levelTimeout ('5s') is not below lockTimeout ('5s'): while a set or update waits for a level " +
      'that hangs, the next one of its key fails with a LockTimeoutError and deletes the key. Write ' +
      'a lockTimeout well above levelTimeout.',
    remedied: [{ levelTimeout: '5s', lockTimeout: '20s', remote: REMOTE }],
  },
  {
    code: 'CACHE_NEGATIVE_TTL_ABOVE_TTL',
    options: { negativeTtl: '1h' },
    message:
      "negativeTtl ('1h') is above ttl ('10m'): null, which often stands for what does not exist " +
      'yet, lives longer than other values. Write a negativeTtl below ttl.',
    remedied: [{ negativeTtl: '9m' }],
  },
  {
    code: 'CACHE_GRACE_WITH_ENDLESS_TTL',
    options: { ttl: Infinity, grace: '1d' },
    message:
      "grace ('1d') has no end with ttl: Infinity: only expire() makes an entry stale, and it is " +
      'kept without end then. Write a ttl that ends, or grace: Infinity if that is meant.',
    remedied: [
      { ttl: '1h', grace: '1d' },
      { ttl: Infinity, grace: Infinity },
    ],
  },
  {
    code: 'CACHE_EAGER_WITH_ENDLESS_TTL',
    options: { ttl: Infinity, eager: 0.8 },
    message:
      'eager (0.8) does nothing with ttl: Infinity, of which no share ever passes. Write a ttl that ' +
      'ends, or eager only in the calls that have one.',
    remedied: [{ ttl: '1h', eager: 0.8 }, { ttl: Infinity }],
  },
  {
    code: 'CACHE_JITTER_WITH_ENDLESS_TTL',
    options: { l2: { ttl: Infinity }, jitter: 0.1 },
    message:
      'jitter (0.1) does nothing with ttl: Infinity, which stays what it is. Write a ttl that ends, ' +
      'or jitter only in the calls that have one.',
    remedied: [{ l2: { ttl: '1h' }, jitter: 0.1 }, { l2: { ttl: Infinity } }],
  },
  {
    code: 'CACHE_LEVEL_TTL_UNUSED',
    options: { ttl: '1h', l2: { ttl: '5m' } },
    message:
      "l2.ttl ('5m') does nothing: in the last level it is only the default of ttl, which is '1h'. " +
      'Leave one of the two out.',
    remedied: [{ ttl: '1h' }, { l2: { ttl: '5m' } }],
  },
  {
    code: 'CACHE_LEVEL_TTL_UNUSED',
    options: { ttl: '1h', l1: { ttl: '5m' }, l2: false },
    message:
      "l1.ttl ('5m') does nothing: in the last level it is only the default of ttl, which is '1h'. " +
      'Leave one of the two out.',
    remedied: [
      { ttl: '1h', l2: false },
      { l1: { ttl: '5m' }, l2: false },
    ],
  },
  {
    code: 'CACHE_L1_TTL_ABOVE_TTL',
    options: { ttl: '90s', l1: { ttl: '5m' } },
    message:
      "l1.ttl ('5m') is above ttl ('90s'): it bounds how long L1 keeps its copy of an entry, and " +
      'never counts unless a call has a longer ttl. Write an l1.ttl below ttl, or leave it out.',
    remedied: [{ ttl: '90s', l1: { ttl: '30s' } }, { ttl: '90s' }],
  },
  {
    code: 'CACHE_L1_TTL_ABOVE_L2_TTL',
    options: { l1: { ttl: '15m' } },
    message:
      "l1.ttl ('15m') is not below l2.ttl ('10m'): unless its call says more, an entry is fresh for " +
      "'10m', in L2 no longer than in L1. Write a longer l2.ttl or a shorter l1.ttl; or, where one " +
      'level does, l2: false and the larger bounds in l1.',
    remedied: [
      { l1: { ttl: '15m' }, l2: { ttl: '1h' } },
      { l1: { ttl: '5m' } },
      { l1: { ttl: '15m', maxEntries: 50_000 }, l2: false },
    ],
  },
  {
    code: 'CACHE_L2_NOT_LARGER',
    options: { l1: { maxEntries: 100_000 } },
    message:
      'l2.maxEntries (50000) is not above l1.maxEntries (100000): L2 holds no more than L1, and one ' +
      "level can keep entries for as long. Write a larger l2.maxEntries, or l2: false and ttl: '10m'.",
    remedied: [
      { l1: { maxEntries: 100_000 }, l2: { maxEntries: 200_000 } },
      { l1: { maxEntries: 100_000 }, l2: false, ttl: '10m' },
    ],
  },
  {
    code: 'CACHE_SLIDE_WITHOUT_LEVEL_BELOW',
    options: { slide: true, l2: false },
    message:
      'slide does nothing without a level below: L1 keeps an entry until its lifetime ends, used or ' +
      'not. Leave slide out, or give the cache an l2.',
    remedied: [{ l2: false }, { slide: true }],
  },
];

describe(adviceOn.name, () => {
  it.each(CASES)('gives $code for $options, and nothing after its remedy', (given) => {
    const { code, options, message, remedied } = given;

    expect(adviceFor(options)).toEqual([{ code, message: `CacheHierarchy: ${message}` }]);
    expect(remedied.flatMap(adviceFor)).toEqual([]);
  });

  it('has a case for every rule', () => {
    const codes = new Set(CASES.map(({ code }) => code));

    expect([...codes]).toEqual(ADVICE_RULES.map(({ code }) => code));
  });

  it.each<CacheHierarchyOptions>([
    {},
    { l2: false },
    { ttl: '30s' },
    { ttl: Infinity },
    { ttl: '5m', l1: { ttl: '5m' } },
    { l1: { ttl: '60s' }, l2: { ttl: '600s' }, ttl: '1s' },
    { grace: '1h', softTimeout: '2s', hardTimeout: '10s', throttle: '10s', waitTimeout: '5s' },
    { grace: false, softTimeout: false, hardTimeout: false, throttle: false, eager: false },
    { hardTimeout: '2s', waitTimeout: '1s' },
    { grace: '1h', waitTimeout: '1s' },
    { hardTimeout: '1m', joinTimeout: Infinity },
    { waitTimeout: '1m', joinTimeout: Infinity },
    { levelTimeout: '5s' },
    { ttl: '1m', negativeTtl: '1m' },
    { eager: 0.8, jitter: 0.1, negativeTtl: '1m' },
  ])('gives nothing for %p', (options) => {
    expect(adviceFor(options)).toEqual([]);
  });

  it.each<CacheHierarchyOptions>([
    { softTimeout: '40s' },
    { softTimeout: '3s', hardTimeout: '3s' },
    { softTimeout: '3s', waitTimeout: '1s' },
  ])('says nothing more of a softTimeout without grace than that, as in %p', (options) => {
    const codes = adviceFor(options).map(({ code }) => code);

    expect(codes).toEqual(['CACHE_SOFT_TIMEOUT_WITHOUT_GRACE']);
  });

  it('takes one lifetime of both levels for an l2 without use', () => {
    const codes = adviceFor({ l1: { ttl: '10m' } }).map(({ code }) => code);

    expect(codes).toEqual(['CACHE_L1_TTL_ABOVE_L2_TTL']);
  });

  it('takes it that who stops waiting before joinTimeout begins no load', () => {
    expect(adviceFor({ hardTimeout: '1m', waitTimeout: '30s' })).toEqual([]);
    expect(adviceFor({ hardTimeout: '1m', waitTimeout: '31s' })).toHaveLength(1);
  });

  it.each<CacheHierarchyOptions>([
    { ttl: '4m', jitter: 0.5, l1: { ttl: '5m' } },
    { ttl: '4m', negativeTtl: '6m', l1: { ttl: '5m' } },
    { l2: { ttl: '4m' }, jitter: 0.5, l1: { ttl: '5m' } },
    { ttl: Infinity, negativeTtl: '1m', eager: 0.8, jitter: 0.1, grace: '1h' },
  ])('counts what jitter and negativeTtl make of lifetimes, as in %p', (options) => {
    const codes = adviceFor(options).map(({ code }) => code);

    expect(codes.filter((code) => code !== 'CACHE_NEGATIVE_TTL_ABOVE_TTL')).toEqual([]);
  });

  it.each<[boolean, CacheHierarchyOptions]>([
    [false, { l1: { maxBytes: '1mb' }, l2: { maxEntries: 5_000 } }],
    [false, { l1: { maxBytes: '1mb' }, l2: { maxEntries: 5_000, maxBytes: '2mb' } }],
    [true, { l1: { maxBytes: '1mb' }, l2: { maxEntries: 5_000, maxBytes: '1mb' } }],
    [false, { l1: { maxEntryBytes: '1kb' }, l2: { maxEntries: 5_000, maxEntryBytes: '2kb' } }],
    [false, { l1: { maxBytes: 10, weigh }, l2: { maxEntries: 5_000, maxBytes: 10 } }],
    [true, { l1: { maxBytes: 10, weigh }, l2: { maxEntries: 5_000, maxBytes: 10, weigh } }],
    [true, { l2: { maxEntries: 5_000, maxBytes: '1mb' } }],
    [false, { l2: { maxEntries: 5_001, maxBytes: '1mb' } }],
  ])('finds L2 no larger: %p, for %p', (isFound, options) => {
    expect(adviceFor(options)).toHaveLength(isFound ? 1 : 0);
  });

  it.each<[string[], CacheHierarchyOptions]>([
    [[], { ttl: '1h', l1: { ttl: '5m' }, l2: REMOTE }],
    [[], { ttl: '1h', l1: { ttl: '5m' }, l2: false, remote: REMOTE }],
    [[], { ttl: '1h', l2: { ttl: '5m' }, remote: REMOTE }],
    [[], { l1: { maxEntries: 50_000 }, remote: REMOTE }],
    [[], { slide: true, l2: false, remote: REMOTE }],
    [[], { levelTimeout: '5s', lockTimeout: Infinity, remote: REMOTE }],
    [['CACHE_LEVEL_TIMEOUT_ABOVE_LOCK_TIMEOUT'], { levelTimeout: '6s', l2: REMOTE }],
    [['CACHE_L1_TTL_ABOVE_TTL'], { ttl: '1m', l1: { ttl: '5m' }, l2: REMOTE }],
  ])('knows of levels below: %p for %p', (codes, options) => {
    expect(adviceFor(options).map(({ code }) => code)).toEqual(codes);
  });

  it('gives all of it at once, in the order of the rules', () => {
    const options = { softTimeout: '2s', throttle: '1s', hardTimeout: '1m' } as const;

    expect(adviceFor(options).map(({ code }) => code)).toEqual([
      'CACHE_SOFT_TIMEOUT_WITHOUT_GRACE',
      'CACHE_THROTTLE_WITHOUT_GRACE',
      'CACHE_HARD_TIMEOUT_ABOVE_JOIN_TIMEOUT',
    ]);
  });

  it('gives nothing where nothing is cached', () => {
    expect(CASES.flatMap(({ options }) => adviceFor({ ...options, enabled: false }))).toEqual([]);
  });

  it('is reported once, when the cache is made', async () => {
    const reports: string[] = [];
    const cache = new CacheHierarchy({
      softTimeout: '2s',
      report: ({ code }) => reports.push(code),
    });

    await cache.getOrSet('key', () => 'value');
    await cache.close();

    expect(reports).toEqual(['CACHE_SOFT_TIMEOUT_WITHOUT_GRACE']);
  });
});
