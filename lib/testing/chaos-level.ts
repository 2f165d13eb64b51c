import type { Clock } from '../clock.js';
import type {
  Ack,
  CacheLevel,
  DeleteMode,
  LevelEntry,
  Maybe,
  WriteOutcome,
} from '../levels/cache-level.js';
import {
  changeRates,
  resolveChaosOptions,
  type ChaosOptions,
  type ChaosRates,
  type ResolvedRates,
} from './chaos-options.js';
import { randomNumbers } from './random-numbers.js';

/** What a {@link ChaosLevel} fails with. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';
}

/** What has become of the calls of a {@link ChaosLevel}. Each is counted in one of the others, if any. */
export interface ChaosCounts {
  readonly calls: number;
  readonly failedBefore: number;
  readonly failedAfter: number;
  /** Also those that `up` and `close` have failed since. */
  readonly hung: number;
}

type Fate = 'answer' | 'failBefore' | 'failAfter' | 'hang';

/**
 * A level that fails: now and then by chance, with a seed, or altogether, by a switch. It hands its
 * calls to another one, and works under a fake clock and the real one.
 *
 * It keeps the one rule that a level must keep: a write whose promise has settled does not happen later.
 */
export class ChaosLevel implements CacheLevel {
  /** The level behind it, to see what is really there. */
  readonly level: CacheLevel;
  /** The seed of its choices. */
  readonly seed: number;
  readonly #clock: Clock;
  readonly #next: () => number;
  #rates: ResolvedRates;
  #outage: 'failBefore' | 'hang' | undefined;
  /** Fails each of the calls that are delayed now, or hang. */
  readonly #delayed = new Set<() => void>();
  readonly #hanging = new Set<() => void>();
  readonly #counts = { calls: 0, failedBefore: 0, failedAfter: 0, hung: 0 };

  /** @throws {InvalidOptionsError} with everything that is wrong with the options */
  constructor(options: ChaosOptions = {}) {
    const { level, clock, seed, rates } = resolveChaosOptions(options);
    this.level = level;
    this.seed = seed;
    this.#clock = clock;
    this.#next = randomNumbers(seed);
    this.#rates = rates;
  }

  get name(): string {
    return this.level.name;
  }

  get inProcess(): boolean {
    return this.level.inProcess;
  }

  get sweepEveryMs(): number {
    return this.level.sweepEveryMs ?? Infinity;
  }

  /** What has become of its calls so far; sweeps are none. */
  get counts(): ChaosCounts {
    return { ...this.#counts };
  }

  /** Calls that are delayed, or hang, now. */
  get pending(): number {
    return this.#delayed.size + this.#hanging.size;
  }

  /**
   * Begins an outage: every call fails, or hangs. A level in this process can only fail.
   *
   * @throws {TypeError} for a level in this process that is to hang
   */
  down(how: 'fail' | 'hang' = 'fail'): void {
    if (how === 'hang' && this.inProcess)
      throw new TypeError('A level in this process answers at once: it can not hang.');
    this.#outage = how === 'hang' ? 'hang' : 'failBefore';
  }

  /** Ends the outage. The rates rule again; what hung fails now, as when a connection is lost. */
  up(): void {
    this.#outage = undefined;
    for (const fail of this.#hanging) fail();
  }

  /**
   * Changes rates; those that are left out stay.
   *
   * @throws {InvalidOptionsError} with everything that is wrong with them
   */
  set(rates: ChaosRates): void {
    this.#rates = changeRates(rates, this.#rates, this.inProcess);
  }

  readNow(key: string): LevelEntry | undefined {
    return this.#atOnce(() => this.level.readNow?.(key));
  }

  read(keys: readonly string[]): Maybe<Map<string, LevelEntry>> {
    return this.#carry(() => this.level.read(keys));
  }

  write(entries: ReadonlyMap<string, LevelEntry>): Maybe<Map<string, WriteOutcome>> {
    return this.#carry(() => this.level.write(entries));
  }

  delete(keys: readonly string[], mode?: DeleteMode): Maybe<Ack> {
    return this.#carry(() => this.level.delete(keys, mode));
  }

  invalidateTags(tags: readonly string[], mode?: Pick<DeleteMode, 'hold'>): Maybe<Ack> {
    return this.#carry(() => this.level.invalidateTags(tags, mode));
  }

  clear(namespace?: string): Maybe<Ack> {
    return this.#carry(() => this.level.clear(namespace));
  }

  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    return this.level.sweep?.(budgetMs, anew) ?? { removed: 0, more: false };
  }

  /** Fails what is delayed or hangs, and closes the level behind. */
  async close(): Promise<void> {
    for (const fail of [...this.#delayed, ...this.#hanging]) fail();
    await this.level.close();
  }

  #carry<A>(run: () => Maybe<A>): Maybe<A> {
    return this.inProcess ? this.#atOnce(run) : this.#later(run);
  }

  #atOnce<A>(run: () => A): A {
    const fate = this.#drawFate();
    if (fate === 'failBefore') this.#failBefore();
    const answer = run();
    if (fate === 'failAfter') this.#failAfter();
    return answer;
  }

  async #later<A>(run: () => Maybe<A>): Promise<A> {
    const delayMs = this.#drawDelay();
    const fate = this.#drawFate();
    if (delayMs > 0) await this.#wait(delayMs, this.#delayed);
    if (fate === 'hang') await this.#hang();
    if (fate === 'failBefore') this.#failBefore();
    const answer = await run();
    if (fate === 'failAfter') this.#failAfter();
    return answer;
  }

  #drawDelay(): number {
    const [shortest, longest] = this.#rates.delayMs;
    return shortest + (longest > shortest ? this.#next() * (longest - shortest) : 0);
  }

  /** Draws a number for each call, so that an outage does not change what comes after it. */
  #drawFate(): Fate {
    this.#counts.calls += 1;
    const { failBefore, failAfter, hang } = this.#rates;
    const drawn = this.#next();
    if (this.#outage !== undefined) return this.#outage;
    if (drawn < failBefore) return 'failBefore';
    if (drawn < failBefore + failAfter) return 'failAfter';
    return drawn < failBefore + failAfter + hang ? 'hang' : 'answer';
  }

  #hang(): Promise<void> {
    this.#counts.hung += 1;
    return this.#wait(Infinity, this.#hanging);
  }

  /** Waits that long, unless it is failed before. */
  #wait(delayMs: number, waiting: Set<() => void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.setTimer(() => {
        waiting.delete(fail);
        resolve();
      }, delayMs);
      const fail = (): void => {
        waiting.delete(fail);
        cancel();
        reject(new ChaosError('The connection was lost.'));
      };
      waiting.add(fail);
    });
  }

  #failBefore(): never {
    this.#counts.failedBefore += 1;
    throw new ChaosError('The level has failed before it had done what it was asked.');
  }

  #failAfter(): never {
    this.#counts.failedAfter += 1;
    throw new ChaosError('The level has failed after it had done what it was asked.');
  }
}
