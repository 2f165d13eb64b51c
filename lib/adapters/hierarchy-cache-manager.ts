import { EventEmitter } from 'node:events';
import { logReport } from '../config/log-report.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import type { CacheNamespace } from '../hierarchy/cache-namespace.js';
import type { CacheManagerEntry, CacheManagerEvents, RawValue } from './cache-manager-events.js';
import {
  resolveCacheManagerOptions,
  type CacheManagerOptions,
  type ResolvedCacheManagerOptions,
} from './cache-manager-options.js';
import { HierarchyStore } from './hierarchy-store.js';
import { legalKey } from './legal-key.js';
import { WrapCall, type WrapOptions } from './wrap-call.js';

/** The label that cache-manager gives to the first store. */
const STORE = 'primary';

/**
 * A hierarchy with the methods of cache-manager 7, which keeps its entries in a namespace of it.
 *
 * Whatever is read, stored or loaded here has what the hierarchy has: levels, bounds, one load for each
 * key, fencing. Times are milliseconds, 0 is for ever. `null` is a value; `undefined` is absent, and
 * storing it removes what was there.
 */
export class HierarchyCacheManager {
  /** One, over all levels. */
  readonly stores: readonly [HierarchyStore];
  readonly #store: HierarchyStore;
  readonly #entries: CacheNamespace;
  readonly #options: ResolvedCacheManagerOptions;
  readonly #events = new EventEmitter();
  /** The keys that are loaded behind their callers; each leaves when its load has ended. */
  readonly #refreshing = new Set<string>();

  /**
   * @throws {InvalidOptionsError} with everything that is wrong with the options
   * @throws {InvalidArgumentError} for a bad name of a namespace
   */
  constructor(cache: CacheHierarchy, options: CacheManagerOptions = {}) {
    this.#options = resolveCacheManagerOptions(options);
    this.#entries = cache.namespace(this.#options.namespace);
    this.#store = new HierarchyStore(this.#entries, this.#options.ttl);
    this.stores = [this.#store];
    Object.assign(this, boundMethods(this));
  }

  /** Returns the key's value, or `undefined`. Never fails. */
  async get<T>(key: string): Promise<T | undefined> {
    try {
      const value = await this.#store.get<T>(key);
      if (value !== undefined) this.#emit('get', { key, value, store: STORE });
      return value;
    } catch (error) {
      this.#emit('get', { key, error, store: STORE });
      return undefined;
    }
  }

  /** Returns the keys' values in their order, `undefined` for those that are absent. Never fails. */
  async mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    let values: (T | undefined)[] = keys.map(() => undefined);
    try {
      values = await this.#store.getMany<T>(keys);
    } catch (error) {
      this.#emit('mget', { keys, error });
    }
    this.#emit('mget', { keys, values });
    return values;
  }

  /** Returns when the key's entry expires, in milliseconds since 1970; `undefined` for never or absent. */
  async ttl(key: string): Promise<number | undefined> {
    try {
      const value = await this.#store.get(key, { raw: true });
      if (value !== undefined) this.#emit('ttl', { key, value });
      return value?.expires;
    } catch (error) {
      this.#emit('ttl', { key, error });
      return undefined;
    }
  }

  /**
   * Stores a value for `ttl` milliseconds; 0 is for ever.
   *
   * @returns the value
   * @throws {InvalidArgumentError} for a key that is not a string
   * @throws {LockTimeoutError} as {@link CacheHierarchy.set} does
   */
  async set<T>(key: string, value: T, ttl?: number): Promise<T> {
    try {
      await this.#store.set(key, value, ttl);
    } catch (error) {
      this.#emit('set', { key, value, error });
      throw error;
    }
    this.#emitSet(key, value);
    return value;
  }

  /** Stores several values. What can not be stored is left out. */
  async mset<T>(list: CacheManagerEntry<T>[]): Promise<CacheManagerEntry<T>[]> {
    const defaultTtl = this.#options.ttl;
    const entries = list.map(({ key, value, ttl }) => ({ key, value, ttl: ttl ?? defaultTtl }));
    await this.#store.setMany(entries);
    this.#emit('mset', { list: entries });
    return entries;
  }

  /**
   * Removes a key.
   *
   * @returns `true`, also where nothing was there
   * @throws {InvalidArgumentError} for a key that is not a string
   */
  async del(key: string): Promise<boolean> {
    try {
      await this.#store.delete(key);
    } catch (error) {
      this.#emit('del', { key, error });
      throw error;
    }
    this.#emit('del', { key });
    return true;
  }

