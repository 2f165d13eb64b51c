import type { Clock } from '../clock.js';
import type { Release } from './key-lock.js';
import { KeyLoads, type CoordinatedLoad } from './key-loads.js';
import { KeyWrites } from './key-writes.js';
import type { LoadWish } from './load-request.js';
import type { HandOver } from './shared-exclusive-lock.js';
import { ShardLockManager, type LockMetrics } from './shard-lock-manager.js';
import type { Storing } from './storing.js';
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
  readonly #tickets: TicketTable;
  readonly #locks: ShardLockManager;
  readonly #loads: KeyLoads;
  readonly #writes: KeyWrites;

  constructor(ports: KeyCoordinatorPorts) {
    this.#tickets = new TicketTable({
      now: () => ports.clock.now(),
      order: () => ports.order(),
      admits: (ticket) => ports.admits(ticket),
      heldUntil: ports.heldUntil ?? never,
    });
    this.#locks = new ShardLockManager(ports);
    this.#loads = new KeyLoads({ ...ports, tickets: this.#tickets });
    this.#writes = new KeyWrites({
      tickets: this.#tickets,
      locks: this.#locks,
      shardOf: (key) => ports.shardOf(key),
      drop: (key) => ports.drop(key),
    });
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
      fenced: this.#loads.fenced + this.#writes.fenced,
      inFlight: this.#tickets.size,
      locks: this.#locks.getMetrics(),
    };
  }

  /** Holds a whole shard still; see {@link ShardLockManager.acquireShard}. */
  acquireShard(shard: number): Promise<Release> {
    return this.#locks.acquireShard(shard);
  }

  /** Joins the key's load or starts one; see {@link KeyLoads.load}. */
  load<T>(load: CoordinatedLoad<T>): Promise<T> {
    return this.#loads.load(load);
  }

  /** Whether a load is under way that this one would join. */
  isLoading(wish: LoadWish): boolean {
    return this.#loads.isLoading(wish);
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

  /** Starts a load of the key that nobody waits for; see {@link KeyLoads.loadBehind}. */
  loadBehind<T>(load: CoordinatedLoad<T>): void {
    this.#loads.loadBehind(load);
  }

  /** Loads for this caller alone and stores nothing; see {@link KeyLoads.loadAlone}. */
  loadAlone<T>(load: CoordinatedLoad<T>): Promise<T> {
    return this.#loads.loadAlone(load);
  }

  /** Stores a value under the key's lock; see {@link KeyWrites.set}. */
  set<V>(
    key: string,
    tags: readonly string[] | undefined,
    written: Storing<V> & { readonly value: V },
  ): Promise<void> {
    return this.#writes.set(key, tags, written);
  }

  /** Replaces a value under the key's lock; see {@link KeyWrites.update}. */
  update<T>(
    key: string,
    tags: readonly string[] | undefined,
    change: () => Promise<T | undefined>,
    storing: Storing<T>,
  ): Promise<T | undefined> {
    return this.#writes.update(key, tags, change, storing);
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
}

function never(): number {
  return -Infinity;
}
