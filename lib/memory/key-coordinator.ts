import type { Clock } from '../clock.js';
import type { Release } from './key-lock.js';
import { LoadTable } from './load-table.js';
import type { LoadRequest, RunningLoad } from './load-request.js';
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
  /** Hears of a load whose value is not stored, since its ticket is not valid any more. */
  readonly discarded?: ((ticket: Ticket) => void) | undefined;
  /** Clock time until which nothing that begins is to be stored under the ticket's key or tags. */
  readonly heldUntil?: ((ticket: Ticket) => number) | undefined;
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

/** How a value is stored. */
export interface Storing<T> {
  /**
   * Sends it to where storing takes time, before it is stored here; settles with whether it may be.
   * Never rejects. Left out where nothing takes time.
   */
  readonly send?: ((value: T, ticket: Ticket) => Promise<boolean>) | undefined;
  /** Stores it here, in the call. */
  readonly store: (value: T, ticket: Ticket) => void;
}

/** What is asked of a key: how to load it and how to store what was loaded. */
export interface CoordinatedLoad<T> extends Omit<LoadRequest<T>, 'load'>, Storing<T> {
  /** Hears of the load that this call starts, first of all. */
  readonly began?: ((load: RunningLoad) => void) | undefined;
  /** Looks where that takes time, before the loader is called. What it finds is not stored. */
  readonly find?: ((load: RunningLoad) => Promise<T | undefined>) | undefined;
  /** Calls the loader through {@link RunningLoad.call}. */
  readonly callLoader: (load: RunningLoad) => T | Promise<T>;
  /** Hears that the load that this call started is over: found, stored, failed or discarded. */
  readonly ended?: (() => void) | undefined;
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
      heldUntil: ports.heldUntil ?? never,
    });
    this.#loads = new LoadTable({
      clock: ports.clock,
      tickets: this.#tickets,
      joinTimeoutMs: ports.joinTimeoutMs,
    });
    this.#locks = new ShardLockManager(ports);
  }

  /** The ticket of the oldest operation under way: no invalidation after it may be forgotten. */
  get oldest(): Ticket | undefined {
    return this.#tickets.oldest;
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

  /** Whether a load is under way that this one would join. */
  isLoading(load: Pick<LoadRequest<unknown>, 'key' | 'forced' | 'variant'>): boolean {
    return this.#loads.has(load);
  }

  /** Opens a ticket for what a lower level has; it must be closed. */
  openPromotion(key: string): Ticket {
    return this.#tickets.open(key, 'promotion');
  }

  closeTicket(ticket: Ticket): void {
    this.#tickets.close(ticket);
  }

  /** Whether nothing has ended a ticket: its value may be returned, if not stored. */
  stands(ticket: Ticket): boolean {
    return this.#tickets.stands(ticket);
  }

  /** Whether a ticket's value may still be stored. */
  isValid(ticket: Ticket): boolean {
    return this.#tickets.isValid(ticket);
  }

  /** Whether what is under way for a ticket may still be waited for. */
  isJoinable(ticket: Ticket): boolean {
    return this.#tickets.isJoinable(ticket);
  }

  /** Starts a load of the key that nobody waits for; see {@link LoadTable.startBehind}. */
  loadBehind<T>(load: CoordinatedLoad<T>): void {
    this.#loads.startBehind(this.#request(load));
  }

  /** Loads for this caller alone and stores nothing; see {@link LoadTable.runAlone}. */
  loadAlone<T>({ callLoader, began, ...request }: CoordinatedLoad<T>): Promise<T> {
    return this.#loads.runAlone<T>({
      ...request,
      load: async (load) => {
        began?.(load);
        return callLoader(load);
      },
    });
  }

  /**
   * Stores a value under the key's lock: at once when nobody holds it, else after those who came
   * before. Called before an invalidation and reached after it, it stores nothing.
   *
   * @throws {LockTimeoutError} when the lock was not free in time; the key was deleted then
   */
  set<V>(
    key: string,
    tags: readonly string[] | undefined,
    { value, send, store }: Storing<V> & { readonly value: V },
  ): Promise<void> {
    const isNow = send === undefined && this.#isFree(key);
    if (!isNow)
      return this.#locked(key, tags, (ticket) =>
        this.#storeWritten(value, ticket, { send, store }),
      );
    store(value, this.#tickets.make(key, 'write', tags));
    this.#tickets.fenceLoads(key);
    return Promise.resolve();
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
    storing: Storing<T>,
  ): Promise<T | undefined> {
    return this.#locked(key, tags, async (ticket) => {
      const value = await change();
      if (value === undefined) this.#dropWritten(ticket);
      else await this.#storeWritten(value, ticket, storing);
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
      variant: call.variant,
      softTimeoutMs: call.softTimeoutMs,
      hardTimeoutMs: call.hardTimeoutMs,
      fallback: call.fallback,
      recover: call.recover,
      noteFailure: call.noteFailure,
      noteTimeout: call.noteTimeout,
      stored: call.stored,
      load: async (load) => {
        call.began?.(load);
        if (call.ended === undefined) return this.#carryOut(load, call);
        try {
          return await this.#carryOut(load, call);
        } finally {
          call.ended();
        }
      },
    };
  }

  async #carryOut<T>(load: RunningLoad, call: CoordinatedLoad<T>): Promise<T> {
    const found = call.find === undefined ? undefined : await call.find(load);
    if (found !== undefined) return found;
    load.throwIfAborted();
    const value = await call.callLoader(load);
    if (call.send === undefined) this.#storeLoaded(value, load.ticket, call.store);
    else await this.#sendLoaded(value, load, call);
    return value;
  }

  #isFree(key: string): boolean {
    return this.idle || this.#locks.isFree(this.#ports.shardOf(key), key);
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

  /** Sends what was loaded down the levels first; whoever has no time to wait for that gets it now. */
  async #sendLoaded<T>(value: T, load: RunningLoad, { send, store }: Storing<T>): Promise<void> {
    const { ticket } = load;
    load.brought = { value };
    if (value === undefined) return;
    if (!this.#tickets.isValid(ticket)) {
      this.#discard(ticket);
      return;
    }
    // From here on it may reach a level, so nothing that was called earlier may follow it there.
    this.#tickets.fenceLoads(ticket.key, ticket.serial);
    if (await send!(value, ticket)) this.#storeLoaded(value, ticket, store);
    else this.#discard(ticket);
  }

  #storeLoaded<T>(value: T, ticket: Ticket, store: Storing<T>['store']): void {
    if (value === undefined) return;
    if (!this.#tickets.isValid(ticket)) {
      this.#discard(ticket);
      return;
    }
    store(value, ticket);
    this.#tickets.fenceLoads(ticket.key, ticket.serial);
  }

  #discard(ticket: Ticket): void {
    this.#fenced += 1;
    this.#ports.discarded?.(ticket);
  }

  #storeWritten<T>(value: T, ticket: Ticket, { send, store }: Storing<T>): Promise<void> | void {
    if (send !== undefined && this.#tickets.isValid(ticket))
      return this.#sendWritten(value, ticket, { send, store });
    this.#finishWritten(value, ticket, store);
  }

  async #sendWritten<T>(
    value: T,
    ticket: Ticket,
    { send, store }: Required<Storing<T>>,
  ): Promise<void> {
    const wrote = this.#tickets.beginWriting(ticket);
    await send(value, ticket);
    wrote();
    this.#finishWritten(value, ticket, store);
  }

  #finishWritten<T>(value: T, ticket: Ticket, store: Storing<T>['store']): void {
    if (!this.#tickets.isValid(ticket)) {
      this.#fenced += 1;
      this.#dropWritten(ticket);
      return;
    }
    store(value, ticket);
    this.#tickets.fenceLoads(ticket.key);
  }

  /** A set or update that ends unstored leaves nothing that it was to replace, now or later. */
  #dropWritten({ key, serial }: Ticket): void {
    this.#ports.drop(key);
    this.#tickets.fenceOlder(key, serial);
  }
}

function never(): number {
  return -Infinity;
}
