import type { CacheReport } from '../report.js';
import type { AdviceRule } from './advice-rule.js';
import type { ResolvedHierarchyOptions } from './hierarchy-options.js';
import { LIFETIME_ADVICE } from './lifetime-advice.js';
import { STALE_ADVICE } from './stale-advice.js';

/** Every rule, in the order in which they speak and the documentation lists them. */
export const ADVICE_RULES: readonly AdviceRule[] = [...STALE_ADVICE, ...LIFETIME_ADVICE];

/**
 * Tells where options are legal and do not go together: what comes of it and what to write instead.
 * The defaults, and a cache that is not enabled, give none.
 *
 * Only what is said of the cache is known: a call, or a loader, may have options of its own.
 */
export function adviceOn(options: ResolvedHierarchyOptions): readonly CacheReport[] {
  if (!options.enabled) return [];
  return ADVICE_RULES.filter(({ applies }) => applies(options)).map(({ code, advice }) => ({
    code,
    message: `${options.subject}: ${advice(options)}`,
  }));
}
