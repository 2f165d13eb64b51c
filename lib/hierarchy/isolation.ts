/** Whether callers share the objects that a cache holds, or each gets a copy. */
export type Isolation = 'reference' | 'clone';

export const ISOLATIONS: readonly Isolation[] = ['reference', 'clone'];

/** What can not be copied, such as a function, and what holds one. */
export const UNCLONEABLE = Symbol('uncloneable');

/**
 * Returns a copy of a value by the structured clone algorithm, or {@link UNCLONEABLE}: for what that
 * does not know, and for what throws while it is read.
 */
export function tryClone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? UNCLONEABLE : value;
  }
  try {
    return structuredClone(value);
  } catch {
    return UNCLONEABLE;
  }
}
