import type { Clock } from '../clock.js';
import type { InProcessLevel, LevelEntry } from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { hasGrace, isFresh } from './lifetime.js';
import type { Policy } from './policy.js';

/** What {@link StaleAnswers} are made of. */
export interface StaleAnswersOptions {
  /** The level that keeps entries in their grace. */
  readonly level: InProcessLevel;
  readonly clock: Clock;
  readonly report: Report;
}

/**
 * The entries in their grace, and when they are returned in place of what a load should bring.
 *
 * Each answer looks anew at what is kept: a value that was deleted, cleared or invalidated while the
 * load ran is not there any more, and is no answer to anybody.
 */
export class StaleAnswers {
  readonly #options: StaleAnswersOptions;
  #served = 0;

  constructor(options: StaleAnswersOptions) {
    this.#options = options;
  }

  /** How many callers were answered so. */
  get served(): number {
    return this.#served;
  }

  /** What is kept of a key, fresh or stale. */
  keptOf(key: string): LevelEntry | undefined {
    return this.#options.level.peekNow(key);
  }

  /** Takes a key's entry for the answer to a caller where it is too early for another load. */
  whileThrottled(entry: LevelEntry | undefined): LevelEntry | undefined {
    if (entry?.retryAt === undefined || entry.retryAt <= this.#options.clock.now())
      return undefined;
    this.#served += 1;
    return entry;
  }

  /** Returns what there is for so many callers whose load takes long. */
  forCallers(key: string, callers: number): unknown {
    const entry = this.keptOf(key);
    if (entry === undefined || !hasGrace(entry)) return undefined;
    this.#served += callers;
    return entry.value;
  }

  /** Does the same for callers whose load has failed; notes when the next one may be tried. */
  forFailure(key: string, policy: Policy, error: unknown, callers: number): unknown {
    if (!this.#isAccepted(policy, error)) return undefined;
    const entry = this.keptOf(key);
    const { clock, level } = this.#options;
    if (policy.throttleMs > 0 && entry !== undefined && !isFresh(entry, clock)) {
      level.writeNow(key, { ...entry, retryAt: clock.now() + policy.throttleMs });
    }
    return this.forCallers(key, callers);
  }

  /** Keeps a key's entry as a stale one for as long as its grace lasts. */
  keep(key: string, entry: LevelEntry): void {
    if (!hasGrace(entry)) return;
    const freshUntil = Math.min(entry.freshUntil, this.#options.clock.now());
    const marks = { refreshAt: undefined, retryAt: undefined };
    this.#options.level.writeNow(key, { ...entry, freshUntil, ...marks });
  }

  /** A `staleOn` that throws says nothing: the loader's error is passed on. */
  #isAccepted({ staleOn }: Policy, error: unknown): boolean {
    try {
      return staleOn(error);
    } catch (cause) {
      this.#options.report({
        code: 'CACHE_STALE_ON_FAILED',
        message: 'The staleOn of a cache threw. The error that it was asked about is passed on.',
        cause,
      });
      return false;
    }
  }
}
