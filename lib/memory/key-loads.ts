import type { Clock } from '../clock.js';
import { LoadTable } from './load-table.js';
import type { LoadRequest, LoadWish, RunningLoad } from './load-request.js';
import type { Storing } from './storing.js';
import type { Ticket, TicketTable } from './tickets.js';

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

/** What {@link KeyLoads} need. */
export interface KeyLoadsPorts {
  readonly clock: Clock;
  readonly tickets: TicketTable;
  readonly joinTimeoutMs: number;
  /** Hears of a load whose value is not stored, since its ticket is not valid any more. */
  readonly discarded?: ((ticket: Ticket) => void) | undefined;
}

/**
 * Loads: one for each key at a time, which looks for the value, calls the loader and stores what that
 * brought, if the load's ticket is valid then. They hold no lock.
 */
export class KeyLoads {
  readonly #ports: KeyLoadsPorts;
  readonly #tickets: TicketTable;
  readonly #table: LoadTable;
  #fenced = 0;

  constructor(ports: KeyLoadsPorts) {
    this.#ports = ports;
    this.#tickets = ports.tickets;
    this.#table = new LoadTable(ports);
  }

  /** Calls that joined another call's load. */
  get joins(): number {
    return this.#table.joins;
  }

  /** Values that were not stored because their key, tag or namespace was invalidated meanwhile. */
  get fenced(): number {
    return this.#fenced;
  }

  /** Whether a load is under way that this one would join. */
  isLoading(wish: LoadWish): boolean {
    return this.#table.has(wish);
  }

  /** Joins the key's load or starts one; see {@link LoadTable.run}. */
  load<T>(load: CoordinatedLoad<T>): Promise<T> {
    return this.#table.run(this.#request(load));
  }

  /** Starts a load of the key that nobody waits for; see {@link LoadTable.startBehind}. */
  loadBehind<T>(load: CoordinatedLoad<T>): void {
    this.#table.startBehind(this.#request(load));
  }

  /** Loads for this caller alone and stores nothing; see {@link LoadTable.runAlone}. */
  loadAlone<T>({ callLoader, began, ...request }: CoordinatedLoad<T>): Promise<T> {
    return this.#table.runAlone<T>({
      ...request,
      load: async (load) => {
        began?.(load);
        return callLoader(load);
      },
    });
  }

  /** From now on nobody loses patience with a load; see {@link LoadTable.close}. */
  close(): void {
    this.#table.close();
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
}
