import type { Release } from '../../lib/memory/key-lock.js';

/** What the checks of a key lock need of it. */
export interface TestedKeyLock {
  readonly size: number;
  acquire(key: string, timeoutMs?: number): Promise<Release>;
}

/**
 * A key lock with the classic fault: its release removes the map's entry although the next caller
 * was just handed the lock, so that a third one finds no lock and enters beside the second.
 */
export class ForgetfulKeyLock implements TestedKeyLock {
  readonly #queues = new Map<string, (() => void)[]>();

  get size(): number {
    return this.#queues.size;
  }

  async acquire(key: string): Promise<Release> {
    const queue = this.#queues.get(key);
    if (queue === undefined) return this.#enter(key, []);
    await new Promise<void>((resolve) => queue.push(resolve));
    return this.#releaseOf(key, queue);
  }

  #enter(key: string, queue: (() => void)[]): Release {
    this.#queues.set(key, queue);
    return this.#releaseOf(key, queue);
  }

  #releaseOf(key: string, queue: (() => void)[]): Release {
    return () => {
      queue.shift()?.();
      this.#queues.delete(key);
    };
  }
}
