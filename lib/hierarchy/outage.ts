import type { Clock } from '../clock.js';
import type { Report } from '../report.js';

/** What an {@link Outage} is made of. */
export interface OutageOptions {
  /** The level's name, for the report. */
  readonly name: string;
  readonly clock: Clock;
  readonly report: Report;
  readonly timeoutMs: number;
}

/** So many failures in a row open the circuit. */
const FAILURES_TO_OPEN = 5;
/** While it is open the level is asked once in so many milliseconds whether it is back. */
const PROBE_EVERY_MS = 1_000;

/** A level that can not be changed may yet be read, so what has failed is told apart by that. */
type Kind = 'read' | 'change';

/**
 * Whether a level fails, and for how long it is left alone (a circuit breaker): nobody waits for a level
 * that has failed five times in a row; it is asked once a second whether it is back, as long as anybody calls.
 */
export class Outage {
  readonly #options: OutageOptions;
  readonly #failing = new Set<Kind>();
  #failuresInRow = 0;
  #nextProbeAt = -Infinity;
  #cause: unknown;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  /** Whether the last call that ended has failed. */
  get isOn(): boolean {
    return this.#failuresInRow > 0;
  }

  /** Whether the level is left alone, but for a probe a second. */
  get isOpen(): boolean {
    return this.#failuresInRow >= FAILURES_TO_OPEN;
  }

  /** Whether all that has failed was answered again: a read, or any other call. */
  get isOver(): boolean {
    return this.#failing.size === 0;
  }

  /** The error of the last call that has failed; one of a timeout has only a message. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Whether the level is to be asked now whether it is back; who is told so must ask it. */
  isProbeDue(): boolean {
    const now = this.#options.clock.now();
    if (now < this.#nextProbeAt) return false;
    this.#nextProbeAt = now + PROBE_EVERY_MS;
    return true;
  }

  /** Returns whether this is the first answer after a failure. */
  noteAnswer(operation: string): boolean {
    const wasOn = this.isOn;
    this.#failuresInRow = 0;
    this.#failing.delete(kindOf(operation));
    return wasOn;
  }

  /** @param cause the error; `undefined` for a call that took too long */
  noteFailure(operation: string, cause: unknown): void {
    this.#failuresInRow += 1;
    this.#failing.add(kindOf(operation));
    const { clock, timeoutMs } = this.#options;
    this.#cause = cause ?? new Error(`the ${operation} took longer than ${timeoutMs} ms`);
    if (this.#failuresInRow === FAILURES_TO_OPEN) this.#nextProbeAt = clock.now() + PROBE_EVERY_MS;
  }
}

function kindOf(operation: string): Kind {
  return operation === 'read' ? 'read' : 'change';
}
