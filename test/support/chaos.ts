import type { Clock } from '../../lib/clock.js';
import type { Carrier, Garbler } from './held-level.js';
import type { Random } from './random.js';

/** How a level takes what it is asked: as it should, in any way, or never answering. */
export type Mood = 'healthy' | 'wild' | 'dead';

/** What becomes of one call of a level outside this process, and how often in a hundred. */
const FATES = [
  [55, 'answers'],
  [10, 'answers after a while'],
  [4, 'throws'],
  [4, 'rejects before it is done'],
  [4, 'rejects after it is done'],
  [3, 'never answers'],
  [3, 'is done and never answers'],
  [6, 'is done late'],
  [4, 'is done late and rejects'],
  [7, 'answers with nonsense'],
] as const;

/** A value that no caller may ever see. */
export const NONSENSE = 'nonsense';

/** Makes levels fail in every way that a level can fail in, as a seed says. */
export class Chaos {
  mood: Mood = 'wild';
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  /** @param timeoutMs how long the hierarchy waits for an answer */
  constructor(random: Random, clock: Clock, timeoutMs: number) {
    this.#random = random;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether a level in this process throws now. */
  readonly mayFail = (): boolean => this.mood !== 'healthy' && this.#random.below(12) === 0;

  /** Carries a call of a level in this process out, or answers with nonsense. */
  readonly garble: Garbler = <A>(operation: string, apply: () => A): A => {
    if (this.mood === 'healthy' || this.#random.below(15) > 0) return apply();
    if (this.#random.below(2) === 0) apply();
    return this.#nonsense(operation) as A;
  };

  /** Carries a call of a level outside this process out, or does not. */
  readonly carry: Carrier = <A>(operation: string, apply: () => A): Promise<A> => {
    if (this.mood === 'healthy') return Promise.resolve(apply());
    if (this.mood === 'dead') return never();
    const fail = (): never => {
      throw new Error('the level failed');
    };
    const applyAndFail = (): never => (apply(), fail());
    switch (this.#random.weighted(FATES)) {
      case 'answers':
        return Promise.resolve(apply());
      case 'answers after a while':
        return this.#after(this.#random.below(this.#timeoutMs), apply);
      case 'throws':
        return fail();
      case 'rejects before it is done':
        return this.#after(0, fail);
      case 'rejects after it is done':
        return this.#after(0, applyAndFail);
      case 'never answers':
        return never();
      case 'is done and never answers':
        return (apply(), never());
      case 'is done late':
        return this.#after(this.#late, apply);
      case 'is done late and rejects':
        return this.#after(this.#late, applyAndFail);
      default:
        if (this.#random.below(2) === 0) apply();
        return Promise.resolve(this.#nonsense(operation) as A);
    }
  };

  get #late(): number {
    return this.#timeoutMs + this.#random.below(3 * this.#timeoutMs);
  }

  #after<A>(ms: number, run: () => A): Promise<A> {
    return new Promise<void>((resolve) => this.#clock.setTimer(resolve, ms)).then(run);
  }

  #nonsense(operation: string): unknown {
    const [name, keys = ''] = operation.split(' ');
    const entry = this.#random.pick(this.#entries());
    const others = [undefined, null, NONSENSE, 7, {}, [], new Map([[NONSENSE, NONSENSE]])];
    if (name === 'readNow') return this.#random.pick([entry, entry, ...others]);
    if (name !== 'read') return this.#random.pick(others);
    const answers = new Map(keys.split(',').map((key) => [key, entry]));
    return this.#random.pick([answers, answers, ...others]);
  }

  /** Entries that are none. */
  #entries(): unknown[] {
    const now = this.#clock.now();
    const [value, freshUntil, staleUntil] = [NONSENSE, now + 1_000, now + 2_000];
    return [
      { value },
      { value, freshUntil },
      { value, staleUntil },
      { value, bornAt: now },
      { value, freshUntil: Number.NaN, staleUntil: Number.NaN },
      { value, freshUntil: null, staleUntil: null },
      { value, freshUntil: 7n, staleUntil: 8n },
      { value, freshUntil: 'soon', staleUntil: 'soon' },
      { value, freshUntil: staleUntil, staleUntil: freshUntil },
      { value, freshUntil, staleUntil, tags: 'red' },
      { value, freshUntil, staleUntil, tags: 7 },
      { value, freshUntil, staleUntil, tags: [Symbol('red'), null] },
      { freshUntil, staleUntil },
    ];
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
