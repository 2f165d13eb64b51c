import { InvalidArgumentError, show } from '../errors.js';
import type { Duration } from '../durations.js';
import type { RunningLoad } from '../memory/load.js';
import type { LoadBatch } from './load-call.js';
import type { LoadContext } from './loader-context.js';

/** What a loader of several keys is told, and may say of all of them. */
export interface BatchLoadContext {
  /** Aborted when every caller has stopped waiting for every key of this call. */
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
  readonly key: string;
  readonly context: LoadContext;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Waits for a slot that these loads share; `undefined` where loaders need none. */
type TakeSlot = (loads: readonly RunningLoad[]) => Promise<() => void> | undefined;

/**
 * One call of a loader for many keys, as a load for each of them: callers of one key alone join
 * its load, and each key has a ticket of its own. Keys that somebody else is loading, or that a level
 * below turns out to have, are not in it.
 */
export class BatchLoad<T> implements LoadBatch {
  readonly #loader: BatchLoader<T>;
  readonly #takeSlot: TakeSlot;
  readonly #pending: Pending<T>[] = [];
  /** The loads that began, of which each comes to its loader or ends before that. */
  readonly #loads = new Map<string, RunningLoad>();
  readonly #onTheWay = new Set<string>();
  #asked = false;
  #sent = false;

  constructor(loader: BatchLoader<T>, takeSlot: TakeSlot) {
    this.#loader = loader;
    this.#takeSlot = takeSlot;
  }

  /** The loader of one key. One that comes after the common call has a call of its own. */
  loaderOf(key: string): (context: LoadContext) => Promise<T> {
    return (context) =>
      new Promise<T>((resolve, reject) => {
        const pending = { key, context, resolve, reject };
        if (this.#sent) {
          void this.#send([pending]);
        } else {
          this.#pending.push(pending);
          this.#leaveWay(key);
        }
      });
  }

  began(key: string, load: RunningLoad): void {
    this.#loads.set(key, load);
    if (!this.#sent) this.#onTheWay.add(key);
  }

  /** Notes that a key has its answer: its load, if it has one, does not come to its loader any more. */
  ended(key: string): void {
    this.#leaveWay(key);
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
    if (this.#pending.length > 0) void this.#send(this.#pending);
  }

  async #send(pending: readonly Pending<T>[]): Promise<void> {
    const loads = pending.map(({ key }) => this.#loads.get(key)!);
    const slot = this.#takeSlot(loads);
    if (slot === undefined) {
      await this.#call(pending, loads);
      return;
    }
    const giveBack = await slot;
    if (loads.some(({ signal }) => !signal.aborted)) await this.#call(pending, loads);
    else for (const [at, { reject }] of pending.entries()) reject(loads[at]!.signal.reason);
    giveBack();
  }

  /** In the step of the call none of the keys may be asked for. */
  async #call(pending: readonly Pending<T>[], loads: readonly RunningLoad[]): Promise<void> {
    try {
      const keys = pending.map(({ key }) => key);
      const context = contextOf(pending.map((one) => one.context));
      const values = await callWithin(loads, () => this.#loader(keys, context));
      if (!(values instanceof Map)) throw noMapError(values);
      for (const { key, resolve } of pending) resolve(values.get(key) as T);
    } catch (error) {
      for (const { reject } of pending) reject(error);
    }
  }
}

function callWithin<R>(loads: readonly RunningLoad[], run: () => R): R {
  for (const load of loads) load.calling = true;
  try {
    return run();
  } finally {
    for (const load of loads) load.calling = false;
  }
}

function contextOf(contexts: readonly LoadContext[]): BatchLoadContext {
  return {
    get signal() {
      return allAborted(contexts.map(({ signal }) => signal));
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
