import { EventEmitter } from 'node:events';
import type { CacheNamespace } from '../hierarchy/cache-namespace.js';
import type { CacheManagerEntry, RawValue } from './cache-manager-events.js';
import { legalKey } from './legal-key.js';
import { storedLifetime } from './stored-lifetime.js';

/**
 * A namespace of a hierarchy with the methods of a Keyv store, the one element of `stores`. Any string is
 * a key. Lifetimes are milliseconds; 0 is for ever.
 */
export class HierarchyStore extends EventEmitter {
  readonly #entries: CacheNamespace;

  /** @param ttl how long an entry lives whose call says nothing; the hierarchy's `ttl` if `undefined` */
  constructor(
    entries: CacheNamespace,
    readonly ttl: number | undefined,
  ) {
    super();
    this.#entries = entries;
  }

  /** The name of the namespace. */
  get namespace(): string {
    return this.#entries.path.join('.');
  }

  /** Returns a key's value, with `raw` beside the time at which it expires. */
  get<T>(key: string): Promise<T | undefined>;
  get<T>(key: string, options: { raw: true }): Promise<RawValue<T> | undefined>;
  async get<T>(key: string, options?: { raw?: boolean }): Promise<T | RawValue<T> | undefined> {
    return options?.raw === true ? this.#getRaw<T>(key) : this.#entries.get<T>(legalKey(key));
  }

  /** Returns the keys' values in their order, `undefined` for those that are absent. */
  async getMany<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    const legal = keys.map(legalKey);
    const found = await this.#entries.getMany<T>(legal);
    return legal.map((key) => found.get(key));
  }

  /** Stores a value; `undefined` removes what was there. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const legal = legalKey(key);
    const lifetime = storedLifetime(ttl, this.ttl);
    const isStored = value !== undefined && (lifetime === undefined || lifetime > 0);
    if (!isStored) await this.#entries.delete(legal);
    else await this.#entries.set(legal, value, lifetime === undefined ? {} : { ttl: lifetime });
    return true;
  }

  /** Stores several values; tells of each whether it was. */
  async setMany(list: readonly CacheManagerEntry<unknown>[]): Promise<boolean[]> {
    const sets = list.map(({ key, value, ttl }) => this.set(key, value, ttl));
    const settled = await Promise.allSettled(sets);
    return settled.map(({ status }) => status === 'fulfilled');
  }

  /** Removes a key; tells whether it was there, in this process. */
  async delete(key: string): Promise<boolean> {
    return this.#entries.delete(legalKey(key));
  }

  /** Removes several keys; tells whether all of them were there, in this process. */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    return (await this.#entries.deleteMany(keys.map(legalKey))) === new Set(keys).size;
  }

  async has(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined;
  }

  hasMany(keys: readonly string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.has(key)));
  }

  /** Removes everything of the namespace, and nothing else of the hierarchy. */
  async clear(): Promise<void> {
    this.emit('clear');
    await this.#entries.clear();
  }

  /** Does nothing but tell its listeners: the application closes the hierarchy. */
  async disconnect(): Promise<void> {
    this.emit('disconnect');
  }

  /** Returns for how many milliseconds a level still has an entry; `undefined` if none has it. */
  async freshForMs(key: string): Promise<number | undefined> {
    return (await this.#freshest(key))?.freshForMs;
  }

  async #getRaw<T>(key: string): Promise<RawValue<T> | undefined> {
    const entry = await this.#freshest(key);
    return entry && { value: entry.value as T, expires: expiryIn(entry.freshForMs) };
  }

  /** A level keeps its copy for its own time; the last one knows how long the entry lives. */
  async #freshest(key: string): Promise<{ value: unknown; freshForMs: number } | undefined> {
    const entries = await this.#entries.inspect(legalKey(key));
    const fresh = entries.filter(({ stale }) => !stale);
    if (fresh.length === 0) return undefined;
    const freshForMs = Math.max(...fresh.map((entry) => entry.freshForMs));
    return { value: fresh[0]!.value, freshForMs };
  }
}

function expiryIn(milliseconds: number): number | undefined {
  return milliseconds === Infinity ? undefined : Math.round(Date.now() + milliseconds);
}
