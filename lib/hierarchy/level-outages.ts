import { OutageReports } from '../levels/outage-reports.js';
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
  /** An outage is one, however many parts it has. */
  readonly #reports: OutageReports;
  #isDown = false;

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#reports = new OutageReports({
      ...options,
      failuresAre: 'misses, skipped writes and invalidations that are tried again',
    });
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
  noteAnswer(part: LevelPart, operation: string): boolean {
    this.#isDown = false;
    const outage = this.of(part);
    const wasOver = outage.isOver;
    const wasOn = outage.noteAnswer(operation);
    if (!wasOver && this.#isOver) this.#reports.noteEnd();
    return wasOn;
  }

  /** @param cause the error; `undefined` for a call that took too long */
  noteFailure(part: LevelPart, operation: string, cause: unknown): void {
    const outage = this.of(part);
    this.#isDown ||= !outage.isOn;
    outage.noteFailure(operation, cause);
    this.#reports.noteFailure(operation, cause);
  }

  get #isOver(): boolean {
    return [...this.#outages.values()].every(({ isOver }) => isOver);
  }
}
