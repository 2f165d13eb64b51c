import type { Clock } from '../clock.js';
import type { RunningLoad } from '../memory/load-request.js';

interface Waiting {
  readonly start: () => void;
}

/**
 * Lets at most so many loaders run at a time; the others wait in the order in which they came. A load
 * that the key can do without gives its slot back although its loader may still run, and what has
 * waited for long starts all the same: slots delay and never deadlock.
 */
export class LoadSlots {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #patienceMs: number;
  readonly #waiting = new Set<Waiting>();
  #free: number;

  /**
   * @param slots how many; `Infinity` for no limit
   * @param patienceMs how long a loader waits for one at most, in milliseconds
   */
  constructor(slots: number, patienceMs: number, clock: Pick<Clock, 'setTimer'>) {
    this.#free = slots;
    this.#patienceMs = patienceMs;
    this.#clock = clock;
  }

  /** How many loaders wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Returns a function that gives the slot back, once one is free or the patience ends. */
  async take(loads: readonly RunningLoad[]): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#wait(loads))) return () => {};
    return this.#lend(loads);
  }

  /** From now on there is a slot for everybody. */
  close(): void {
    this.#free = Infinity;
    for (const { start } of this.#waiting) start();
  }

  /** Settles with whether the caller got a slot that it must give back. */
  #wait(loads: readonly RunningLoad[]): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting: Waiting = { start: () => leave(true) };
      const leave = (hasSlot: boolean): void => {
        this.#waiting.delete(waiting);
        cancel();
        resolve(hasSlot);
      };
      const cancel = this.#clock.setTimer(() => leave(false), this.#patienceMs);
      this.#waiting.add(waiting);
      whenAllDetached(loads, () => leave(false));
    });
  }

  #lend(loads: readonly RunningLoad[]): () => void {
    let isLent = true;
    const giveBack = (): void => {
      if (!isLent) return;
      isLent = false;
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next.start();
    };
    whenAllDetached(loads, giveBack);
    return giveBack;
  }
}

function whenAllDetached(loads: readonly RunningLoad[], run: () => void): void {
  let attached = loads.length;
  for (const load of loads) {
    load.onDetached(() => {
      attached -= 1;
      if (attached === 0) run();
    });
  }
}
