import type { Clock } from '../../lib/clock.js';
import type { LoadOptions, StoreOptions } from '../../lib/hierarchy/call-options.js';
import { LEVEL_NAMES } from '../../lib/levels/cache-level.js';
import type { Said } from './naive-entries.js';
import { nameOf } from './reply.js';

/** What is said of a value that is stored, as options. */
export function storeOptionsOf(said: Said, clock: Clock): StoreOptions {
  const { ttl, expiresIn, grace, eager, jitter, negativeTtl, tags } = said;
  return {
    ttl,
    tags,
    grace: grace ?? false,
    eager: eager ?? false,
    negativeTtl: negativeTtl ?? false,
    jitter: jitter ?? 0,
    expiresAt: expiresIn === undefined ? undefined : clock.wallNow() + expiresIn,
  };
}

/** What is said of a load, as options. */
export function loadOptionsOf(said: Said, clock: Clock): LoadOptions {
  const { throttle, soft, hard, refuses, force, skipRead, skipWrite } = said;
  const read = skipRead === undefined ? [] : [skipRead];
  return {
    ...storeOptionsOf(said, clock),
    throttle: throttle ?? false,
    softTimeout: soft ?? false,
    hardTimeout: hard ?? false,
    staleOn: (error) => refuses !== true || nameOf(error as Error) !== 'refused',
    forceRefresh: force,
    skip: {
      read: skipRead === 'all' ? LEVEL_NAMES : (read as ['L1']),
      write: skipWrite === true ? LEVEL_NAMES : [],
    },
  };
}
