import type { Clock } from '../clock.js';
import type { LevelEntry } from '../levels/cache-level.js';
import { FOREVER } from './lifetime.js';

/** What one level has of a key, as `inspect` shows it. */
export interface InspectedEntry {
  /** The level's name. */
  readonly level: string;
  readonly value: unknown;
  /** Whether it may only be returned where a load fails or takes too long. */
  readonly stale: boolean;
  /** For how many milliseconds the level returns it as a hit; 0 for a stale one. */
  readonly freshForMs: number;
  /** For how many milliseconds the level keeps it, as a stale value in the end. */
  readonly keptForMs: number;
  /**
   * How many milliseconds ago its load, set or update was called. Kept only of entries that have tags, a
   * namespace, grace or an eager refresh, and in L1 of those that `slide`.
   */
  readonly ageMs: number | undefined;
  readonly tags: readonly string[];
}

/** Tells about an entry of a level in times from now. */
export function inspectedEntry(
  level: string,
  entry: LevelEntry,
  value: unknown,
  clock: Clock,
): InspectedEntry {
  const { bornAt, freshUntil, staleUntil, tags } = entry;
  const now = clock.now();
  // A copy can end before what it is a copy of.
  const hitUntil = Math.min(freshUntil, staleUntil);
  return {
    level,
    value,
    stale: freshUntil <= now,
    freshForMs: hitUntil === FOREVER ? Infinity : Math.max(0, hitUntil - now),
    keptForMs: staleUntil - now,
    ageMs: Number.isFinite(bornAt) ? now - bornAt : undefined,
    tags: tags ?? [],
  };
}
