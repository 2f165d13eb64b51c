import type { ShardLockManager } from './shard-lock-manager.js';
import type { Storing } from './storing.js';
import type { Ticket, TicketTable } from './tickets.js';

/** What {@link KeyWrites} need. */
export interface KeyWritesPorts {
  readonly tickets: TicketTable;
  readonly locks: ShardLockManager;
  /** The shard whose lock a key's operations share. */
  shardOf(key: string): number;
  /** Removes what is stored under a key, without counting it as a delete of the user's. */
  drop(key: string): void;
}

/**
 * Sets and updates: those of one key take turns, each under the key's lock, and take loads' tickets
 * away when they store. One that ends unstored acts as a delete.
 */
export class KeyWrites {
  readonly #ports: KeyWritesPorts;
  readonly #tickets: TicketTable;
  readonly #locks: ShardLockManager;
  #fenced = 0;

  constructor(ports: KeyWritesPorts) {
    this.#ports = ports;
    this.#tickets = ports.tickets;
    this.#locks = ports.locks;
  }

  /** Values that were not stored because their key, tag or namespace was invalidated meanwhile. */
  get fenced(): number {
    return this.#fenced;
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

  #isFree(key: string): boolean {
    return this.#locks.idle || this.#locks.isFree(this.#ports.shardOf(key), key);
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
