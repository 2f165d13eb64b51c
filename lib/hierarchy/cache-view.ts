import type { LevelEntry } from '../levels/cache-level.js';
import { assertLoader, assertValue } from '../memory/cache-arguments.js';
import {
  assertKey,
  DEFAULT_MAX_KEY_LENGTH,
  keyProblem,
  NAMESPACE_SEPARATOR,
} from '../memory/cache-key.js';
import { BatchLoad, type BatchLoader } from './batch-load.js';
import {
  planLoad,
  planStore,
  readDelete,
  readHold,
  refuseOptions,
  type DeleteOptions,
  type HoldOptions,
  type LoadOptions,
  type StoreOptions,
  type StorePlan,
} from './call-options.js';
import type { HierarchyCore } from './hierarchy-core.js';
import type { InspectedEntry } from './inspected-entry.js';
import { confirm } from './key-invalidation.js';
import { planLoadCall, type LoadCall, type OwnLoad } from './load-call.js';
import type { LoadContext } from './loader-context.js';
import type { SkippedLevels } from './skipped-levels.js';
import { assertKeys, entriesOf, foundOf, settleAll, uniqueKeys } from './many-keys.js';
import { readCount, warmUp, type WarmOptions, type WarmProgress } from './warm-up.js';

/** Names what this library does with a cache and nobody else. */
export const GET_OR_SET_NOW = Symbol('getOrSetNow');
export const READ_KEPT = Symbol('readKept');

/**
 * The keys of a cache, or of one of its namespaces, and what can be done with them.
 *
 * Values are handed out as they were given, by reference, unless `isolation` says otherwise.
 * `undefined` means absent and is never stored; `null` is a value, and a hit. After the cache is
 * closed, reads go to the loader, writes do nothing and nothing throws.
 */
export abstract class CacheView {
  readonly #core: HierarchyCore;
  /** The namespaces of this view, each followed by the separator. */
  readonly #prefix: string;

  /** @internal */
  constructor(core: HierarchyCore, prefix: string) {
    this.#core = core;
    this.#prefix = prefix;
  }

  /** Whether anything is cached: `false` where `enabled` is, and once the cache is closed. */
  get active(): boolean {
    return !this.#core.off;
  }

