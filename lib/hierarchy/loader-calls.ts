import type { Clock } from '../clock.js';
import type { LevelEntry } from '../levels/cache-level.js';
import type { RunningLoad } from '../memory/load.js';
import type { CacheEvents } from './cache-events.js';
import type { LoadCall } from './load-call.js';
import { LoadSlots } from './load-slots.js';
import { HierarchyLoaderContext, NOT_MODIFIED } from './loader-context.js';

/** What {@link LoaderCalls} are made of. */
export interface LoaderCallsPorts {
  readonly clock: Clock;
  readonly maxConcurrentLoads: number;
  readonly joinTimeoutMs: number;
  readonly events: CacheEvents;
  /** What is kept of a key that a load is to replace, as the loader is shown it. */
  staleOf(key: string): LevelEntry | undefined;
}

/** Calls loaders, at most so many at a time, and counts what they come to. */
export class LoaderCalls {
  readonly #ports: LoaderCallsPorts;
  /** `undefined` where loaders need none. */
  readonly #slots: LoadSlots | undefined;
  #loads = 0;
  #failures = 0;
  #busyMs = 0;

  constructor(ports: LoaderCallsPorts) {
    const { maxConcurrentLoads, joinTimeoutMs, clock } = ports;
    this.#ports = ports;
    if (maxConcurrentLoads !== Infinity)
      this.#slots = new LoadSlots(maxConcurrentLoads, joinTimeoutMs, clock);
  }

  getMetrics(): { loads: number; loadFailures: number; loadMs: number; waitingLoads: number } {
    return {
      loads: this.#loads,
      loadFailures: this.#failures,
      loadMs: this.#busyMs,
      waitingLoads: this.#slots?.waiting ?? 0,
    };
  }

  /** Waits for a slot that these loads share; `undefined` where there is no limit. */
  takeSlot(loads: readonly RunningLoad[]): Promise<() => void> | undefined {
    return this.#slots?.take(loads);
  }

  /** Calls a loader, within the call where it has no slot to wait for. */
  async run<T>(call: LoadCall<T>, load: RunningLoad): Promise<T> {
    const needsSlot = call.batch === undefined && !call.slotless;
    const slot = needsSlot ? this.takeSlot([load]) : undefined;
    if (slot === undefined) return this.#run(call, load);
    const giveBack = await slot;
    try {
      load.throwIfAborted();
      return await this.#run(call, load);
    } finally {
      giveBack();
    }
  }

  async #run<T>({ loader, plan, key, shownKey }: LoadCall<T>, load: RunningLoad): Promise<T> {
    const { clock } = this.#ports;
    const startedAt = clock.now();
    // Looked at when this load begins, which can be long after the call: its ticket answers for it.
    const stale = this.#ports.staleOf(key);
    const context = new HierarchyLoaderContext(load, { shownKey, plan, stale });
    this.#loads += 1;
    this.#ports.events.loadStarted(key);
    try {
      const value = await load.call(() => loader(context));
      return (value as unknown) === NOT_MODIFIED ? (stale!.value as T) : value;
    } catch (error) {
      this.#failures += 1;
      this.#ports.events.loadFailed(key, error);
      throw error;
    } finally {
      plan.loadMs = clock.now() - startedAt;
      this.#busyMs += plan.loadMs;
    }
  }
}
