import { AsyncLocalStorage } from 'node:async_hooks';

/** The keys of the loaders within which something runs, the innermost first. */
interface Chain {
  readonly key: string;
  readonly outer: Chain | undefined;
}

/** So often a key's loader may run within itself: the second can be another one, which brings a value. */
const MAX_RUNS = 2;

/**
 * Finds keys whose loaders wait for one another in a circle, once loads have had to be replaced.
 *
 * Joining keeps most circles small, but loads that are replaced while others of the circle wait, for a
 * slot or because their loaders take long, can call loaders on and on. So while watched every loader
 * knows within which others it runs, and none runs a third time within itself: of n keys no chain is
 * longer than 2n, so what a call leads to ends. Who runs within whom is the asynchronous context.
 * Keeping one makes every promise of a process slower on Node 20 and 22, so none is entered before
 * the first replacement, and none is kept when there have been no more for long and no load is under
 * way.
 */
export class LoadChains {
  readonly #now: () => number;
  #storage: AsyncLocalStorage<Chain> | undefined;
  #watchMs: number;
  #watchedUntil = -Infinity;

  /**
   * @param watchMs how long calls are watched after the last replacement at least, in milliseconds; each
   *   time for twice as long, or a circle slower than that would begin anew again and again
   */
  constructor(now: () => number, watchMs: number) {
    this.#now = now;
    this.#watchMs = watchMs;
  }

  /** From now on loaders know within which others they are called. */
  watch(): void {
    this.#storage ??= new AsyncLocalStorage();
    this.#watchedUntil = this.#now() + this.#watchMs;
  }

  /** Hears that no load is under way: what is known can be forgotten if it was watched for long enough. */
  rest(): void {
    if (this.#storage === undefined || this.#now() < this.#watchedUntil) return;
    this.forget();
    this.#watchMs *= 2;
  }

  /** Watches no more. */
  forget(): void {
    this.#storage?.disable();
    this.#storage = undefined;
  }

  /** Whether a load of the key that is asked for now would be one too many within itself. */
  isCircle(key: string): boolean {
    if (this.#storage === undefined) return false;
    let runs = 0;
    for (let at = this.#storage.getStore(); at !== undefined; at = at.outer)
      if (at.key === key) runs += 1;
    return runs >= MAX_RUNS;
  }

  /** Calls a loader of these keys. */
  run<R>(keys: () => readonly string[], loader: () => R): R {
    if (this.#storage === undefined) return loader();
    let chain = this.#storage.getStore();
    for (const key of keys()) chain = { key, outer: chain };
    return this.#storage.run(chain!, loader);
  }
}
