import type { Clock } from '../clock.js';
import { InvalidArgumentError, LoadTimeoutError } from '../errors.js';
import { Load, type LoadRequest, type Place, type Waiter } from './load.js';
import type { TicketTable } from './tickets.js';

/** What a load table needs from its owner. */
export interface LoadTablePorts {
  readonly clock: Clock;
  readonly tickets: TicketTable;
  /** Longest wait for a load that another caller started, in milliseconds. */
  readonly joinTimeoutMs: number;
}

/** A hung load is replaced this often; then its key's place is emptied. */
const MAX_REPLACEMENTS = 3;

/**
 * Lets one load for each key run, however many callers want it (single flight).
 *
 * A caller joins the load under way while its ticket is valid; otherwise it starts one, in the same
 * step. Nobody waits for another caller's load longer than `joinTimeoutMs`: the first whose patience
 * ends replaces the load by one of its own, and the others move on to that one when theirs does.
 * The replaced load goes on detached and still answers who waits for it. After three replacements
 * without one settling the key's place is emptied and its callers get a `LoadTimeoutError`: a loader
 * that hangs, or waits for its own key, or for a key that waits for this one, delays and never
 * deadlocks.
 */
export class LoadTable {
  readonly #ports: LoadTablePorts;
  readonly #places = new Map<string, Place>();
  #joins = 0;

  constructor(ports: LoadTablePorts) {
    this.#ports = ports;
  }

  /** How many callers were spared a load of their own. */
  get joins(): number {
    return this.#joins;
  }

  /** How many keys have a load that can be joined. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * Returns what the key's load resolves to; rejects with the very error of the load.
   *
   * @throws {LoadTimeoutError} when this caller's wait, or its patience with others' loads, ended
   * @throws {InvalidArgumentError} when the key's loader asks for its own key before it first waits
   */
  run<T>(request: LoadRequest<T>): Promise<T> {
    if (request.signal?.aborted === true) return Promise.reject(request.signal.reason);
    const joinable = this.#joinable(request.key);
    if (joinable?.calling === true) return Promise.reject(ownKeyError(request.key));
    return new Promise<unknown>((resolve, reject) => {
      const waiter = this.#newWaiter(request, resolve, reject);
      if (joinable === undefined) {
        this.#startIn({ load: undefined, replacements: 0, exhausted: false }, waiter);
      } else {
        this.#joins += 1;
        this.#join(joinable, waiter);
      }
    }) as Promise<T>;
  }

  /** Starts a load of this caller's own, which nobody joins and whose value is not stored. */
  runAlone<T>(request: LoadRequest<T>): Promise<T> {
    if (request.signal?.aborted === true) return Promise.reject(request.signal.reason);
    return new Promise<unknown>((resolve, reject) => {
      const waiter = this.#newWaiter(request, resolve, reject);
      const load = this.#open({ load: undefined, replacements: 0, exhausted: false }, waiter);
      load.ticket.fenced = true;
      void this.#carryOut(load, request);
    }) as Promise<T>;
  }

