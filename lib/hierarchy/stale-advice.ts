import { showDuration } from '../durations.js';
import type { AdviceRule } from './advice-rule.js';
import type { ResolvedHierarchyOptions } from './hierarchy-options.js';
import type { Policy } from './policy.js';

/** Advice about stale values, and about how long loads, their callers and writers wait. */
export const STALE_ADVICE: readonly AdviceRule[] = [
  {
    code: 'CACHE_SOFT_TIMEOUT_WITHOUT_GRACE',
    when: 'softTimeout without grace',
    applies: ({ policy }) => !hasStale(policy) && policy.softTimeoutMs < Infinity,
    advice: ({ policy }) =>
      `softTimeout (${showDuration(policy.softTimeoutMs)}) does nothing without grace: there is no ` +
      'stale value to answer with, so callers wait on. Write grace, or softTimeout only in the ' +
      'calls that have one.',
  },
  {
    code: 'CACHE_THROTTLE_WITHOUT_GRACE',
    when: 'throttle without grace',
    applies: ({ policy }) => !hasStale(policy) && policy.throttleMs > 0,
    advice: ({ policy }) =>
      `throttle (${showDuration(policy.throttleMs)}) does nothing without grace: there is no stale ` +
      'value to answer with, so the call after a failed load loads again. Write grace, or throttle ' +
      'only in the calls that have one.',
  },
  {
    code: 'CACHE_STALE_ON_WITHOUT_GRACE',
    when: 'staleOn without grace',
    applies: ({ policy, hasOwnStaleOn }) => !hasStale(policy) && hasOwnStaleOn,
    advice: () =>
      'staleOn changes nothing without grace: there is no stale value to answer with, so every ' +
      'error is passed on. Write grace, or staleOn only in the calls that have one.',
  },
  {
    code: 'CACHE_SOFT_TIMEOUT_ABOVE_GRACE',
    when: 'softTimeout not below grace',
    applies: ({ policy }) =>
      hasStale(policy) && policy.softTimeoutMs < Infinity && policy.softTimeoutMs >= policy.graceMs,
    advice: ({ policy: { softTimeoutMs, graceMs } }) =>
      `softTimeout (${showDuration(softTimeoutMs)}) is not below grace (${showDuration(graceMs)}): ` +
      'when it is over, so is the grace of an entry that had expired before, and there is no stale ' +
      'value to answer with. Write a grace well above softTimeout.',
  },
  {
    code: 'CACHE_THROTTLE_ABOVE_GRACE',
    when: 'throttle not below grace',
    applies: ({ policy }) => hasStale(policy) && policy.throttleMs >= policy.graceMs,
    advice: ({ policy: { throttleMs, graceMs } }) =>
      `throttle (${showDuration(throttleMs)}) is not below grace (${showDuration(graceMs)}): after a ` +
      'failed load of an entry that had expired no other is tried for as long as it is kept. Write ' +
      'a throttle well below grace.',
  },
  {
    code: 'CACHE_SOFT_TIMEOUT_ABOVE_HARD_TIMEOUT',
    when: 'softTimeout not below hardTimeout',
    applies: ({ policy }) =>
      hasStale(policy) &&
      policy.softTimeoutMs < Infinity &&
      policy.softTimeoutMs >= policy.hardTimeoutMs,
    advice: ({ policy: { softTimeoutMs, hardTimeoutMs } }) =>
      `softTimeout (${showDuration(softTimeoutMs)}) is not below hardTimeout ` +
      `(${showDuration(hardTimeoutMs)}), after which callers get the stale value as well: it ` +
      'changes nothing. Write a shorter softTimeout, or leave it out.',
  },
  {
    code: 'CACHE_SOFT_TIMEOUT_ABOVE_JOIN_TIMEOUT',
    when: 'softTimeout above joinTimeout',
    applies: (options) => {
      const { softTimeoutMs, hardTimeoutMs } = options.policy;
      const isFirst = softTimeoutMs < hardTimeoutMs;
      return hasStale(options.policy) && isFirst && softTimeoutMs > patienceMs(options);
    },
    advice: ({ policy: { softTimeoutMs }, joinTimeoutMs }) =>
      `softTimeout (${showDuration(softTimeoutMs)}) is above joinTimeout ` +
      `(${showDuration(joinTimeoutMs)}): callers who joined a load at its start begin another one ` +
      'before they get the stale value. Write a softTimeout of at most joinTimeout.',
  },
  {
    code: 'CACHE_HARD_TIMEOUT_ABOVE_JOIN_TIMEOUT',
    when: 'hardTimeout above joinTimeout',
    applies: (options) => {
      const { hardTimeoutMs } = options.policy;
      return hardTimeoutMs < Infinity && hardTimeoutMs > patienceMs(options);
    },
    advice: ({ policy: { hardTimeoutMs }, joinTimeoutMs }) =>
      `hardTimeout (${showDuration(hardTimeoutMs)}) is above joinTimeout ` +
      `(${showDuration(joinTimeoutMs)}): callers who joined a load begin others of its key beside ` +
      'it before it is given up. Write a joinTimeout of at least hardTimeout, or a shorter ' +
      'hardTimeout.',
  },
  {
    code: 'CACHE_WAIT_TIMEOUT_BEFORE_STALE_VALUE',
    when: 'grace, and waitTimeout not above softTimeout or hardTimeout, whichever is shorter',
    applies: ({ policy, waitTimeoutMs = Infinity }) => {
      const { ms } = answerBound(policy);
      return hasStale(policy) && ms < Infinity && waitTimeoutMs <= ms;
    },
    advice: ({ policy, waitTimeoutMs = Infinity }) => {
      const { name, ms } = answerBound(policy);
      return (
        `waitTimeout (${showDuration(waitTimeoutMs)}) is not above ${name} (${showDuration(ms)}): ` +
        'whoever begins a load that takes long gets a LoadTimeoutError, not the stale value. Write ' +
        'a softTimeout below waitTimeout.'
      );
    },
  },
  {
    code: 'CACHE_ENDLESS_JOIN_TIMEOUT',
    when: 'joinTimeout: Infinity with no hardTimeout and no waitTimeout',
    applies: ({ policy, joinTimeoutMs, waitTimeoutMs = Infinity }) =>
      joinTimeoutMs === Infinity && policy.hardTimeoutMs === Infinity && waitTimeoutMs === Infinity,
    advice: () =>
      'joinTimeout: Infinity lets callers of a load that hangs wait for ever, and so do loaders that ' +
      "ask for each other's keys. Write a joinTimeout above the longest load, or a hardTimeout.",
  },
  {
    code: 'CACHE_LEVEL_TIMEOUT_ABOVE_LOCK_TIMEOUT',
    when: 'levelTimeout not below lockTimeout, with a level outside this process',
    applies: (options) =>
      hasOutside(options) &&
      options.lockTimeoutMs < Infinity &&
      options.levelTimeoutMs >= options.lockTimeoutMs,
    advice: ({ levelTimeoutMs, lockTimeoutMs }) =>
      `levelTimeout (${showDuration(levelTimeoutMs)}) is not below lockTimeout ` +
      `(${showDuration(lockTimeoutMs)}): while a set or update waits for a level that hangs, the next ` +
      'one of its key fails with a LockTimeoutError and deletes the key. Write a lockTimeout well ' +
      'above levelTimeout.',
  },
];

/** Whether there are stale values, unless a call will have none. */
function hasStale({ graceMs }: Policy): boolean {
  return graceMs > 0;
}

/** How long a caller waits for another's load before it begins one; it never does if it gives up before. */
function patienceMs({ joinTimeoutMs, waitTimeoutMs = Infinity }: ResolvedHierarchyOptions): number {
  return waitTimeoutMs <= joinTimeoutMs ? Infinity : joinTimeoutMs;
}

/** Whether sets and updates hold the lock of their key while a level answers. */
function hasOutside({ customL2, remote }: ResolvedHierarchyOptions): boolean {
  return remote !== undefined || customL2?.inProcess === false;
}

/** What answers callers with the stale value while a load goes on. */
function answerBound({ softTimeoutMs, hardTimeoutMs }: Policy): { name: string; ms: number } {
  return softTimeoutMs <= hardTimeoutMs
    ? { name: 'softTimeout', ms: softTimeoutMs }
    : { name: 'hardTimeout', ms: hardTimeoutMs };
}
