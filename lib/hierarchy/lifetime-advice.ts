import { showDuration } from '../durations.js';
import { L1_DEFAULTS, L2_DEFAULTS, type ResolvedLevelOptions } from '../memory/cache-options.js';
import type { AdviceRule } from './advice-rule.js';
import type { ResolvedHierarchyOptions } from './hierarchy-options.js';
import type { Policy } from './policy.js';

/** Advice about how long entries live, and about what L2 adds to L1. */
export const LIFETIME_ADVICE: readonly AdviceRule[] = [
  {
    code: 'CACHE_NEGATIVE_TTL_ABOVE_TTL',
    when: 'negativeTtl above ttl',
    applies: ({ policy: { negativeTtlMs = 0, ttlMs } }) => negativeTtlMs > ttlMs,
    advice: ({ policy: { negativeTtlMs = 0, ttlMs } }) =>
      `negativeTtl (${showDuration(negativeTtlMs)}) is above ttl (${showDuration(ttlMs)}): null, ` +
      'which often stands for what does not exist yet, lives longer than other values. Write a ' +
      'negativeTtl below ttl.',
  },
  {
    code: 'CACHE_GRACE_WITH_ENDLESS_TTL',
    when: 'grace with an end and ttl: Infinity',
    applies: ({ policy }) => isEndless(policy) && policy.graceMs > 0 && policy.graceMs < Infinity,
    advice: ({ policy }) =>
      `grace (${showDuration(policy.graceMs)}) has no end with ttl: Infinity: only expire() makes an ` +
      'entry stale, and it is kept without end then. Write a ttl that ends, or grace: Infinity if ' +
      'that is meant.',
  },
  {
    code: 'CACHE_EAGER_WITH_ENDLESS_TTL',
    when: 'eager with ttl: Infinity',
    applies: ({ policy }) => isEndless(policy) && policy.eager !== undefined,
    advice: ({ policy }) =>
      `eager (${policy.eager}) does nothing with ttl: Infinity, of which no share ever passes. Write ` +
      'a ttl that ends, or eager only in the calls that have one.',
  },
  {
    code: 'CACHE_JITTER_WITH_ENDLESS_TTL',
    when: 'jitter with ttl: Infinity',
    applies: ({ policy }) => isEndless(policy) && policy.jitter > 0,
    advice: ({ policy }) =>
      `jitter (${policy.jitter}) does nothing with ttl: Infinity, which stays what it is. Write a ` +
      'ttl that ends, or jitter only in the calls that have one.',
  },
  {
    code: 'CACHE_LEVEL_TTL_UNUSED',
    when: 'ttl, and another l2.ttl with no remote; or another l1.ttl with no level below',
    applies: (options) => {
      const last = lastLevel(options);
      if (last === undefined) return false;
      return last.ttlMs !== options.policy.ttlMs && last.ttlMs !== last.defaultMs;
    },
    advice: (options) => {
      const { name, ttlMs } = lastLevel(options)!;
      return (
        `${name}.ttl (${showDuration(ttlMs)}) does nothing: in the last level it is only the default ` +
        `of ttl, which is ${showDuration(options.policy.ttlMs)}. Leave one of the two out.`
      );
    },
  },
  {
    code: 'CACHE_L1_TTL_ABOVE_TTL',
    when: 'l1.ttl above ttl, with a level below',
    applies: (options) => {
      const { policy, l1, l2 } = options;
      return (
        hasBelowL1(options) &&
        l1.ttlMs !== L1_DEFAULTS.ttlMs &&
        l1.ttlMs > policy.ttlMs &&
        policy.ttlMs !== l2?.ttlMs &&
        longestLifeMs(policy) <= l1.ttlMs
      );
    },
    advice: ({ policy, l1 }) =>
      `l1.ttl (${showDuration(l1.ttlMs)}) is above ttl (${showDuration(policy.ttlMs)}): it bounds how ` +
      'long L1 keeps its copy of an entry, and never counts unless a call has a longer ttl. Write ' +
      'an l1.ttl below ttl, or leave it out.',
  },
  {
    code: 'CACHE_L1_TTL_ABOVE_L2_TTL',
    when: 'l1.ttl not below l2.ttl',
    applies: ({ policy, l1, l2 }) =>
      policy.ttlMs === l2?.ttlMs && longestLifeMs(policy) <= l1.ttlMs,
    advice: ({ policy, l1 }) =>
      `l1.ttl (${showDuration(l1.ttlMs)}) is not below l2.ttl (${showDuration(policy.ttlMs)}): unless ` +
      `its call says more, an entry is fresh for ${showDuration(policy.ttlMs)}, in L2 no longer than ` +
      'in L1. Write a longer l2.ttl or a shorter l1.ttl; or, where one level does, l2: false and the ' +
      'larger bounds in l1.',
  },
  {
    code: 'CACHE_L2_NOT_LARGER',
    when: 'an l2 with no bound above that of l1, and no remote',
    applies: ({ l1, l2, remote }) => l2 !== undefined && remote === undefined && fitsInto(l2, l1),
    advice: ({ policy, l1, l2 }) =>
      `l2.maxEntries (${l2?.maxEntries}) is not above l1.maxEntries (${l1.maxEntries}): L2 holds no ` +
      'more than L1, and one level can keep entries for as long. Write a larger l2.maxEntries, or ' +
      `l2: false and ttl: ${showDuration(policy.ttlMs)}.`,
  },
  {
    code: 'CACHE_SLIDE_WITHOUT_LEVEL_BELOW',
    when: 'slide with no level below',
    applies: (options) => options.slide && !hasBelowL1(options),
    advice: () =>
      'slide does nothing without a level below: L1 keeps an entry until its lifetime ends, used or ' +
      'not. Leave slide out, or give the cache an l2.',
  },
];

/** Whether no value ever expires, `null` included. */
function isEndless({ ttlMs, negativeTtlMs = Infinity }: Policy): boolean {
  return ttlMs === Infinity && negativeTtlMs === Infinity;
}

/** How long a value lives at most, by chance and `null` included. */
function longestLifeMs({ ttlMs, negativeTtlMs = 0, jitter }: Policy): number {
  return Math.max(ttlMs, negativeTtlMs) * (1 + jitter);
}

/** Whether L1 keeps copies of what another level has. */
function hasBelowL1({ l2, customL2, remote }: ResolvedHierarchyOptions): boolean {
  return (l2 ?? customL2 ?? remote) !== undefined;
}

/** The built-in level that has none below, with its own `ttl` and the default of that. */
function lastLevel({
  l1,
  l2,
  customL2,
  remote,
}: ResolvedHierarchyOptions): { name: string; ttlMs: number; defaultMs: number } | undefined {
  if ((customL2 ?? remote) !== undefined) return undefined;
  return l2 === undefined
    ? { name: 'l1', ttlMs: l1.ttlMs, defaultMs: L1_DEFAULTS.ttlMs }
    : { name: 'l2', ttlMs: l2.ttlMs, defaultMs: L2_DEFAULTS.ttlMs };
}

/** Whether all that fits into one level fits into the other. */
function fitsInto(level: ResolvedLevelOptions, other: ResolvedLevelOptions): boolean {
  if (level.maxEntries > other.maxEntries) return false;
  if (other.weigh === undefined) return true;
  const isNoHeavier =
    level.maxBytes <= other.maxBytes && level.maxEntryBytes <= other.maxEntryBytes;
  return level.weigh === other.weigh && isNoHeavier;
}
