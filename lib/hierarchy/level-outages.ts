import { Outage, type OutageOptions } from './outage.js';

/** Which part of a level a call concerns; `undefined` for all of it. */
export type LevelPart = number | undefined;

/**
 * The outages of a level: each part that can be away by itself has its own, and so have the calls that
 * concern all of it. What fails in one part is left alone there, and asked for in the others as ever.
 */
export class LevelOutages {
  readonly #options: OutageOptions;
  readonly #outages = new Map<LevelPart, Outage>();
  #isDown = false;

  constructor(options: OutageOptions) {
    this.#options = { ...options, report: (what) => this.#isFirst && options.report(what) };
  }

  /** Whether a part has begun to fail, and nothing has answered since. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Whether any part is left alone, but for a probe a second. */
  get isOpen(): boolean {
    return [...this.#outages.values()].some(({ isOpen }) => isOpen);
  }

  of(part: LevelPart): Outage {
    let outage = this.#outages.get(part);
    if (outage === undefined) {
      outage = new Outage(this.#options);
      this.#outages.set(part, outage);
    }
    return outage;
  }

  /** Returns whether this is the first answer of the part after a failure. */
  noteAnswer(part: LevelPart): boolean {
    this.#isDown = false;
    return this.of(part).noteAnswer();
  }

  /** @param cause the error; `undefined` for a call that took too long */
  noteFailure(part: LevelPart, operation: string, cause: unknown): void {
    const outage = this.of(part);
    this.#isDown ||= !outage.isOn;
    outage.noteFailure(operation, cause);
  }

  /** An outage is one, however many parts it has: it is reported when the first of them fails. */
  get #isFirst(): boolean {
    return [...this.#outages.values()].filter(({ isOn }) => isOn).length === 1;
  }
}
