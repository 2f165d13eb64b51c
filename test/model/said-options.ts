import type { Clock } from '../../lib/clock.js';
import type { LoadOptions, StoreOptions } from '../../lib/hierarchy/call-options.js';
import type { PolicyOptions } from '../../lib/hierarchy/policy.js';
import { LEVEL_NAMES } from '../../lib/levels/cache-level.js';
import type { Said } from './naive-entries.js';
import { nameOf } from './reply.js';

/** What a cache says, as options. */
export function cacheOptionsOf(said: Said): PolicyOptions {
  const { grace, eager, jitter, negativeTtl, throttle, soft, hard, refuses } = said;
  return {
    jitter,
    grace: orOff(grace),
    eager: orOff(eager),
    negativeTtl: orOff(negativeTtl),
    throttle: orOff(throttle),
    softTimeout: orOff(soft),
    hardTimeout: orOff(hard),
    staleOn: refuses === undefined ? undefined : (error) => !refuses || !isRefused(error),
  };
}

/** What is said of a value that is stored, as options. */
export function storeOptionsOf(said: Said, clock: Clock): StoreOptions {
  const { ttl, expiresIn, tags } = said;
  const { grace, eager, jitter, negativeTtl } = cacheOptionsOf(said);
  const expiresAt = expiresIn === undefined ? undefined : clock.wallNow() + expiresIn;
  return { ttl, tags, grace, eager, jitter, negativeTtl, expiresAt };
}

/** What is said of a load, as options. */
export function loadOptionsOf(said: Said, clock: Clock): LoadOptions {
  const { force: forceRefresh, skipRead, skipWrite } = said;
  const read = skipRead === undefined ? [] : [skipRead];
  const skip = {
    read: skipRead === 'all' ? LEVEL_NAMES : (read as ['L1']),
    write: skipWrite === true ? LEVEL_NAMES : [],
  };
  return { ...cacheOptionsOf(said), ...storeOptionsOf(said, clock), forceRefresh, skip };
}

function orOff(word: number | undefined): number | false | undefined {
  return word === 0 ? false : word;
}

function isRefused(error: unknown): boolean {
  return nameOf(error as Error) === 'refused';
}