  #joinable(key: string): Load | undefined {
    const load = this.#places.get(key)?.load;
    return load !== undefined && this.#ports.tickets.isValid(load.ticket) ? load : undefined;
  }

  #newWaiter(
    request: LoadRequest<unknown>,
    resolve: Waiter['resolve'],
    reject: Waiter['reject'],
  ): Waiter {
    const waiter: Waiter = {
      request,
      resolve,
      reject,
      load: undefined,
      patientUntil: Infinity,
      patience: 1 + MAX_REPLACEMENTS,
      stopListening: nothing,
    };
    const { signal, waitTimeoutMs } = request;
    if (signal === undefined && waitTimeoutMs === undefined) return waiter;

    const onAbort = (): void => this.#leave(waiter, signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const cancelTimer = this.#ports.clock.setTimer(() => {
      this.#leave(waiter, waitTimeoutError(request.key, waitTimeoutMs!));
    }, waitTimeoutMs ?? Infinity);
    waiter.stopListening = () => {
      signal?.removeEventListener('abort', onAbort);
      cancelTimer();
    };
    return waiter;
  }

  /** Starts the waiter's own load as the newest of a place. */
  #startIn(place: Place, waiter: Waiter): void {
    this.#places.set(waiter.request.key, place);
    void this.#carryOut(this.#open(place, waiter), waiter.request);
  }

  #open(place: Place, waiter: Waiter): Load {
    const { key, tags } = waiter.request;
    const load = new Load(this.#ports.tickets.open(key, 'load', tags), place);
    place.load = load;
    waiter.load = load;
    waiter.patientUntil = Infinity;
    load.waiters.push(waiter);
    return load;
  }

  async #carryOut(load: Load, request: LoadRequest<unknown>): Promise<void> {
    try {
      const value = await request.load(load);
      this.#settle(load);
      for (const waiter of load.waiters) waiter.resolve(value);
    } catch (error) {
      this.#settle(load);
      for (const waiter of load.waiters) waiter.reject(error);
    }
  }

  #settle(load: Load): void {
    this.#ports.tickets.close(load.ticket);
    load.cancelPatience?.();
    this.#vacate(load);
    load.place.replacements = 0;
    for (const waiter of load.waiters) waiter.stopListening();
  }

  #vacate({ ticket, place }: Load): void {
    const isNewest = place.load?.ticket === ticket;
    if (isNewest && this.#places.get(ticket.key) === place) this.#places.delete(ticket.key);
  }

  #join(load: Load, waiter: Waiter): void {
    waiter.load = load;
    waiter.patientUntil = this.#ports.clock.now() + this.#ports.joinTimeoutMs;
    load.waiters.push(waiter);
    if (load.cancelPatience === undefined) this.#armPatience(load);
  }

  /** One timer for each load: followers lose patience in the order in which they joined. */
  #armPatience(load: Load): void {
    load.cancelPatience = undefined;
    for (const { patientUntil } of load.waiters) {
      if (patientUntil === Infinity) continue;
      const delayMs = Math.max(0, patientUntil - this.#ports.clock.now());
      load.cancelPatience = this.#ports.clock.setTimer(() => this.#losePatience(load), delayMs);
      return;
    }
  }

  #losePatience(load: Load): void {
    const now = this.#ports.clock.now();
    const leaving = load.waiters.filter(({ patientUntil }) => patientUntil <= now);
    load.waiters = load.waiters.filter(({ patientUntil }) => patientUntil > now);
    for (const waiter of leaving) this.#moveOn(load, waiter);
    if (load.waiters.length === 0) this.#withdraw(load, undefined);
    this.#armPatience(load);
  }

  /** Finds a new load for a follower that has waited long enough for this one. */
  #moveOn(load: Load, waiter: Waiter): void {
    if (waiter.load !== load) return;
    const { place } = load;
    const { key } = waiter.request;
    const newest = this.#joinable(key);
    waiter.patience -= 1;
    if (newest === load && place.replacements === MAX_REPLACEMENTS) {
      place.exhausted = true;
      this.#vacate(load);
    }
    if (place.exhausted || waiter.patience === 0) {
      this.#giveUp(waiter);
    } else if (newest === undefined) {
      this.#startIn({ load: undefined, replacements: 0, exhausted: false }, waiter);
    } else if (newest !== load) {
      this.#join(newest, waiter);
    } else {
      place.replacements += 1;
      this.#startIn(place, waiter);
    }
  }

  #giveUp(waiter: Waiter): void {
    waiter.stopListening();
    waiter.reject(joinTimeoutError(waiter.request.key, this.#ports.joinTimeoutMs));
  }

  /** Ends one caller's wait; the last one to leave takes the load along. */
  #leave(waiter: Waiter, reason: unknown): void {
    waiter.stopListening();
    waiter.reject(reason);
    const { load } = waiter;
    waiter.load = undefined;
    if (load?.remove(waiter) === true && load.waiters.length === 0) {
      this.#withdraw(load, reason);
    }
  }

  #withdraw(load: Load, reason: unknown): void {
    load.ticket.fenced = true;
    load.cancelPatience?.();
    this.#vacate(load);
    load.abort(reason);
  }
}

function nothing(): void {}

function ownKeyError(key: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `The loader of key ${JSON.stringify(key)} asked the cache for this same key, which only it can ` +
      'supply. Load the value in the loader itself, or ask for another key.',
  );
}

function waitTimeoutError(key: string, waitTimeoutMs: number): LoadTimeoutError {
  return new LoadTimeoutError(
    `The load of key ${JSON.stringify(key)} did not end within waitTimeout (${waitTimeoutMs} ms).`,
  );
}

function joinTimeoutError(key: string, joinTimeoutMs: number): LoadTimeoutError {
  return new LoadTimeoutError(
    `No load of key ${JSON.stringify(key)} settled: each was waited for joinTimeout ` +
      `(${joinTimeoutMs} ms) and ${MAX_REPLACEMENTS} were tried in place of the first. Its loader ` +
      'hangs, or waits for its own key.',
  );
}
