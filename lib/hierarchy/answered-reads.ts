import type { LevelName } from '../levels/cache-level.js';

/**
 * Counts which level has answered each read. Those of the first level are not counted here, since most reads
 * are: they are what is left of all hits.
 */
export class AnsweredReads {
  readonly #first: LevelName;
  readonly #below = new Map<LevelName, number>();

  /** @param levels from the first to the last that is asked */
  constructor(levels: readonly LevelName[]) {
    this.#first = levels[0]!;
    for (const level of levels.slice(1)) this.#below.set(level, 0);
  }

  /** Notes so many reads that a level has answered. */
  note(level: LevelName, reads = 1): void {
    const before = this.#below.get(level);
    if (before !== undefined) this.#below.set(level, before + reads);
  }

  /** Splits all hits by the levels that answered them. */
  of(hits: number): Readonly<Partial<Record<LevelName, number>>> {
    const below = [...this.#below.values()].reduce((sum, reads) => sum + reads, 0);
    return { [this.#first]: hits - below, ...Object.fromEntries(this.#below) };
  }
}
