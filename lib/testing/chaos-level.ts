import type {
  Ack,
  CacheLevel,
  DeleteMode,
  LevelEntry,
  Maybe,
  WriteOutcome,
} from '../levels/cache-level.js';
import { Chaos, type ChaosCounts } from './chaos.js';
import {
  changeRates,
  resolveChaosOptions,
  type ChaosOptions,
  type ChaosRates,
} from './chaos-options.js';

/** The calls of a level, of which chaos decides what becomes. */
class DisturbedLevel implements CacheLevel {
  /** The level behind it, to see what is really there. */
  readonly level: CacheLevel;
  /** As the level behind it has it, if it has one; what disturbs this level disturbs its scopes. */
  readonly scope?: (name: string) => CacheLevel;
  readonly #chaos: Chaos;

  constructor(level: CacheLevel, chaos: Chaos) {
    this.level = level;
    this.#chaos = chaos;
    if (typeof level.scope === 'function')
      this.scope = (name) => new DisturbedLevel(level.scope!(name), chaos);
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

  readNow(key: string): LevelEntry | undefined {
    return this.#chaos.atOnce(() => this.level.readNow?.(key));
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
    this.#chaos.failPending();
    await this.level.close();
  }

  #carry<A>(run: () => Maybe<A>): Maybe<A> {
    return this.inProcess ? this.#chaos.atOnce(run) : this.#chaos.later(run);
  }
}

/**
 * A level that fails: now and then by chance, with a seed, or altogether, by a switch. It hands its
 * calls to another one, and works under a fake clock and the real one.
 *
 * It keeps the one rule that a level must keep: a write whose promise has settled does not happen later.
 */
export class ChaosLevel extends DisturbedLevel {
  /** The seed of its choices. */
  readonly seed: number;
  readonly #chaos: Chaos;

  /** @throws {InvalidOptionsError} with everything that is wrong with the options */
  constructor(options: ChaosOptions = {}) {
    const { level, clock, seed, rates } = resolveChaosOptions(options);
    const chaos = new Chaos(clock, seed, rates);
    super(level, chaos);
    this.seed = seed;
    this.#chaos = chaos;
  }

  /** What has become of its calls so far; sweeps are none. */
  get counts(): ChaosCounts {
    return { ...this.#chaos.counts };
  }

  /** Calls that are delayed, or hang, now. */
  get pending(): number {
    return this.#chaos.pending;
  }

  /**
   * Begins an outage: every call fails, or hangs. A level in this process can only fail.
   *
   * @throws {TypeError} for a level in this process that is to hang
   */
  down(how: 'fail' | 'hang' = 'fail'): void {
    if (how === 'hang' && this.inProcess)
      throw new TypeError('A level in this process answers at once: it can not hang.');
    this.#chaos.outage = how === 'hang' ? 'hang' : 'failBefore';
  }

  /** Ends the outage. The rates rule again; what hung fails now, as when a connection is lost. */
  up(): void {
    this.#chaos.outage = undefined;
    this.#chaos.failHanging();
  }

  /**
   * Changes rates; those that are left out stay.
   *
   * @throws {InvalidOptionsError} with everything that is wrong with them
   */
  set(rates: ChaosRates): void {
    this.#chaos.rates = changeRates(rates, this.#chaos.rates, this.inProcess);
  }
}
