import type { Clock } from '../clock.js';
import type { Maybe } from '../levels/cache-level.js';
import type { ResolvedRates } from './chaos-options.js';
import { randomNumbers } from './random-numbers.js';

/** What a chaos level fails with. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';
}

/** What has become of the calls of a chaos level. Each is counted in one of the others, if any. */
export interface ChaosCounts {
  readonly calls: number;
  readonly failedBefore: number;
  readonly failedAfter: number;
  /** Also those that `up` and `close` have failed since. */
  readonly hung: number;
}

type Fate = 'answer' | 'failBefore' | 'failAfter' | 'hang';

/** Decides what becomes of the calls of a level and its scopes: by chance, or by a switch. */
export class Chaos {
  rates: ResolvedRates;
  /** What becomes of every call while it is set. */
  outage: 'failBefore' | 'hang' | undefined;
  readonly counts = { calls: 0, failedBefore: 0, failedAfter: 0, hung: 0 };
  readonly #clock: Clock;
  readonly #next: () => number;
  /** Fails each of the calls that are delayed now, or hang. */
  readonly #delayed = new Set<() => void>();
  readonly #hanging = new Set<() => void>();

  constructor(clock: Clock, seed: number, rates: ResolvedRates) {
    this.#clock = clock;
    this.#next = randomNumbers(seed);
    this.rates = rates;
  }

  /** Calls that are delayed, or hang, now. */
  get pending(): number {
    return this.#delayed.size + this.#hanging.size;
  }

  /** Carries out a call that is answered at once, or does not. */
  atOnce<A>(run: () => A): A {
    const fate = this.#drawFate();
    if (fate === 'failBefore') this.#failBefore();
    const answer = run();
    if (fate === 'failAfter') this.#failAfter();
    return answer;
  }

  /** Carries out a call that is waited for, or does not. */
  async later<A>(run: () => Maybe<A>): Promise<A> {
    const delayMs = this.#drawDelay();
    const fate = this.#drawFate();
    if (delayMs > 0) await this.#wait(delayMs, this.#delayed);
    if (fate === 'hang') await this.#wait(Infinity, this.#hanging);
    if (fate === 'failBefore') this.#failBefore();
    const answer = await run();
    if (fate === 'failAfter') this.#failAfter();
    return answer;
  }

  /** Fails what hangs. */
  failHanging(): void {
    for (const fail of this.#hanging) fail();
  }

  /** Fails what is delayed or hangs. */
  failPending(): void {
    for (const fail of [...this.#delayed, ...this.#hanging]) fail();
  }

  #drawDelay(): number {
    const [shortest, longest] = this.rates.delayMs;
    return shortest + (longest > shortest ? this.#next() * (longest - shortest) : 0);
  }

  /** Draws a number for each call, so that an outage does not change what comes after it. */
  #drawFate(): Fate {
    this.counts.calls += 1;
    const { failBefore, failAfter, hang } = this.rates;
    const drawn = this.#next();
    if (this.outage !== undefined) return this.#note(this.outage);
    if (drawn < failBefore) return 'failBefore';
    if (drawn < failBefore + failAfter) return 'failAfter';
    return this.#note(drawn < failBefore + failAfter + hang ? 'hang' : 'answer');
  }

  #note(fate: Fate): Fate {
    if (fate === 'hang') this.counts.hung += 1;
    return fate;
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
    this.counts.failedBefore += 1;
    throw new ChaosError('The level has failed before it had done what it was asked.');
  }

  #failAfter(): never {
    this.counts.failedAfter += 1;
    throw new ChaosError('The level has failed after it had done what it was asked.');
  }
}
