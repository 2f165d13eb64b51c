import { InvalidArgumentError, show } from '../errors.js';
import { LEVEL_NAMES, type LevelName } from '../levels/cache-level.js';
import { assertKnownOptions } from '../options.js';

/** The levels that a call leaves out. */
export interface SkippedLevels {
  readonly read: ReadonlySet<LevelName>;
  readonly write: ReadonlySet<LevelName>;
  /** Names what is skipped; `undefined` for nothing. */
  readonly variant: string | undefined;
}

const NONE: ReadonlySet<LevelName> = new Set();
export const NOTHING_SKIPPED: SkippedLevels = { read: NONE, write: NONE, variant: undefined };

const NAMES: ReadonlySet<string> = new Set(['read', 'write']);

/** Checks the `skip` of a call. */
export function readSkip(skip: {
  readonly read?: readonly LevelName[];
  readonly write?: readonly LevelName[];
}): SkippedLevels {
  assertKnownOptions(skip, NAMES);
  const [read, write] = [levelsOf('read', skip.read), levelsOf('write', skip.write)];
  if (read.size + write.size === 0) return NOTHING_SKIPPED;
  return { read, write, variant: `${[...read].join()}/${[...write].join()}` };
}

/** In the order of the levels, so that equal sets have equal names. */
function levelsOf(list: string, names: readonly LevelName[] | undefined): Set<LevelName> {
  if (names === undefined) return new Set();
  if (!Array.isArray(names) || names.some((name) => !LEVEL_NAMES.includes(name))) {
    const known = LEVEL_NAMES.map((name) => `'${name}'`).join(', ');
    throw new InvalidArgumentError(`skip.${list} must be a list of ${known}, got ${show(names)}.`);
  }
  return new Set(LEVEL_NAMES.filter((name) => names.includes(name)));
}