  /**
   * Removes several keys.
   *
   * @returns `true`, also where nothing was there
   * @throws {InvalidArgumentError} for a key that is not a string
   */
  async mdel(keys: string[]): Promise<boolean> {
    try {
      await this.#store.deleteMany(keys);
    } catch (error) {
      this.#emit('mdel', { keys, error });
      throw error;
    }
    this.#emit('mdel', { keys });
    return true;
  }

  /** Removes everything of this provider's namespace, and nothing else of the hierarchy. */
  async clear(): Promise<boolean> {
    await this.#store.clear();
    this.#emit('clear');
    return true;
  }

  /**
   * Returns the key's value, or loads and stores it, once for all who ask meanwhile. With less than
   * `refreshThreshold` left to live it is loaded anew behind its caller.
   *
   * @throws what the loader throws, and what {@link CacheHierarchy.getOrSet} does
   */
  wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttl?: WrapOptions<T>['ttl'],
    refreshThreshold?: WrapOptions<T>['refreshThreshold'],
  ): Promise<T>;
  wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    options: WrapOptions<T> & { raw: true },
  ): Promise<RawValue<T>>;
  wrap<T>(key: string, load: () => T | Promise<T>, options: WrapOptions<T>): Promise<T>;
  async wrap<T>(
    key: string,
    load: () => T | Promise<T>,
    ttlOrOptions?: WrapOptions<T>['ttl'] | WrapOptions<T>,
    refreshThreshold?: WrapOptions<T>['refreshThreshold'],
  ): Promise<T | RawValue<T>> {
    const call = new WrapCall({ key, load, ttlOrOptions, refreshThreshold }, this.#options);
    const value = await this.#entries.getOrSet(legalKey(key), call.loader);
    if (call.hasLoaded) this.#emitSet(key, value);
    else this.#considerRefresh(call, value);
    if (!call.raw) return value;
    return { value, expires: (await this.#store.get<T>(key, { raw: true }))?.expires };
  }

  /** Has a listener hear of an event; one that throws is reported, and fails no call. */
  on<E extends keyof CacheManagerEvents>(event: E, listener: CacheManagerEvents[E]): EventEmitter {
    return this.#events.on(event, listener);
  }

  off<E extends keyof CacheManagerEvents>(event: E, listener: CacheManagerEvents[E]): EventEmitter {
    return this.#events.off(event, listener);
  }

  /** Does nothing: the application closes the hierarchy. */
  async disconnect(): Promise<undefined> {
    await this.#store.disconnect();
    return undefined;
  }

  cacheId(): string {
    return this.#options.cacheId;
  }

  /** The caller has its value already: it does not wait for what is left of its lifetime. */
  #considerRefresh<T>(call: WrapCall<T>, value: T): void {
    const thresholdMs = call.thresholdOf(value);
    if (thresholdMs !== undefined) void this.#refreshBelow(thresholdMs, call, value);
  }

  async #refreshBelow<T>(thresholdMs: number, call: WrapCall<T>, value: T): Promise<void> {
    const { key } = call;
    if (this.#refreshing.has(key)) return;
    this.#refreshing.add(key);
    try {
      const leftMs = await this.#store.freshForMs(key);
      if (leftMs === undefined || leftMs >= thresholdMs) return;
      const renewed = await this.#renew(call);
      this.#emitSet(key, renewed);
      this.#emit('refresh', { key, value: renewed });
    } catch (error) {
      this.#emit('refresh', { key, value, error });
    } finally {
      this.#refreshing.delete(key);
    }
  }

  /** What is there stays until the load has ended well; a stale value is no success. */
  #renew<T>({ key, loader }: WrapCall<T>): Promise<T> {
    const options = { forceRefresh: true, softTimeout: false, staleOn: () => false } as const;
    return this.#entries.getOrSet(legalKey(key), loader, options);
  }

  /** As cache-manager does: once for the store, once for all of them. */
  #emitSet(key: string, value: unknown): void {
    this.#emit('set', { key, value, store: STORE });
    this.#emit('set', { key, value });
  }

  #emit(event: keyof CacheManagerEvents, ...data: object[]): void {
    try {
      this.#events.emit(event, ...data);
    } catch (cause) {
      const message = `A listener of CACHE_MANAGER threw when it heard of '${event}'.`;
      logReport({ code: 'CACHE_LISTENER_FAILED', message, cause });
    }
  }
}

/** The methods of cache-manager know their cache without `this`, so that they can be taken apart. */
function boundMethods(cache: HierarchyCacheManager): Record<string, unknown> {
  const methods = cache as unknown as Record<string, (...given: unknown[]) => unknown>;
  const names = Object.getOwnPropertyNames(HierarchyCacheManager.prototype);
  return Object.fromEntries(
    names
      .filter((name) => name !== 'constructor')
      .map((name) => [name, methods[name]!.bind(cache)]),
  );
}
