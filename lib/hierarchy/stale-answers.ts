import type { Clock } from '../clock.js';
import { hasGrace, type InProcessLevel, type LevelEntry } from '../levels/cache-level.js';
import type { Report } from '../report.js';
import { isFresh } from './lifetime.js';
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
  #reported = false;

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

  /** Returns the answer to so many callers where it is too early for another load. */
  whileThrottled(key: string, callers: number): unknown {
    const entry = this.keptOf(key);
    if (entry?.retryAt === undefined || entry.retryAt <= this.#options.clock.now())
      return undefined;
    this.#served += callers;
    return entry.value;
  }

  /**
   * Returns what there is for so many callers whose load takes long: an entry in its grace, or one that
   * was stored meanwhile; not for those who force a load while there is a fresh one.
   */
  forCallers(key: string, callers: number, forced: boolean): unknown {
    const entry = this.keptOf(key);
    if (entry === undefined || !hasGrace(entry)) return undefined;
    if (forced && isFresh(entry, this.#options.clock)) return undefined;
    this.#served += callers;
    return entry.value;
  }

  /** Does the same for callers whose load has failed. */
  forFailure(
    key: string,
    staleOn: Policy['staleOn'],
    error: unknown,
    callers: number,
    forced: boolean,
  ): unknown {
    return this.#isAccepted(staleOn, error) ? this.forCallers(key, callers, forced) : undefined;
  }

  /** Throttles a key after a load has failed, if a stale value stands in for this error. */
  noteFailure(key: string, staleOn: Policy['staleOn'], error: unknown, throttleMs: number): void {
    if (throttleMs > 0 && this.#isAccepted(staleOn, error)) this.throttle(key, throttleMs);
  }

  /** Lets no load of a key be tried for a while if there is a stale value. */
  throttle(key: string, throttleMs: number): void {
    const { clock, level } = this.#options;
    const entry = this.keptOf(key);
    if (throttleMs === 0 || entry === undefined || isFresh(entry, clock)) return;
    level.writeNow(key, { ...entry, retryAt: clock.now() + throttleMs });
  }

  /** Keeps a key's entry as a stale one for as long as its grace lasts. */
  keep(key: string, entry: LevelEntry): void {
    if (!hasGrace(entry)) return;
    const marks = { freshUntil: -Infinity, refreshAt: undefined, retryAt: undefined };
    this.#options.level.writeNow(key, { ...entry, ...marks });
  }

  /** A `staleOn` that throws says nothing: the loader's error is passed on. */
  #isAccepted(staleOn: Policy['staleOn'], error: unknown): boolean {
    try {
      return staleOn(error);
    } catch (cause) {
      this.#reportOnce(cause);
      return false;
    }
  }

  #reportOnce(cause: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#options.report({
      code: 'CACHE_STALE_ON_FAILED',
      message:
        'The staleOn of a cache threw. The errors that it is asked about are passed on; later ones ' +
        'like this are not reported.',
      cause,
    });
  }
}
