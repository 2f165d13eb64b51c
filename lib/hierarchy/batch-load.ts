import { InvalidArgumentError, show } from '../errors.js';
import type { Duration } from '../durations.js';
import type { RunningLoad } from '../memory/load.js';
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

/**
 * One call of a loader for many keys, as a load for each of them: callers of one key alone join
 * its load, and each key has a ticket of its own. Keys that somebody else is loading are not in it.
 */
export class BatchLoad<T> {
  readonly #loader: BatchLoader<T>;
  readonly #pending: Pending<T>[] = [];
  readonly #loads: RunningLoad[] = [];
  #sent = false;

  constructor(loader: BatchLoader<T>) {
    this.#loader = loader;
  }

  /** The loader of one key. One that starts after the common call has a call of its own. */
  loaderOf(key: string): (context: LoadContext) => Promise<T> {
    return (context) =>
      new Promise<T>((resolve, reject) => {
        const pending = { key, context, resolve, reject };
        if (this.#sent) void this.#call([pending]);
        else this.#pending.push(pending);
      });
  }

  /** Notes the load of a key, before its loader is called. */
  began(load: RunningLoad): void {
    if (!this.#sent) this.#loads.push(load);
  }

  /** Calls the loader for all keys that wait for it; none of them may be asked for in that step. */
  send(): void {
    this.#sent = true;
    if (this.#pending.length === 0) return;
    for (const load of this.#loads) load.calling = true;
    void this.#call(this.#pending);
    for (const load of this.#loads) load.calling = false;
  }

  async #call(pending: readonly Pending<T>[]): Promise<void> {
    try {
      const keys = pending.map(({ key }) => key);
      const context = contextOf(pending.map((one) => one.context));
      const values = await this.#loader(keys, context);
      if (!(values instanceof Map)) throw noMapError(values);
      for (const { key, resolve } of pending) resolve(values.get(key) as T);
    } catch (error) {
      for (const { reject } of pending) reject(error);
    }
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
