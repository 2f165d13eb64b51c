import type { Maybe } from '../levels/cache-level.js';
import { LevelBench, type LevelSubject } from './level-bench.js';
import { LEVEL_CASES } from './level-cases.js';

/** One thing that every level does: run it, and it throws where the level does not. */
export interface LevelCase {
  readonly name: string;
  /** Makes a level, tries it, and closes it. */
  readonly run: () => Promise<void>;
}

/**
 * Returns what every level does, in this process or far away, as cases that any test runner can run:
 * each makes a level of its own, and throws an `AssertionError` where that does not keep the contract.
 */
export function levelCases(create: () => Maybe<LevelSubject>): LevelCase[] {
  return Object.entries(LEVEL_CASES).map(([name, test]) => ({
    name,
    async run() {
      const subject = await create();
      try {
        await test(new LevelBench(subject));
      } finally {
        await subject.level.close();
      }
    },
  }));
}

/** The functions of a test runner: those of `node:test`, Jest, Vitest or Mocha. */
export interface TestRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
}

/** Has a test runner run {@link levelCases} under the name of the level. */
export function describeLevel(
  name: string,
  create: () => Maybe<LevelSubject>,
  { describe, it }: TestRunner,
): void {
  describe(`${name} as a level`, () => {
    for (const { name: does, run } of levelCases(create)) it(does, run);
  });
}
