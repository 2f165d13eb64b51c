import type { Clock } from '../clock.js';
import type { Release } from './key-lock.js';
import { LoadTable } from './load-table.js';
import type { LoadRequest, RunningLoad } from './load.js';
import type { HandOver } from './shared-exclusive-lock.js';
import { ShardLockManager, type LockMetrics } from './shard-lock-manager.js';
import { TicketTable, type Ticket } from './tickets.js';

/** What a {@link KeyCoordinator} needs from the cache whose operations it orders. */
export interface KeyCoordinatorPorts {
  readonly clock: Clock;
  readonly lockTimeoutMs: number;
  readonly joinTimeoutMs: number;
  readonly handOver?: HandOver | undefined;
  /** The shard whose lock a key's operations share. */
  shardOf(key: string): number;
  /** Removes what is stored under a key, without counting it as a delete of the user's. */
  drop(key: string): void;
  /** The current order of invalidations by tag and namespace; constant in a cache without them. */
  order(): number;
  /** Whether neither the ticket's tags nor its namespaces were invalidated since it was opened. */
  admits(ticket: Ticket): boolean;
}

/** What a coordinator has seen since the start. */
export interface CoordinatorMetrics {
  /** Calls that joined another call's load. */
  readonly joins: number;
  /** Values that were not stored because their key, tag or namespace was invalidated meanwhile. */
  readonly fenced: number;
  /** Loads, sets and updates under way now. */
  readonly inFlight: number;
  readonly locks: LockMetrics;
}

/** What is asked of a key: how to load it and how to store what was loaded. */
export interface CoordinatedLoad<T> extends Omit<LoadRequest<T>, 'load'> {
  /** Calls the loader, for the ticket of this load. */
  readonly callLoader: (load: RunningLoad) => T | Promise<T>;
  readonly store: (value: T, ticket: Ticket) => void;
}

/**
 * Orders what callers do to one key, and fences it.
 *
 * Every load, set and update holds a ticket from the moment of its call. Invalidations take effect
 * in the synchronous part of their call and take the tickets of what was called before away; a
 * value is stored only in a step that finds its ticket valid. So nothing that was under way when a
 * key, a tag or everything was invalidated is stored afterwards, and a load called earlier never
 * overwrites the result of one called later. Loads hold no lock; sets and updates of one key take
 * turns, and take loads' tickets away when they store. Deletes, clears and reads wait for nothing.
 */
export class KeyCoordinator {
  readonly #ports: KeyCoordinatorPorts;
  readonly #tickets: TicketTable;
  readonly #loads: LoadTable;
  readonly #locks: ShardLockManager;
  #fenced = 0;

