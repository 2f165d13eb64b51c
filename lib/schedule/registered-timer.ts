import type { SchedulerRegistry } from '@nestjs/schedule';
import { setLongTimer } from '../clock.js';
import type { SweepTimer } from '../memory/sweeper.js';

/** What the timer of the cleanup is called in `SchedulerRegistry`. */
export const CACHE_CLEANUP_INTERVAL = 'cache-hierarchy:cleanup';

/**
 * A timer that is listed as the interval {@link CACHE_CLEANUP_INTERVAL} while it runs. Once somebody else has
 * deleted it there it does not run any more.
 */
export class RegisteredTimer implements SweepTimer {
  readonly #registry: SchedulerRegistry;
  #listed: NodeJS.Timeout | undefined;
  #isDeleted = false;

  constructor(registry: SchedulerRegistry) {
    this.#registry = registry;
  }

  get isStopped(): boolean {
    this.#isDeleted ||= this.#listed !== undefined && !this.#isThere(this.#listed);
    return this.#isDeleted;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    if (this.isStopped) return () => {};
    const cancel = setLongTimer(run, delayMs, (timeout) => this.#list(timeout));
    return () => {
      cancel();
      this.#unlist();
    };
  }

  #list(timeout: NodeJS.Timeout): void {
    this.#unlist();
    if (this.isStopped) {
      clearTimeout(timeout);
      return;
    }
    try {
      this.#registry.addInterval(CACHE_CLEANUP_INTERVAL, timeout);
    } catch (error) {
      // The application has another interval of this name: the start fails, and nothing may run after it.
      clearTimeout(timeout);
      throw error;
    }
    this.#listed = timeout;
  }

  #unlist(): void {
    if (this.#listed === undefined) return;
    if (!this.isStopped) this.#registry.deleteInterval(CACHE_CLEANUP_INTERVAL);
    this.#listed = undefined;
  }

  #isThere(timeout: NodeJS.Timeout): boolean {
    const exists = this.#registry.doesExist('interval', CACHE_CLEANUP_INTERVAL);
    return exists && this.#registry.getInterval(CACHE_CLEANUP_INTERVAL) === timeout;
  }
}
