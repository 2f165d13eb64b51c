import type { Sweepable } from '../../lib/memory/sweeper.js';
import type { VirtualClock } from './virtual-clock.js';

/** Something to sweep that needs a number of slices for it, and notes what it is given. */
export class FakeSweepable implements Sweepable {
  /** The budget of each slice so far. */
  readonly budgets: number[] = [];
  /** When each sweep began. */
  readonly startedAt: number[] = [];
  /** How many slices a sweep takes; each removes one entry. */
  slices = 1;
  /** How long each slice takes, in milliseconds. */
  sliceMs = 0;
  #left = 0;

  constructor(
    readonly name: string,
    readonly sweepEveryMs: number,
    private readonly clock: VirtualClock,
  ) {}

  sweep(budgetMs: number, anew: boolean): { readonly removed: number; readonly more: boolean } {
    this.budgets.push(budgetMs);
    if (anew) {
      this.#left = this.slices;
      this.startedAt.push(this.clock.now());
    }
    this.clock.block(this.sliceMs);
    this.#left -= 1;
    return { removed: 1, more: this.#left > 0 };
  }
}