  constructor(ports: KeyCoordinatorPorts) {
    this.#ports = ports;
    this.#tickets = new TicketTable({
      now: () => ports.clock.now(),
      order: () => ports.order(),
      admits: (ticket) => ports.admits(ticket),
    });
    this.#loads = new LoadTable({
      clock: ports.clock,
      tickets: this.#tickets,
      joinTimeoutMs: ports.joinTimeoutMs,
    });
    this.#locks = new ShardLockManager(ports);
  }

  /** The order of the oldest operation under way: no later invalidation may be forgotten. */
  get oldestOrder(): number | undefined {
    return this.#tickets.oldestOrder;
  }

  /** Whether nothing is under way and nobody holds a lock: what is stored now needs no order. */
  get idle(): boolean {
    return this.#tickets.size === 0 && this.#locks.idle;
  }

  getMetrics(): CoordinatorMetrics {
    return {
      joins: this.#loads.joins,
      fenced: this.#fenced,
      inFlight: this.#tickets.size,
      locks: this.#locks.getMetrics(),
    };
  }

  /** Holds a whole shard still; see {@link ShardLockManager.acquireShard}. */
  acquireShard(shard: number): Promise<Release> {
    return this.#locks.acquireShard(shard);
  }

  /** Joins the key's load or starts one; see {@link LoadTable.run}. */
  load<T>(load: CoordinatedLoad<T>): Promise<T> {
    return this.#loads.run(this.#request(load));
  }

  /** Whether a load of the key is under way that others may join. */
  isLoading(key: string): boolean {
    return this.#loads.has(key);
  }

  /** Starts a load of the key that nobody waits for; see {@link LoadTable.startBehind}. */
  loadBehind<T>(load: CoordinatedLoad<T>): void {
    this.#loads.startBehind(this.#request(load));
  }

  /** Loads for this caller alone and stores nothing; see {@link LoadTable.runAlone}. */
  loadAlone<T>({ callLoader, ...request }: CoordinatedLoad<T>): Promise<T> {
    return this.#loads.runAlone<T>({
      ...request,
      load: async (load) => load.call(() => callLoader(load)),
    });
  }

  /**
   * Stores a value under the key's lock: at once when nobody holds it, else after those who came
   * before. Called before an invalidation and reached after it, it stores nothing.
   *
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   */
  set(
    key: string,
    tags: readonly string[] | undefined,
    store: (ticket: Ticket) => void,
  ): Promise<void> {
    if (this.idle || this.#locks.isFree(this.#ports.shardOf(key), key)) {
      store(this.#tickets.make(key, 'write', tags));
      this.#tickets.fenceLoads(key);
      return Promise.resolve();
    }
    return this.#locked(key, tags, (ticket) => {
      this.#storeWritten(ticket, () => store(ticket));
    });
  }

  /**
   * Runs `change` under the key's lock, in the call when nobody holds it, and stores what it
   * returns; `undefined` removes the key. Invalidated meanwhile, it is returned and not stored.
   *
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   * @throws what `change` throws; the key was deleted then
   */
  update<T>(
    key: string,
    tags: readonly string[] | undefined,
    change: () => Promise<T | undefined>,
    store: (value: T, ticket: Ticket) => void,
  ): Promise<T | undefined> {
    return this.#locked(key, tags, async (ticket) => {
      const value = await change();
      if (value === undefined) this.#dropWritten(ticket);
      else this.#storeWritten(ticket, () => store(value, ticket));
      return value;
    });
  }

  /** From now on nobody waits for a lock or loses patience with a load. */
  close(): void {
    this.#loads.close();
    this.#locks.close();
  }

  /** Takes effect at once: what was called for this key before it will not be stored. */
  fence(key: string): void {
    this.#tickets.fence(key);
  }

  /** Takes effect at once: what was called before it will not be stored, whatever its key. */
  fenceAll(): void {
    this.#tickets.fenceAll();
  }

  /** Field by field: to spread the call's would cost more than all else that a caller who joins does. */
  #request<T>(call: CoordinatedLoad<T>): LoadRequest<T> {
    return {
      key: call.key,
      tags: call.tags,
      signal: call.signal,
      waitTimeoutMs: call.waitTimeoutMs,
      forced: call.forced,
      softTimeoutMs: call.softTimeoutMs,
      hardTimeoutMs: call.hardTimeoutMs,
      fallback: call.fallback,
      recover: call.recover,
      noteFailure: call.noteFailure,
      noteTimeout: call.noteTimeout,
      stored: call.stored,
      load: async (load) => {
        const value = await load.call(() => call.callLoader(load));
        this.#storeLoaded(value, load.ticket, call.store);
        return value;
      },
    };
  }

  async #locked<R>(
    key: string,
    tags: readonly string[] | undefined,
    run: (ticket: Ticket) => R | Promise<R>,
  ): Promise<R> {
    const ticket = this.#tickets.open(key, 'write', tags);
    try {
      const shard = this.#ports.shardOf(key);
      const release =
        this.#locks.tryAcquireKey(shard, key) ?? (await this.#locks.acquireKey(shard, key));
      try {
        return await run(ticket);
      } finally {
        release();
      }
    } catch (error) {
      this.#dropWritten(ticket);
      throw error;
    } finally {
      this.#tickets.close(ticket);
    }
  }

  #storeLoaded<T>(value: T, ticket: Ticket, store: (value: T, ticket: Ticket) => void): void {
    if (value === undefined) return;
    if (!this.#tickets.isValid(ticket)) {
      this.#fenced += 1;
      return;
    }
    store(value, ticket);
    this.#tickets.fenceLoads(ticket.key, ticket.serial);
  }

  #storeWritten(ticket: Ticket, store: () => void): void {
    if (!this.#tickets.isValid(ticket)) {
      this.#fenced += 1;
      this.#dropWritten(ticket);
      return;
    }
    store();
    this.#tickets.fenceLoads(ticket.key);
  }

  /** A set or update that ends unstored leaves nothing that it was to replace, now or later. */
  #dropWritten({ key, serial }: Ticket): void {
    this.#ports.drop(key);
    this.#tickets.fenceOlder(key, serial);
  }
}