  /**
   * Returns the key's value, or `undefined` if it is absent or expired. Waits for no load.
   *
   * @throws {InvalidArgumentError} for a key that is not a string
   */
  async get<T = unknown>(key: string): Promise<T | undefined> {
    const value = this.#read(key);
    if (value !== undefined || !this.#core.hasLower) return value as T | undefined;
    return this.#readLower(key) as Promise<T | undefined>;
  }

  /** Does what {@link get} does, synchronously, over the in-process levels. */
  getIfPresent<T = unknown>(key: string): T | undefined {
    const value = this.#read(key);
    if (value === undefined) this.#core.noteNotPresent(this.#prefix + key);
    return value as T | undefined;
  }

  /** Returns the key's value as the in-process levels have it; moves and counts nothing. */
  peek<T = unknown>(key: string): T | undefined {
    return this.#isOwn(key) ? (this.#core.peek(this.#prefix + key) as T | undefined) : undefined;
  }

  /** Tells whether an in-process level has a value for the key; moves and counts nothing. */
  has(key: string): boolean {
    return this.peek(key) !== undefined;
  }

  /**
   * Tells what each level has of a key, from the first level on: also a stale value that no read would
   * return. Moves nothing in this process and counts no hit and no miss; levels outside it are read.
   *
   * @throws {InvalidArgumentError} for a bad key
   */
  async inspect(key: string): Promise<readonly InspectedEntry[]> {
    assertKey(key);
    return this.#core.inspect(this.#prefix + key);
  }

  /**
   * Returns the key's value, or loads and stores it.
   *
   * The loader runs once, however many callers ask meanwhile. What it throws reaches every one of
   * them as the same object, and nothing is stored, unless a stale value in its grace stands in for
   * it; `undefined` is returned and not stored. If the key, a tag or everything is invalidated while it
   * runs, its value is returned to those who wait and stored nowhere, and the next caller loads anew.
   *
   * @example
   * const place = await cache.getOrSet('place:1', () => database.findPlace(1), { ttl: '5m', tags: 'places' });
   *
   * @throws what the loader throws
   * @throws {LoadTimeoutError} after `waitTimeout` or `hardTimeout`, or when loads of other callers did
   * not settle
   * @throws {InvalidArgumentError} for a bad key or option, or when the loader asks for its own key at once
   */
  getOrSet<T>(
    key: string,
    loader: (context: LoadContext) => T | Promise<T>,
    options?: LoadOptions,
  ): Promise<T> {
    try {
      const value = readsPlainly(options) ? this.#readKept(key) : undefined;
      if (value !== undefined) return Promise.resolve(value as T);
      return Promise.resolve(this.#readOrLoad(key, { loader, batch: undefined }, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Returns what most hits of {@link getOrSet} find, and counts the hit; `undefined` asks for that. Who has to
   * make a loader for the call need not make it before.
   *
   * @internal
   */
  [READ_KEPT](key: string): unknown {
    return this.#readKept(key);
  }

  /**
   * Does what {@link getOrSet} does, and returns a value that is there as it is, with no promise around it.
   *
   * @internal
   */
  [GET_OR_SET_NOW]<T>(
    key: string,
    loader: (context: LoadContext) => T | Promise<T>,
    options?: LoadOptions,
  ): T | Promise<T> {
    const value = readsPlainly(options) ? this.#readKept(key) : undefined;
    if (value !== undefined) return value as T;
    return this.#readOrLoad(key, { loader, batch: undefined }, options);
  }

  /**
   * Stores a value in every level. Takes effect in the call when nobody holds the key's lock, else
   * after those who came before, and where there are levels outside this process when those have
   * answered; a `delete`, `clear` or invalidation called meanwhile wins.
   *
   * @throws {InvalidArgumentError} for a bad key or option, or `undefined` as the value
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   */
  async set(key: string, value: unknown, options?: StoreOptions): Promise<void> {
    assertKey(key);
    assertValue(value);
    await this.#core.set(this.#prefix + key, value, this.#planStore(options));
  }

  /**
   * Removes a key from every level. Takes effect in the call: what was being loaded, set or
   * updated for it is not stored. A lower level that does not answer in time is not asked for the key
   * before it has carried this out.
   *
   * @returns whether an in-process level had a value for it
   * @throws {InvalidArgumentError} for a bad key or option
   * @throws {CacheLevelError} with `require: 'remote'`, where a lower level has not carried it out yet
   */
  async delete(key: string, options?: DeleteOptions): Promise<boolean> {
    assertKey(key);
    const holdMs = readDelete(options);
    const [existed] = await confirm(
      [this.#core.invalidations.delete(this.#prefix + key, holdMs)],
      options?.require,
    );
    return existed!;
  }

  /**
   * Ends a key's freshness in every level, in the call. Like {@link delete} it keeps what was being
   * loaded, set or updated from being stored; but an entry that was stored with `grace` is kept as a
   * stale value for as long as that lasts, for when its loader fails or takes long.
   *
   * @returns whether an in-process level had a value for it
   * @throws {InvalidArgumentError} for a bad key or option
   */
  async expire(key: string, options?: HoldOptions): Promise<boolean> {
    assertKey(key);
    const holdMs = readHold(options);
    const [existed] = await confirm([this.#core.invalidations.expire(this.#prefix + key, holdMs)]);
    return existed!;
  }

  /**
   * Replaces a value by what `change` makes of it, while no other `set` or `update` of the key runs
   * in this process. `change` gets `undefined` for an absent key; returning `undefined` removes the
   * key. Lifetime and tags start again from the options. Invalidated meanwhile, the new value is
   * returned and not stored.
   *
   * @returns what `change` returned
   * @throws what `change` throws; the key was deleted then
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   * @throws {InvalidArgumentError} for a bad key or option
   */
  async update<T>(
    key: string,
    change: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    options?: StoreOptions,
  ): Promise<T | undefined> {
    assertKey(key);
    assertLoader(change);
    return this.#core.update(this.#prefix + key, change, this.#planStore(options));
  }

  /** Returns the values of those keys that have one, in the order of `keys`. */
  async getMany<T = unknown>(keys: Iterable<string>): Promise<Map<string, T>> {
    const checked = uniqueKeys(keys);
    const values = checked.map((key) => this.#read(key));
    if (this.#core.hasLower) {
      const answers = checked.map(async (key, at) =>
        values[at] === undefined ? this.#readLower(key) : values[at],
      );
      return foundOf(checked, (await Promise.all(answers)) as T[]);
    }
    return foundOf(checked, values as T[]);
  }

  /**
   * Returns the values of several keys, and loads those that are missing in one call of the loader,
   * which gets their list and returns a `Map` of what it found. A key that somebody else is loading is
   * waited for and not in the list, and whoever asks for one of these keys alone joins its load. Keys
   * that the loader leaves out are absent, and not cached.
   *
   * @example
   * const places = await cache.getOrSetMany(['1', '2'], (missing) => database.findPlaces(missing));
   *
   * @returns the values found, in the order of `keys`
   * @throws what the loader throws, when all keys are settled
   * @throws {LoadTimeoutError} as {@link getOrSet} does, for any of the keys
   * @throws {InvalidArgumentError} for a bad key or option, or a loader that returns no `Map`
   */
  async getOrSetMany<T>(
    keys: Iterable<string>,
    loader: BatchLoader<T>,
    options?: LoadOptions,
  ): Promise<Map<string, T>> {
    const checked = uniqueKeys(keys);
    for (const key of checked) assertKey(key);
    assertLoader(loader);
    planLoad(options, this.#core.policy);
    const batch = new BatchLoad<T>(loader, (loads, run) => this.#core.runBatch(loads, run));
    const answers = checked.map((key) => {
      const own = { loader: batch.loaderOf(key), batch };
      const answer = Promise.resolve(this.#readOrLoad<T>(key, own, options));
      const answered = (): void => batch.answered(key);
      answer.then(answered, answered);
      return answer;
    });
    batch.send();
    return foundOf(checked, await settleAll(answers));
  }

  /**
   * Loads what is missing of many keys, batch by batch: before an application takes requests, or after
   * a large change. A batch that fails is counted and the others go on. Where nothing is cached it does
   * nothing, and once the cache is closed it ends with what was done.
   *
   * @returns how many keys were seen to, have a value now, and failed
   * @throws {InvalidArgumentError} for a bad option or loader, or keys that are none
   * @throws the signal's reason once it is aborted
   */
  async warm<T>(
    keys: Iterable<string> | AsyncIterable<string>,
    loader: BatchLoader<T>,
    options: WarmOptions = {},
  ): Promise<WarmProgress> {
    const { batchSize, concurrency, onProgress, ...load } = options;
    assertLoader(loader);
    planLoad(load, this.#core.policy);
    assertKeys(keys);
    const plan = {
      keys: this.active ? keys : [],
      batchSize: readCount('batchSize', batchSize, 100, 10_000),
      concurrency: readCount('concurrency', concurrency, 4, 1_024),
      signal: load.signal,
      isWanted: () => this.active,
      onProgress,
      load: async (batch: readonly string[]) => (await this.getOrSetMany(batch, loader, load)).size,
    };
    return warmUp(plan);
  }

  /**
   * Stores several values with the same options. All of them are checked before one is stored.
   *
   * @throws {InvalidArgumentError} for a bad key, value or option; nothing was stored then
   * @throws {LockTimeoutError} when a key's lock was not free in time; that key was deleted then
   */
  async setMany(
    entries: Iterable<readonly [key: string, value: unknown]>,
    options?: StoreOptions,
  ): Promise<void> {
    const plan = this.#planStore(options);
    const checked = entriesOf(entries);
    for (const [key, value] of checked) {
      assertKey(key);
      assertValue(value);
    }
    await settleAll(
      [...checked].map(([key, value]) => this.#core.set(this.#prefix + key, value, plan)),
    );
  }

  /**
   * Removes several keys; see {@link delete}.
   *
   * @returns how many of them had a value in an in-process level
   * @throws {InvalidArgumentError} for a bad key or option; nothing was removed then
   * @throws {CacheLevelError} with `require: 'remote'`, where a lower level has not removed all of them yet
   */
  async deleteMany(keys: Iterable<string>, options?: DeleteOptions): Promise<number> {
    const holdMs = readDelete(options);
    const checked = uniqueKeys(keys);
    for (const key of checked) assertKey(key);
    const deleted = checked.map((key) =>
      this.#core.invalidations.delete(this.#prefix + key, holdMs),
    );
    return (await confirm(deleted, options?.require)).filter(Boolean).length;
  }

  /**
   * Removes every key of this view, and of the namespaces inside it. Takes effect in the call.
   * Clearing a namespace takes the same time however much it holds.
   */
  clear(): Promise<void>;
  async clear(options?: object): Promise<void> {
    refuseOptions(options);
    await this.#core.invalidations.clear(this.#prefix);
  }

  #read(key: string): unknown {
    const value = this.#readKept(key);
    return value === undefined ? this.#core.handOut(this.#readEntry(key)?.value) : value;
  }

  /**
   * Returns what a hit in L1 finds that is not to be refreshed or moved by it, and counts the hit. What is
   * in a namespace is not plain, so no key reaches into one by that.
   */
  #readKept(key: string): unknown {
    if (typeof key !== 'string') assertKey(key);
    const value = this.#prefix === '' ? this.#core.readPlain(key) : undefined;
    if (value !== undefined) return value;
    return this.#isOwn(key) ? this.#core.readStamped(this.#prefix + key) : undefined;
  }

  #readEntry(key: string, skip?: SkippedLevels): LevelEntry | undefined {
    return this.#isOwn(key) ? this.#core.read(this.#prefix + key, skip) : undefined;
  }

  async #readLower(key: string): Promise<unknown> {
    if (!this.#isOwn(key)) return undefined;
    if (keyProblem(key, DEFAULT_MAX_KEY_LENGTH) !== undefined) {
      // Nothing can be stored under it, and a level need not be able to ask for it.
      this.#core.noteNotPresent(this.#prefix + key);
      return undefined;
    }
    return this.#core.handOut((await this.#core.readLower(this.#prefix + key))?.value);
  }

  /** No key reaches into a namespace by holding the separator. */
  #isOwn(key: string): boolean {
    if (typeof key !== 'string') assertKey(key);
    return !key.includes(NAMESPACE_SEPARATOR);
  }

  #readOrLoad<T>(key: string, own: OwnLoad<T>, options: LoadOptions | undefined): T | Promise<T> {
    // What is not plain is checked before anything is read.
    const call = readsPlainly(options) ? undefined : this.#loadCall(key, own, options);
    if (call?.forced === true) {
      this.#core.noteMiss(call.key);
      return this.#core.load(call);
    }
    const entry = this.#readEntry(key, call?.plan.skip);
    if (entry === undefined) return this.#core.load(call ?? this.#loadCall(key, own, options));
    if (options?.eager !== false)
      this.#core.refreshIfDue(entry, () => call ?? this.#loadCall(key, own, options));
    return this.#core.handOut(entry.value as T);
  }

  #loadCall<T>(key: string, own: OwnLoad<T>, options: LoadOptions | undefined): LoadCall<T> {
    return planLoadCall({ key, prefix: this.#prefix, own, options, defaults: this.#core });
  }

  #planStore(options: StoreOptions | undefined): StorePlan {
    return planStore(options, this.#core.policy);
  }
}

/** Whether every level is read: what else the options say need not be looked at before that. */
export function readsPlainly(options: LoadOptions | undefined): boolean {
  // What is no object is refused where it is looked at.
  if (options === undefined || options === null) return true;
  const forced: unknown = options.forceRefresh;
  return (forced === undefined || forced === false) && options.skip === undefined;
}
