import { randomNumbers } from '../../lib/testing/random-numbers.js';

/** Enough for thousands of schedules on a slow machine. */
export const MANY_MINUTES = 900_000;

// oxlint-disable-next-line typescript/unbound-method -- it has no this
const mathRandom = Math.random;

/** A search that tries seeds, one after the other. */
export class SeededSearch {
  readonly #variable: string;
  /** The seed that is to be replayed, where one is named. */
  readonly only: number | undefined;

  /** @param variable the variable of the environment that names one seed to replay */
  constructor(variable: string) {
    const seed = process.env[variable];
    this.#variable = variable;
    this.only = seed === undefined ? undefined : Number(seed);
  }

  /**
   * Tries so many seeds, or the one that is named, and returns what each has violated; ends when `enough`
   * have.
   */
  async violations(
    count: number,
    attempt: (seed: number) => Promise<string | undefined>,
    enough = 5,
  ): Promise<string[]> {
    const violations: string[] = [];
    const seeds =
      this.only === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [this.only];
    for (const seed of seeds) {
      // What is drawn at random is to be the same in a replay.
      Math.random = randomNumbers(seed);
      const violation = await attempt(seed).finally(() => (Math.random = mathRandom));
      if (violation !== undefined) violations.push(`${this.#variable}=${seed}: ${violation}`);
      if (violations.length === enough) break;
    }
    return violations;
  }
}
