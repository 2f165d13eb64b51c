import { hashText, parseDuration, type Duration } from 'nestjs-cache-hierarchy';

import { AsyncMutexLock, type Lock } from './lock.js';

/** Options of an {@link AsyncTTLCache}. */
export interface AsyncTTLCacheOptions {
  /** How long an entry lives, unless its own call says otherwise. */
  readonly ttl: Duration;
  /** How often expired entries are removed; only when asked, if it is left out. */
  readonly cleanupInterval?: Duration;
  readonly numShards?: number;
  /** Makes a shard's lock. @default async-mutex */
  readonly lock?: () => Lock;
}

interface Entry<V> {
  readonly value: V;
  readonly deadline: number;
}

interface Shard<V> {
  readonly entries: Map<string, Entry<V>>;
  readonly lock: Lock;
}

/** What an {@link AsyncTTLCache} has done since the start. */
export interface AsyncTTLCacheMetrics {
  readonly gets: number;
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly deletes: number;
  readonly expired: number;
  readonly size: number;
  readonly hitRatio: number;
  /** Operations that had to wait for a shard's lock. */
  readonly lockContentions: number;
  readonly cleanupDurationMs: number;
}

/**
 * The baseline of the mission's claims, frozen: a sharded cache as it is commonly written. Each
 * shard is a dictionary and a lock that reads and writes take alike; a key's shard is its hash
 * modulo their number; a clean-up scans one shard after the other, each under its lock. Its hash is
 * ours, so that what is compared is the design.
 */
export class AsyncTTLCache<V> {
  readonly #ttlMs: number;
  readonly #shards: readonly Shard<V>[];
  readonly #timer: NodeJS.Timeout | undefined;
  #hits = 0;
  #misses = 0;
  #sets = 0;
  #deletes = 0;
  #expired = 0;
  #contentions = 0;
  #cleanupMs = 0;

  constructor({ ttl, cleanupInterval, numShards = 16, lock }: AsyncTTLCacheOptions) {
    this.#ttlMs = parseDuration(ttl);
    const open = lock ?? (() => new AsyncMutexLock());
    this.#shards = Array.from({ length: numShards }, () => ({ entries: new Map(), lock: open() }));
    if (cleanupInterval !== undefined) {
      this.#timer = setInterval(() => void this.removeExpired(), parseDuration(cleanupInterval));
      this.#timer.unref();
    }
  }

  get size(): number {
    return this.#shards.reduce((sum, { entries }) => sum + entries.size, 0);
  }

  get(key: string): Promise<V | undefined> {
    return this.#locked(this.#shardOf(key), ({ entries }) => this.#read(entries, key));
  }

  set(key: string, value: V, ttl?: Duration): Promise<void> {
    const ttlMs = ttl === undefined ? this.#ttlMs : parseDuration(ttl);
    return this.#locked(this.#shardOf(key), ({ entries }) => {
      entries.set(key, { value, deadline: performance.now() + ttlMs });
      this.#sets += 1;
    });
  }

  /** Returns whether a live entry was there. */
  delete(key: string): Promise<boolean> {
    return this.#locked(this.#shardOf(key), ({ entries }) => {
      const entry = entries.get(key);
      if (!entries.delete(key)) return false;
      const isLive = entry!.deadline > performance.now();
      if (isLive) this.#deletes += 1;
      else this.#expired += 1;
      return isLive;
    });
  }

  async clear(): Promise<void> {
    for (const shard of this.#shards) await this.#locked(shard, ({ entries }) => entries.clear());
  }

  /**
   * Returns the key's value, or loads and stores it while the key's shard is locked: nobody loads
   * it a second time, and nobody reads any other key of the shard meanwhile.
   */
  getOrSetLocked(key: string, loader: () => Promise<V>): Promise<V> {
    return this.#locked(this.#shardOf(key), async ({ entries }) => {
      const found = this.#read(entries, key);
      if (found !== undefined) return found;
      const value = await loader();
      entries.set(key, { value, deadline: performance.now() + this.#ttlMs });
      this.#sets += 1;
      return value;
    });
  }

  /** Does the same with the loader outside the lock: who misses at once loads at once. */
  async getOrSet(key: string, loader: () => Promise<V>): Promise<V> {
    const found = await this.get(key);
    if (found !== undefined) return found;
    const value = await loader();
    await this.set(key, value);
    return value;
  }

  /** Removes expired entries by a full scan of each shard under its lock; returns how many. */
  async removeExpired(): Promise<number> {
    const startedAt = performance.now();
    let removed = 0;
    for (const shard of this.#shards) {
      removed += await this.#locked(shard, ({ entries }) => removeExpiredFrom(entries));
    }
    this.#expired += removed;
    this.#cleanupMs += performance.now() - startedAt;
    return removed;
  }

  getMetrics(): AsyncTTLCacheMetrics {
    const gets = this.#hits + this.#misses;
    return {
      gets,
      hits: this.#hits,
      misses: this.#misses,
      sets: this.#sets,
      deletes: this.#deletes,
      expired: this.#expired,
      size: this.size,
      hitRatio: gets === 0 ? 0 : this.#hits / gets,
      lockContentions: this.#contentions,
      cleanupDurationMs: this.#cleanupMs,
    };
  }

  /** Ends the periodic clean-up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  #shardOf(key: string): Shard<V> {
    return this.#shards[(hashText(key, 0) >>> 0) % this.#shards.length]!;
  }

  #locked<T>(shard: Shard<V>, task: (shard: Shard<V>) => T | Promise<T>): Promise<T> {
    if (shard.lock.isHeld) this.#contentions += 1;
    return shard.lock.run(() => task(shard));
  }

  #read(entries: Map<string, Entry<V>>, key: string): V | undefined {
    const entry = entries.get(key);
    if (entry !== undefined && entry.deadline > performance.now()) {
      this.#hits += 1;
      return entry.value;
    }
    this.#misses += 1;
    if (entry !== undefined && entries.delete(key)) this.#expired += 1;
    return undefined;
  }
}

function removeExpiredFrom<V>(entries: Map<string, Entry<V>>): number {
  const now = performance.now();
  let removed = 0;
  for (const [key, { deadline }] of entries) {
    if (deadline <= now && entries.delete(key)) removed += 1;
  }
  return removed;
}
