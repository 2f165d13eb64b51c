import type { Random } from '../support/random.js';

/** Everything that waits to be let go: loaders, grants of locks, calls of levels and their answers. */
export class HeldBack {
  readonly #random: Random;
  readonly #held: (() => void)[] = [];
  /** Whether nothing is held back and nothing fails any more. */
  isOver = false;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#held.length;
  }

  /** Runs something when it is let go. */
  add(run: () => void): void {
    if (this.isOver) run();
    else this.#held.push(run);
  }

  /** Lets any of it go. */
  letGo(): void {
    const index = this.#random.below(this.#held.length);
    const [run] = this.#held.splice(index, 1);
    run?.();
  }

  /** Whether something fails now, one time in so many. */
  mayFail(times: number): boolean {
    return !this.isOver && this.#random.below(times) === 0;
  }

  /** Settles when it is let go; what is asked for may fail then. */
  work(): Promise<void> {
    if (this.isOver) return Promise.resolve();
    const fails = this.mayFail(6);
    return new Promise((resolve, reject) => {
      this.add(fails ? () => reject(new Error('the loader failed')) : resolve);
    });
  }

  /** Holds a call of a level back twice, before it happens and before it answers; it may fail at both. */
  carry<A>(apply: () => A, answered = (): void => {}): Promise<A> {
    if (this.isOver) return Promise.resolve(apply());
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error('the level failed'));
      this.add(() => {
        if (this.mayFail(8)) {
          fail();
          return;
        }
        const answer = apply();
        const answerIt = (): void => {
          answered();
          resolve(answer);
        };
        this.add(this.mayFail(8) ? fail : answerIt);
      });
    });
  }
}
