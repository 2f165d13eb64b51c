import type { Duration } from '../durations.js';

/** What a loader is told, and may say. */
export interface CacheLoadContext {
  /** The key to load, as the caller gave it. */
  readonly key: string;
  /** Aborted when every caller has stopped waiting for this load, or it has taken too long. */
  readonly signal: AbortSignal;
  /**
   * Says how long this value lives, whatever the call and the options say. With 0 or less it is
   * returned and not stored.
   */
  readonly ttl: (ttl: Duration) => void;
}

/** A loader's context whose signal is made when it is asked for: most loaders never do. */
export class LoaderContext implements CacheLoadContext {
  readonly #load: { readonly signal: AbortSignal };

  constructor(
    load: { readonly signal: AbortSignal },
    readonly key: string,
    readonly ttl: (ttl: Duration) => void,
  ) {
    this.#load = load;
  }

  get signal(): AbortSignal {
    return this.#load.signal;
  }
}
