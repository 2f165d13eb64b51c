import type { LoadContext } from '../hierarchy/loader-context.js';
import type { ResolvedCacheManagerOptions } from './cache-manager-options.js';
import { storedLifetime } from './stored-lifetime.js';

/** Options of `wrap`, as in cache-manager. */
export interface WrapOptions<T> {
  /** How long the value lives, in milliseconds; 0 for ever. */
  ttl?: number | ((value: T) => number);
  /** With less than this left to live a value is loaded anew behind its caller. */
  refreshThreshold?: number | ((value: T) => number);
  /** Whether `{ value, expires }` is returned. */
  raw?: boolean;
}

/** What `wrap` is called with. */
export interface WrapArguments<T> {
  readonly key: string;
  readonly load: () => T | Promise<T>;
  readonly ttlOrOptions: WrapOptions<T>['ttl'] | WrapOptions<T>;
  readonly refreshThreshold: WrapOptions<T>['refreshThreshold'];
}

/** One call of `wrap`: its options, and the loader that the hierarchy gets. */
export class WrapCall<T> {
  readonly key: string;
  readonly raw: boolean;
  readonly #load: () => T | Promise<T>;
  readonly #options: WrapOptions<T>;
  readonly #defaults: ResolvedCacheManagerOptions;
  #hasLoaded = false;

  constructor(given: WrapArguments<T>, defaults: ResolvedCacheManagerOptions) {
    const { key, load, ttlOrOptions, refreshThreshold } = given;
    this.key = key;
    this.#load = load;
    this.#options = isOptions(ttlOrOptions)
      ? ttlOrOptions
      : { ttl: ttlOrOptions, refreshThreshold };
    this.#defaults = defaults;
    this.raw = Boolean(this.#options.raw);
  }

  /** Whether the value came from this call's loader, and not from the cache or another call. */
  get hasLoaded(): boolean {
    return this.#hasLoaded;
  }

  /** Loads, and says how long the value lives, which a function may derive from it. */
  readonly loader = async (context: LoadContext): Promise<T> => {
    const value = await this.#load();
    const lifetime = storedLifetime(callOrTake(this.#options.ttl, value), this.#defaults.ttl);
    if (lifetime !== undefined) context.ttl(lifetime);
    this.#hasLoaded = true;
    return value;
  };

  /** Returns the time left below which a value is to be refreshed; `undefined` for never. */
  thresholdOf(value: T): number | undefined {
    const threshold: unknown =
      callOrTake(this.#options.refreshThreshold, value) ?? this.#defaults.refreshThreshold;
    return typeof threshold === 'number' ? threshold : undefined;
  }
}

function isOptions<T>(given: WrapArguments<T>['ttlOrOptions']): given is WrapOptions<T> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

function callOrTake<T>(
  given: number | ((value: T) => number) | undefined,
  value: T,
): number | undefined {
  return typeof given === 'function' ? given(value) : given;
}
