import type { Clock } from '../clock.js';
import { hasGrace, type LevelEntry } from '../levels/cache-level.js';
import type { StorePlan } from './call-options.js';

/** The end of the freshness of what lives for ever and has grace. */
export const FOREVER = Number.MAX_VALUE;

/** How long a value is to live, in milliseconds; 0 or less for not at all. */
export function lifetimeOf(value: unknown, plan: StorePlan, clock: Clock): number {
  const { ttlMs, ttlIsOwn, expiresAt } = plan;
  const { negativeTtlMs, jitter } = plan.policy;
  const isNegative = value === null && !ttlIsOwn && negativeTtlMs !== undefined;
  if (expiresAt !== undefined && !isNegative) return expiresAt - clock.wallNow();
  const lifetimeMs = isNegative ? negativeTtlMs : ttlMs;
  return jitter === 0 ? lifetimeMs : lifetimeMs * (1 + jitter * (2 * Math.random() - 1));
}

/** Whether an entry that is still there may be returned as a hit. */
export function isFresh(entry: LevelEntry, clock: Clock): boolean {
  return entry.freshUntil > clock.now() || !hasGrace(entry);
}

/**
 * Whether an entry has reached the age at which another became due for a refresh. Their ends tell
 * nothing: that of a copy can be before that of what it is a copy of.
 */
export function isDueLike(
  entry: LevelEntry,
  { refreshAt, bornAt }: LevelEntry,
  clock: Clock,
): boolean {
  return clock.now() - entry.bornAt >= refreshAt! - bornAt;
}
