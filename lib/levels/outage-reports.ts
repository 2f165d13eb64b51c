import type { Clock } from '../clock.js';
import type { Report } from '../report.js';

/** What {@link OutageReports} are made of. */
export interface OutageReportsOptions {
  /** The level's name. */
  readonly name: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly report: Report;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** What becomes of failures. */
  readonly failuresAre: string;
}

/** Reports are so far apart at least; and where nothing has failed for so long, an outage is over. */
const REPORT_EVERY_MS = 60_000;

/**
 * Tells an operator of outages, once of each, and once a minute at most: a level that fails and answers by turns
 * is one line a minute in the log. An outage that begins within the minute is reported after it, if it lasts.
 */
export class OutageReports {
  readonly #options: OutageReportsOptions;
  #isOn = false;
  #isTold = false;
  #lastFailureAt = -Infinity;
  #toldAt = -Infinity;
  /** How many have begun since the last report. */
  #begun = 0;

  constructor(options: OutageReportsOptions) {
    this.#options = options;
  }

  /** @param cause the error; `undefined` for a call that took too long */
  noteFailure(operation: string, cause: unknown): void {
    const now = this.#options.clock.now();
    const isQuiet = now - this.#lastFailureAt >= REPORT_EVERY_MS;
    this.#lastFailureAt = now;
    if (!this.#isOn || isQuiet) {
      this.#isOn = true;
      this.#isTold = false;
      this.#begun += 1;
    }
    if (this.#isTold || now - this.#toldAt < REPORT_EVERY_MS) return;
    this.#isTold = true;
    this.#toldAt = now;
    this.#report(operation, cause);
    this.#begun = 0;
  }

  /** All that has failed was answered again. */
  noteEnd(): void {
    this.#isOn = false;
  }

  #report(operation: string, cause: unknown): void {
    const { name, report, timeoutMs, failuresAre } = this.#options;
    const what = cause === undefined ? `took longer than ${timeoutMs} ms` : 'ended in an error';
    const others = this.#begun - 1;
    const before =
      others === 0
        ? ''
        : ` Since the last report it had failed and answered again ${others} times.`;
    report({
      code: 'CACHE_LEVEL_DOWN',
      message:
        `Level ${name} failed: its ${operation} ${what}. Until it answers again its failures are ` +
        `${failuresAre}; they are counted and not reported.${before}`,
      cause,
    });
  }
}
