import { InvalidArgumentError, show } from '../errors.js';
import type { Duration } from '../durations.js';
import type { BatchedLoad, LoadBatch } from './load-call.js';
import type { LoadContext } from './loader-context.js';

/** What a loader of several keys is told, and may say of all of them. */
export interface BatchLoadContext {
  /** Aborted when each key of this call was given up: its callers have left, or it has taken too long. */
  readonly signal: AbortSignal;
  /** Says how long the values live, whatever the call and the options say. */
  readonly ttl: (ttl: Duration) => void;
  /** Adds tags to those of the call. They count from the moment the load began. */
  readonly tags: (tags: string | readonly string[]) => void;
  /** Has the values returned and not stored. */
  readonly skip: () => void;
}

/** Loads several keys at once: those it finds nothing for are not in its answer. */
export type BatchLoader<T> = (
  missing: readonly string[],
  context: BatchLoadContext,
) => ReadonlyMap<string, T> | Promise<ReadonlyMap<string, T>>;

/** A key that waits for the common call. */
interface Pending<T> {
  readonly context: LoadContext;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls a loader of these loads, for those that are still wanted; `undefined` where none is. */
type RunBatch = <R>(
  loads: readonly BatchedLoad[],
  run: (wanted: readonly BatchedLoad[]) => Promise<R>,
) => Promise<R | undefined>;

/**
 * One call of a loader for many keys, as a load for each of them: callers of one key alone join
 * its load, and each key has a ticket of its own. Keys that somebody else is loading, or that a level
 * below turns out to have, or that nobody waits for any more, are not in it.
 */
export class BatchLoad<T> implements LoadBatch {
  readonly #loader: BatchLoader<T>;
  readonly #run: RunBatch;
  readonly #pending = new Map<string, Pending<T>>();
  /** The loads that began, of which each comes to its loader or ends before that. */
  readonly #loads = new Map<string, BatchedLoad>();
  readonly #onTheWay = new Set<string>();
  /** Those of them that nobody waits for: they refresh a key that has its answer already. */
  readonly #behind = new Set<string>();
  #asked = false;
  #sent = false;

  constructor(loader: BatchLoader<T>, run: RunBatch) {
    this.#loader = loader;
    this.#run = run;
  }

  /** The loader of one key. One that comes after the common call has a call of its own. */
  loaderOf(key: string): (context: LoadContext) => Promise<T> {
    return (context) =>
      new Promise<T>((resolve, reject) => {
        const pending = { context, resolve, reject };
        if (this.#sent) {
          void this.#send(new Map([[key, pending]]));
        } else {
          this.#pending.set(key, pending);
          this.#leaveWay(key);
        }
      });
  }

  began(load: BatchedLoad): void {
    this.#loads.set(load.shownKey, load);
    if (this.#sent) return;
    this.#onTheWay.add(load.shownKey);
    if (load.load.callers === 0) this.#behind.add(load.shownKey);
  }

  ended(key: string): void {
    this.#leaveWay(key);
  }

  /** Notes that a key has its answer: a load that its caller waited for does not come to its loader any more. */
  answered(key: string): void {
    if (!this.#behind.has(key)) this.#leaveWay(key);
  }

  /** Says that all keys were asked for: the loader is called when nothing is on the way any more. */
  send(): void {
    this.#asked = true;
    this.#sendIfComplete();
  }

  #leaveWay(key: string): void {
    if (this.#onTheWay.delete(key)) this.#sendIfComplete();
  }

  #sendIfComplete(): void {
    if (!this.#asked || this.#sent || this.#onTheWay.size > 0) return;
    this.#sent = true;
    if (this.#pending.size > 0) void this.#send(this.#pending);
  }

  async #send(pending: ReadonlyMap<string, Pending<T>>): Promise<void> {
    const loads = [...pending.keys()].map((key) => this.#loads.get(key)!);
    try {
      const values = await this.#run(loads, (wanted) => this.#call(wanted, pending));
      for (const [key, { resolve }] of pending) resolve(values?.get(key) as T);
    } catch (error) {
      for (const { reject } of pending.values()) reject(error);
    }
  }

  /** In the step of the call none of the keys may be asked for. */
  async #call(
    wanted: readonly BatchedLoad[],
    pending: ReadonlyMap<string, Pending<T>>,
  ): Promise<ReadonlyMap<string, T>> {
    const keys = wanted.map(({ shownKey }) => shownKey);
    const context = contextOf(keys.map((key) => pending.get(key)!.context));
    const loads = wanted.map(({ load }) => load);
    const values = await loads[0]!.call(() => this.#loader(keys, context), loads);
    if (!(values instanceof Map)) throw noMapError(values);
    return values;
  }
}

function contextOf(contexts: readonly LoadContext[]): BatchLoadContext {
  let signal: AbortSignal | undefined;
  return {
    get signal() {
      signal ??= allAborted(contexts.map((context) => context.signal));
      return signal;
    },
    ttl(ttl) {
      for (const context of contexts) context.ttl(ttl);
    },
    tags(tags) {
      for (const context of contexts) context.tags(tags);
    },
    skip() {
      for (const context of contexts) context.skip();
    },
  };
}

/** A signal that is aborted when all of these are, for the reason of the last. */
function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  let open = signals.length;
  for (const signal of signals) {
    const close = (): void => {
      open -= 1;
      if (open === 0) controller.abort(signal.reason);
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
  }
  return controller.signal;
}

function noMapError(got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `A loader of several keys must return a Map from keys to values, got ${show(got)}.`,
  );
}
