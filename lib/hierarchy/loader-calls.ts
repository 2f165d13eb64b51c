import type { Clock } from '../clock.js';
import type { LevelEntry } from '../levels/cache-level.js';
import type { RunningLoad } from '../memory/load-request.js';
import type { CacheEvents } from './cache-events.js';
import type { CallTracing } from './call-tracing.js';
import type { BatchedLoad, LoadCall } from './load-call.js';
import { LatencyHistogram, type LatencyMetrics } from './latency-histogram.js';
import { LoadSlots } from './load-slots.js';
import { HierarchyLoaderContext, NOT_MODIFIED } from './loader-context.js';

/** What {@link LoaderCalls} are made of. */
export interface LoaderCallsPorts {
  readonly clock: Clock;
  readonly maxConcurrentLoads: number;
  readonly joinTimeoutMs: number;
  readonly events: CacheEvents;
  readonly tracing: CallTracing;
  /** What is kept of a key that a load is to replace. */
  staleOf(key: string): LevelEntry | undefined;
  /** Returns what a loader is shown of a value that is kept. */
  handOut(value: unknown): unknown;
}

/** Calls loaders, at most so many at a time, and counts what they come to. */
export class LoaderCalls {
  readonly #ports: LoaderCallsPorts;
  /** `undefined` where loaders need none. */
  readonly #slots: LoadSlots | undefined;
  #loads = 0;
  #failures = 0;
  readonly #times = new LatencyHistogram();

  constructor(ports: LoaderCallsPorts) {
    const { maxConcurrentLoads, joinTimeoutMs, clock } = ports;
    this.#ports = ports;
    if (maxConcurrentLoads !== Infinity)
      this.#slots = new LoadSlots(maxConcurrentLoads, joinTimeoutMs, clock);
  }

  getMetrics(): {
    loads: number;
    loadFailures: number;
    loadMs: number;
    loadTimes: LatencyMetrics;
    waitingLoads: number;
  } {
    const loadTimes = this.#times.getMetrics();
    return {
      loads: this.#loads,
      loadFailures: this.#failures,
      loadMs: loadTimes.sumMs,
      loadTimes,
      waitingLoads: this.#slots?.waiting ?? 0,
    };
  }

  /** Calls a loader of many keys, for those of them that are still wanted when it has a slot. */
  async runBatch<R>(
    loads: readonly BatchedLoad[],
    run: (wanted: readonly BatchedLoad[]) => Promise<R>,
  ): Promise<R | undefined> {
    const slot = this.#slots?.take(loads.map(({ load }) => load));
    const giveBack = slot === undefined ? undefined : await slot;
    try {
      const wanted = loads.filter(({ load }) => !load.aborted);
      return wanted.length === 0 ? undefined : await this.#count(wanted, () => run(wanted));
    } finally {
      giveBack?.();
    }
  }

  /** From now on no loader waits for a slot. */
  close(): void {
    this.#slots?.close();
  }

  /** Calls a loader, within the call where it has no slot to wait for. */
  async run<T>(call: LoadCall<T>, load: RunningLoad): Promise<T> {
    if (call.batch !== undefined) return this.#run(call, load);
    const { key, plan } = call;
    const slot = call.slotless ? undefined : this.#slots?.take([load]);
    if (slot === undefined) return this.#count([{ key, plan }], () => this.#run(call, load));
    const giveBack = await slot;
    try {
      load.throwIfAborted();
      return await this.#count([{ key, plan }], () => this.#run(call, load));
    } finally {
      giveBack();
    }
  }

  async #run<T>({ loader, plan, key, shownKey }: LoadCall<T>, load: RunningLoad): Promise<T> {
    // Looked at when this load begins, which can be long after the call: its ticket answers for it.
    const kept = this.#ports.staleOf(key);
    const stale = kept && { ...kept, value: this.#ports.handOut(kept.value) };
    const context = new HierarchyLoaderContext(load, { shownKey, plan, stale });
    const value = await load.call(() => loader(context));
    return (value as unknown) === NOT_MODIFIED ? (kept!.value as T) : value;
  }

  /** Counts a call of a loader, for each of its keys, and the time that it takes. */
  async #count<R>(loads: readonly CountedLoad[], run: () => Promise<R>): Promise<R> {
    const { clock, events, tracing } = this.#ports;
    const startedAt = clock.now();
    this.#loads += loads.length;
    for (const { key } of loads) events.loadStarted(key);
    try {
      return await tracing.load(loads, run);
    } catch (error) {
      this.#failures += loads.length;
      for (const { key } of loads) events.loadFailed(key, error);
      throw error;
    } finally {
      const loadMs = clock.now() - startedAt;
      this.#times.note(loadMs);
      for (const { plan } of loads) plan.loadMs = loadMs;
    }
  }
}

type CountedLoad = Pick<BatchedLoad, 'key' | 'plan'>;
