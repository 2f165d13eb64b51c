import { systemClock } from '../clock.js';
import { showKey } from './cache-key.js';
import { handOverNow, SharedExclusiveLock, type LockPorts } from './shared-exclusive-lock.js';

/** Gives a lock back; a second call does nothing. */
export type Release = () => void;

/**
 * One exclusive lock for each key, first in, first out. A key's lock exists only while somebody
 * holds it or waits for it: it is removed by the release that leaves neither, so a third caller
 * can not be let in beside a second one who was just handed the lock.
 */
export class KeyLock {
  readonly #ports: LockPorts;
  readonly #locks = new Map<string, SharedExclusiveLock>();

  /**
   * @param ports.clock times the waits; the process's clock by default
   * @param ports.handOver when the next caller's promise is resolved; at once by default
   */
  constructor(ports: Partial<LockPorts> = {}) {
    this.#ports = { clock: systemClock, handOver: handOverNow, ...ports };
  }

  /** How many keys are held or waited for. */
  get size(): number {
    return this.#locks.size;
  }

  /** Whether somebody holds the key's lock. */
  isHeld(key: string): boolean {
    return this.#locks.has(key);
  }

  /** Takes the key's lock if it is free. */
  tryAcquire(key: string): Release | undefined {
    return this.#locks.has(key) ? undefined : this.#takeNew(key);
  }

  /**
   * Takes the key's lock after those who came before.
   *
   * @param limitMs the whole wait that `timeoutMs` is left of, for the error
   * @throws {LockTimeoutError} when it is not this caller's turn within `timeoutMs`
   */
  async acquire(key: string, timeoutMs = Infinity, limitMs = timeoutMs): Promise<Release> {
    const lock = this.#locks.get(key);
    if (lock === undefined) return this.#takeNew(key);
    await lock.acquire('exclusive', timeoutMs, () => lateMessage(`key ${showKey(key)}`, limitMs));
    return this.#releaseOf(key, lock);
  }

  /** Lets everybody in who waits: what the locks kept in order is gone. */
  open(): void {
    for (const lock of this.#locks.values()) lock.open();
    this.#locks.clear();
  }

  #takeNew(key: string): Release {
    const lock = new SharedExclusiveLock(this.#ports);
    lock.tryAcquire('exclusive');
    this.#locks.set(key, lock);
    return this.#releaseOf(key, lock);
  }

  #releaseOf(key: string, lock: SharedExclusiveLock): Release {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      lock.release('exclusive');
      if (lock.idle && this.#locks.get(key) === lock) this.#locks.delete(key);
    };
  }
}

/** What a caller is told who waited in vain. */
export function lateMessage(what: string, limitMs: number): string {
  return `The lock of ${what} was not free within ${limitMs} ms.`;
}
