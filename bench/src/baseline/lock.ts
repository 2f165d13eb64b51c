import { Mutex } from 'async-mutex';

/** Runs one task at a time, in the order of the calls. */
export interface Lock {
  run<T>(task: () => T | Promise<T>): Promise<T>;
  /** Whether a caller would have to wait now. */
  readonly isHeld: boolean;
}

/** The lock that most people take. */
export class AsyncMutexLock implements Lock {
  readonly #mutex = new Mutex();

  get isHeld(): boolean {
    return this.#mutex.isLocked();
  }

  run<T>(task: () => T | Promise<T>): Promise<T> {
    return this.#mutex.runExclusive(task);
  }
}

/**
 * The leanest lock that there is: each task is chained to the promise of the one before it. A free
 * lock is taken in the call.
 */
export class PromiseChainLock implements Lock {
  #last: Promise<unknown> | undefined;

  get isHeld(): boolean {
    return this.#last !== undefined;
  }

  async run<T>(task: () => T | Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = before === undefined ? start(task) : before.then(() => start(task));
    const settled = mine.then(nothing, nothing);
    this.#last = settled;
    try {
      return await mine;
    } finally {
      if (this.#last === settled) this.#last = undefined;
    }
  }
}

async function start<T>(task: () => T | Promise<T>): Promise<T> {
  return task();
}

function nothing(): void {}
