import type { Clock } from '../clock.js';
import { LockTimeoutError } from '../errors.js';

/** `shared` holders go together; an `exclusive` holder is alone. */
export type LockMode = 'shared' | 'exclusive';

/**
 * Runs a grant, which resolves the promise of the caller whose turn it is. The lock is the caller's
 * before this is called: running it later delays that caller and lets nobody else in.
 */
export type HandOver = (grant: () => void) => void;

/** What a lock needs from its surroundings. */
export interface LockPorts {
  readonly clock: Clock;
  readonly handOver: HandOver;
}

/** Resolves the waiter's promise in the step that freed the lock. */
export const handOverNow: HandOver = (grant) => grant();

interface Waiter {
  readonly mode: LockMode;
  readonly grant: () => void;
}

/**
 * A first-in, first-out lock. Whoever waits keeps those behind it waiting, so an exclusive caller is
 * not starved by a stream of shared ones. A release passes the lock on in the same step: it is
 * never free while somebody waits who could hold it, so a newcomer can not slip in between.
 */
export class SharedExclusiveLock {
  readonly #ports: LockPorts;
  #shared = 0;
  #exclusive = false;
  #open = false;
  readonly #waiters = new Set<Waiter>();

  constructor(ports: LockPorts) {
    this.#ports = ports;
  }

  /** Whether nobody holds it and nobody waits for it. */
  get idle(): boolean {
    return this.#shared === 0 && !this.#exclusive && this.#waiters.size === 0;
  }

  /** Whether a shared caller would not have to wait. */
  get sharable(): boolean {
    return !this.#exclusive && this.#waiters.size === 0;
  }

  /** Takes the lock if nobody has to wait for that; returns whether it did. */
  tryAcquire(mode: LockMode): boolean {
    if (this.#waiters.size > 0 || !this.#fits(mode)) return false;
    this.#take(mode);
    return true;
  }

  /**
   * Takes the lock, after those who came before.
   *
   * @param late says in the error what was not free
   * @throws {LockTimeoutError} when it is not this caller's turn within `timeoutMs`
   */
  acquire(mode: LockMode, timeoutMs: number, late: () => string): Promise<void> {
    if (this.tryAcquire(mode)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        mode,
        grant: () => {
          cancelTimer();
          this.#ports.handOver(resolve);
        },
      };
      const cancelTimer = this.#ports.clock.setTimer(() => {
        this.#waiters.delete(waiter);
        reject(new LockTimeoutError(late()));
        this.#passOn();
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** Lets everybody in, now and from now on: what the lock kept in order is gone. */
  open(): void {
    this.#open = true;
    this.#shared = 0;
    this.#exclusive = false;
    this.#passOn();
  }

  /** Gives up one hold of the lock and passes it on. */
  release(mode: LockMode): void {
    if (this.#open) return;
    if (mode === 'shared') this.#shared -= 1;
    else this.#exclusive = false;
    this.#passOn();
  }

  #fits(mode: LockMode): boolean {
    return !this.#exclusive && (mode === 'shared' || this.#shared === 0);
  }

  #take(mode: LockMode): void {
    if (this.#open) return;
    if (mode === 'shared') this.#shared += 1;
    else this.#exclusive = true;
  }

  #passOn(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.mode)) return;
      this.#waiters.delete(waiter);
      this.#take(waiter.mode);
      waiter.grant();
    }
  }
}
