import { CacheLevelError } from '../errors.js';
import type { LevelName } from '../levels/cache-level.js';

/** What an invalidation of one key has done. */
export interface KeyInvalidation {
  /** Whether a level in this process had a live value. */
  readonly existed: boolean;
  /** What the lower levels have done; `undefined` if there are none. */
  readonly lower: Promise<Confirmation> | undefined;
}

/** What became of an invalidation in the lower levels. */
export interface Confirmation {
  /** Whether every level has carried it out. */
  readonly applied: boolean;
  /** The levels that have not taken it, and are tried again. */
  readonly failed: readonly LevelName[];
  /** Why, as far as that is known: the errors of their calls. */
  readonly causes: readonly unknown[];
}

/**
 * Waits for the lower levels; returns for each key whether it was in this process.
 *
 * @throws {CacheLevelError} where all levels were required and one has not carried it out
 */
export async function confirm(
  invalidations: readonly KeyInvalidation[],
  require?: 'remote',
): Promise<boolean[]> {
  const pending = invalidations.flatMap(({ lower }) => (lower === undefined ? [] : [lower]));
  const confirmations = pending.length === 0 ? [] : await Promise.all(pending);
  const open = confirmations.find(({ applied }) => !applied);
  if (open !== undefined && require !== undefined) throw unconfirmedError(open);
  return invalidations.map(({ existed }) => existed);
}

function unconfirmedError({ failed, causes }: Confirmation): CacheLevelError {
  const what =
    failed.length > 0
      ? `failed in the level ${failed.join(', ')} and is tried again`
      : 'is queued by a level';
  return new CacheLevelError(
    `A delete ${what}: in this process nothing old is read any more, other processes may have it yet.`,
    causes.length === 0
      ? undefined
      : { cause: causes.length === 1 ? causes[0] : manyCauses(causes) },
  );
}

function manyCauses(causes: readonly unknown[]): AggregateError {
  return new AggregateError(causes, 'Several levels have failed.');
}
