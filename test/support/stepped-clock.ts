import { VirtualClock } from './virtual-clock.js';

/** A clock whose turns of the event loop are taken one at a time. */
export class SteppedClock extends VirtualClock {
  #immediates: (() => void)[] = [];
  #holding = false;

  override get pending(): number {
    return super.pending + this.#immediates.length;
  }

  override setImmediate(run: () => void): () => void {
    this.#immediates.push(run);
    return () => {
      this.#immediates = this.#immediates.filter((other) => other !== run);
    };
  }

  /** Runs what is due in the next turn, and nothing that this adds. */
  turnOnce(): void {
    const batch = [...this.#immediates];
    for (const run of batch) {
      if (!this.#immediates.includes(run)) continue;
      this.#immediates = this.#immediates.filter((other) => other !== run);
      run();
    }
  }

  /** Moves time on and runs the timers on the way, but no turn of the event loop. */
  async advanceWithoutTurns(ms: number): Promise<void> {
    this.#holding = true;
    await this.advance(ms);
    this.#holding = false;
  }

  override async turn(): Promise<void> {
    await super.turn();
    while (!this.#holding && this.#immediates.length > 0) {
      this.turnOnce();
      await super.turn();
    }
  }
}
