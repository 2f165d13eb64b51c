import { expect } from '@jest/globals';
import type { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import type { VirtualClock } from './virtual-clock.js';

/** Closes a cache, and expects that nothing was under way, nobody held a lock, and no timer is left. */
export async function closeWithNothingLeft(
  cache: CacheHierarchy,
  clock: VirtualClock,
): Promise<void> {
  expect(cache.getMetrics()).toMatchObject({ inFlight: 0, locks: { heldKeys: 0 } });
  await cache.close();
  expect(clock.pending).toBe(0);
}

/** Lets time pass until what is asked of a hanging level is given up. */
export async function patiently<T>(clock: VirtualClock, answer: Promise<T>): Promise<T> {
  await clock.advance(2_000);
  return answer;
}
