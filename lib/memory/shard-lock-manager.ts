import { systemClock, type Clock } from '../clock.js';
import { KeyLock, lateMessage, type Release } from './key-lock.js';
import {
  handOverNow,
  SharedExclusiveLock,
  type HandOver,
  type LockPorts,
} from './shared-exclusive-lock.js';

/** Options of a {@link ShardLockManager}. */
export interface ShardLockManagerOptions {
  /** Longest wait for a lock, shard and key together, in milliseconds. */
  readonly lockTimeoutMs: number;
  readonly clock?: Clock;
  readonly handOver?: HandOver;
}

/** What the locks have seen since the start, and who holds or waits now. */
export interface LockMetrics {
  /** Locks taken: one for each key or whole shard. */
  readonly acquisitions: number;
  /** Callers who had to wait. */
  readonly contentions: number;
  /** How long they waited, all together, in milliseconds. */
  readonly waitMs: number;
  /** Callers who gave up waiting. */
  readonly timeouts: number;
  /** Keys that are held or waited for now. */
  readonly heldKeys: number;
  /** Who had to wait, by shard; shards after the last one that anybody waited in are left out. */
  readonly shards: readonly LockWaits[];
}

/** Who had to wait for the lock of a shard, or of a key in it. */
export interface LockWaits {
  /** Callers who had to wait. */
  readonly contentions: number;
  /** How long they waited, all together, in milliseconds. */
  readonly waitMs: number;
}

/**
 * The locks of a cache in two steps. Whoever changes a key across an `await` holds the key's shard
 * shared and the key exclusively, so other keys of the shard go on; whoever needs a shard to stand
 * still holds it exclusively, which waits for the keys in use and keeps new ones out. Every caller
 * takes the shard first: no two can wait for each other.
 *
 * A synchronous step needs no lock, and reads, deletes and clears take none.
 */
export class ShardLockManager {
  readonly #lockTimeoutMs: number;
  readonly #clock: Clock;
  readonly #ports: LockPorts;
  /** The lock of each shard that was ever asked for. */
  readonly #shards = new Map<number, SharedExclusiveLock>();
  readonly #keys: KeyLock;
  #closed = false;
  #acquisitions = 0;
  /** By shard. */
  readonly #waits: LockWaits[] = [];
  #timeouts = 0;
  /** Callers who hold or wait for a whole shard. */
  #shardCallers = 0;

  constructor(options: ShardLockManagerOptions) {
    const ports: LockPorts = {
      clock: options.clock ?? systemClock,
      handOver: options.handOver ?? handOverNow,
    };
    this.#lockTimeoutMs = options.lockTimeoutMs;
    this.#clock = ports.clock;
    this.#ports = ports;
    this.#keys = new KeyLock(ports);
  }

  /** Whether nobody holds or waits for anything. */
  get idle(): boolean {
    return this.#keys.size === 0 && this.#shardCallers === 0;
  }

  /** Whether a caller for this key would not have to wait. */
  isFree(shard: number, key: string): boolean {
    return !this.#keys.isHeld(key) && this.#lockOf(shard).sharable;
  }

  /** Takes a key, as {@link acquireKey} does, if nobody has to wait for that. */
  tryAcquireKey(shard: number, key: string): Release | undefined {
    if (!this.isFree(shard, key)) return undefined;
    const lock = this.#lockOf(shard);
    const releaseKey = this.#keys.tryAcquire(key)!;
    lock.tryAcquire('shared');
    this.#acquisitions += 1;
    return releaseBoth(releaseKey, lock);
  }

  /**
   * Takes a key: its shard shared, the key exclusively. Callers get it in the order of their calls.
   *
   * @throws {LockTimeoutError} when it is not this caller's turn within the lock timeout
   */
  acquireKey(shard: number, key: string): Promise<Release> {
    return this.#timed(shard, this.isFree(shard, key), async (deadline) => {
      const lock = this.#lockOf(shard);
      if (!lock.tryAcquire('shared')) {
        await lock.acquire('shared', this.#remainingMs(deadline), this.#lateFor(shard));
      }
      try {
        const remainingMs = this.#remainingMs(deadline);
        const releaseKey = await this.#keys.acquire(key, remainingMs, this.#lockTimeoutMs);
        return releaseBoth(releaseKey, lock);
      } catch (error) {
        lock.release('shared');
        throw error;
      }
    });
  }

  /**
   * Takes a whole shard, after the keys in use and before those that come later.
   *
   * @throws {LockTimeoutError} when it is not this caller's turn within the lock timeout
   */
  async acquireShard(shard: number): Promise<Release> {
    const lock = this.#lockOf(shard);
    this.#shardCallers += 1;
    try {
      return await this.#timed(shard, lock.idle, async (deadline) => {
        await lock.acquire('exclusive', this.#remainingMs(deadline), this.#lateFor(shard));
        return releaseOnce(() => {
          lock.release('exclusive');
          this.#shardCallers -= 1;
        });
      });
    } catch (error) {
      this.#shardCallers -= 1;
      throw error;
    }
  }

  /** Lets everybody in who waits: the cache is closed and there is nothing left to keep in order. */
  close(): void {
    this.#closed = true;
    for (const shard of this.#shards.values()) shard.open();
    this.#keys.open();
  }

  /** What the locks have seen since the start. */
  getMetrics(): LockMetrics {
    return {
      acquisitions: this.#acquisitions,
      contentions: this.#waits.reduce((sum, { contentions }) => sum + contentions, 0),
      waitMs: this.#waits.reduce((sum, { waitMs }) => sum + waitMs, 0),
      timeouts: this.#timeouts,
      heldKeys: this.#keys.size,
      shards: [...this.#waits],
    };
  }

  #lockOf(shard: number): SharedExclusiveLock {
    let lock = this.#shards.get(shard);
    if (lock === undefined) {
      lock = new SharedExclusiveLock(this.#ports);
      if (this.#closed) lock.open();
      this.#shards.set(shard, lock);
    }
    return lock;
  }

  async #timed(
    shard: number,
    free: boolean,
    take: (deadline: number) => Promise<Release>,
  ): Promise<Release> {
    const calledAt = this.#clock.now();
    try {
      const release = await take(calledAt + this.#lockTimeoutMs);
      this.#acquisitions += 1;
      return release;
    } catch (error) {
      this.#timeouts += 1;
      throw error;
    } finally {
      if (!free) this.#noteWait(shard, this.#clock.now() - calledAt);
    }
  }

  #noteWait(shard: number, ms: number): void {
    while (this.#waits.length <= shard) this.#waits.push({ contentions: 0, waitMs: 0 });
    const { contentions, waitMs } = this.#waits[shard]!;
    this.#waits[shard] = { contentions: contentions + 1, waitMs: waitMs + ms };
  }

  #lateFor(shard: number): () => string {
    return () => lateMessage(`shard ${shard}`, this.#lockTimeoutMs);
  }

  #remainingMs(deadline: number): number {
    return Math.max(0, deadline - this.#clock.now());
  }
}

function releaseBoth(releaseKey: Release, lock: SharedExclusiveLock): Release {
  return releaseOnce(() => {
    releaseKey();
    lock.release('shared');
  });
}

function releaseOnce(release: () => void): Release {
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    release();
  };
}
