import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import { onAbort } from './abort-listeners.js';
import {
  circleError,
  hardTimeoutError,
  joinTimeoutError,
  ownKeyError,
  waitTimeoutError,
} from './load-errors.js';
import { LoadChains } from './load-chains.js';
import { Load, type LoadRequest, type Place, type Waiter } from './load.js';
import type { TicketTable } from './tickets.js';

/** What a load table needs from its owner. */
export interface LoadTablePorts {
  readonly clock: Clock;
  readonly tickets: TicketTable;
  /** Longest wait for a load that another caller started, in milliseconds. */
  readonly joinTimeoutMs: number;
}

/** Which loads would do for a caller. */
type Wish = Pick<LoadRequest<unknown>, 'key' | 'forced' | 'variant'>;

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
 * deadlocks. Nor does it go on for ever: see {@link LoadChains}.
 *
 * A load can have bounds of its own. At the soft one its callers get what else there is, and it goes on
 * behind them; at the hard one it is given up: nobody joins it any more, but a value that it still
 * brings may be stored. A load behind the callers, also one that was begun so, is joined for
 * `joinTimeoutMs` at most, since nobody need wait for it long enough to replace it.
 */
export class LoadTable {
  readonly #ports: LoadTablePorts;
  /** For each key, and variant of its loads, where callers meet. */
  readonly #places = new Map<string, Place>();
  /** Every load under way, detached ones too. */
  readonly #loads = new Set<Load>();
  /** For each key the last load that took too long and may still store its value. */
  readonly #givenUp = new Map<string, Load>();
  /** Within which loaders calls are made, once a load had to be replaced. */
  readonly #chains: LoadChains;
  #joins = 0;
  #closed = false;

  constructor(ports: LoadTablePorts) {
    const { clock, joinTimeoutMs } = ports;
    this.#ports = ports;
    this.#chains = new LoadChains(() => clock.now(), (1 + MAX_REPLACEMENTS) * joinTimeoutMs);
  }

  /** How many callers joined a load of another caller. */
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
   * @throws {LoadTimeoutError} when this caller's wait, or its patience with others' loads, ended; or
   *   when the key is asked for within its own loader over and over
   * @throws {InvalidArgumentError} when the key's loader asks for its own key before it first waits
   */
  run<T>(request: LoadRequest<T>): Promise<T> {
    if (request.signal?.aborted === true) return Promise.reject(request.signal.reason);
    const { key } = request;
    if (this.#newest(request)?.calling === true) return Promise.reject(ownKeyError(key));
    if (this.#chains.isCircle(key)) return Promise.reject(circleError(key));
    const joinable = this.#joinable(request);
    if (joinable?.late === true) {
      const { brought = { value: request.fallback?.(1) } } = joinable;
      if (brought.value !== undefined) return Promise.resolve(brought.value as T);
    }
    return new Promise<unknown>((resolve, reject) => {
      const waiter = this.#newWaiter(request, resolve, reject);
      if (joinable === undefined) {
        this.#startIn(newPlace(), waiter);
      } else {
        this.#joins += 1;
        waiter.context = new AsyncResource('CacheLoad');
        this.#join(joinable, waiter);
      }
    }) as Promise<T>;
  }

  /** Whether a load can be joined instead of starting this one. */
  has(request: Wish): boolean {
    return this.#joinable(request) !== undefined;
  }

  /** Starts a load that nobody waits for. */
  startBehind<T>(request: LoadRequest<T>): void {
    const place = newPlace();
    const load = this.#openLoad(place, request);
    load.behind = true;
    this.#enter(place, request);
    void this.#carryOut(load, { request, context: undefined });
  }

  /** Starts a load of this caller's own, which nobody joins and whose value is not stored. */
  runAlone<T>(request: LoadRequest<T>): Promise<T> {
    if (request.signal?.aborted === true) return Promise.reject(request.signal.reason);
    return new Promise<unknown>((resolve, reject) => {
      const waiter = this.#newWaiter(request, resolve, reject);
      const load = this.#open(newPlace(), waiter);
      load.ticket.withdrawn = true;
      void this.#carryOut(load, waiter);
    }) as Promise<T>;
  }

  /**
   * From now on everybody stays with the load they wait for. What was said of a call or a load,
   * `waitTimeout` and `hardTimeout`, still holds: nobody waits for ever who had a bound.
   */
  close(): void {
    this.#closed = true;
    this.#chains.forget();
    for (const load of this.#loads) load.cancelPatience?.();
  }

  #newest(wish: Wish): Load | undefined {
    return this.#places.get(placeName(wish))?.load;
  }

  /** Makes a place the one where callers meet; a load that this displaces is on its own from now on. */
  #enter(place: Place, wish: Wish): void {
    const name = placeName(wish);
    const before = this.#places.get(name);
    if (before !== place) before?.load?.detach();
    this.#places.set(name, place);
  }

  #joinable(wish: Wish): Load | undefined {
    const load = this.#newest(wish);
    if (load === undefined || (wish.forced === true && !load.forced)) return undefined;
    if (this.#isHungBehind(load)) return undefined;
    return this.#ports.tickets.isJoinable(load.ticket) ? load : undefined;
  }

  /** Nobody may wait for a load behind the callers, so nobody's patience would replace it. */
  #isHungBehind({ behind, ticket }: Load): boolean {
    const { clock, joinTimeoutMs } = this.#ports;
    return behind && ticket.openedAt + joinTimeoutMs <= clock.now();
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
      order: this.#ports.tickets.order,
      context: undefined,
      patientUntil: Infinity,
      patience: 1 + MAX_REPLACEMENTS,
      stopListening: nothing,
    };
    const { signal, waitTimeoutMs } = request;
    if (signal === undefined && waitTimeoutMs === undefined) return waiter;

    const forgetSignal =
      signal === undefined ? nothing : onAbort(signal, () => this.#leave(waiter, signal.reason));
    const cancelTimer = this.#ports.clock.setTimer(() => {
      const brought = this.#broughtFor(waiter);
      if (brought === undefined) this.#leave(waiter, waitTimeoutError(request.key, waitTimeoutMs!));
      else this.#answer(waiter, brought.value);
    }, waitTimeoutMs ?? Infinity);
    waiter.stopListening = () => {
      forgetSignal();
      cancelTimer();
    };
    return waiter;
  }

  /** Starts the waiter's own load as the newest of a place. */
  #startIn(place: Place, waiter: Waiter): void {
    this.#enter(place, waiter.request);
    void this.#carryOut(this.#open(place, waiter), waiter);
  }

  #openLoad(place: Place, request: LoadRequest<unknown>): Load {
    const { key, tags } = request;
    const load = new Load(
      this.#ports.tickets.open(key, 'load', tags),
      place,
      request,
      this.#chains,
    );
    this.#loads.add(load);
    place.load = load;
    this.#armTimeouts(load, request);
    return load;
  }

  #open(place: Place, waiter: Waiter): Load {
    const load = this.#openLoad(place, waiter.request);
    waiter.load = load;
    waiter.patientUntil = Infinity;
    load.waiters.add(waiter);
    return load;
  }

  #armTimeouts(load: Load, request: LoadRequest<unknown>): void {
    const { softTimeoutMs = Infinity, hardTimeoutMs = Infinity } = request;
    if (Math.min(softTimeoutMs, hardTimeoutMs) === Infinity) return;
    const { clock } = this.#ports;
    const cancelSoft = clock.setTimer(() => this.#timeOutSoftly(load, request), softTimeoutMs);
    const cancelHard = clock.setTimer(() => this.#timeOut(load, request), hardTimeoutMs);
    load.cancelTimeouts = () => {
      cancelSoft();
      cancelHard();
    };
  }

  /** Answers those who wait with what there is, if there is something; the load goes on. */
  #timeOutSoftly(load: Load, request: LoadRequest<unknown>): void {
    if (load.brought !== undefined) {
      load.late = true;
      this.#answerEntitled(load);
      return;
    }
    const answer = request.fallback?.(load.waiters.size);
    if (answer === undefined) return;
    load.behind = true;
    load.late = true;
    for (const waiter of this.#release(load)) waiter.resolve(answer);
  }

  /** What a caller's load has brought and only has to be stored: who has no time need not wait for that. */
  #broughtFor({ load, order }: Waiter): Load['brought'] {
    if (load?.brought === undefined) return undefined;
    const isEntitled = order <= load.ticket.order || this.#ports.tickets.isJoinable(load.ticket);
    return isEntitled ? load.brought : undefined;
  }

  /** Ends one caller's wait with a value; the load goes on. */
  #answer(waiter: Waiter, value: unknown): void {
    waiter.stopListening();
    waiter.load!.behind = true;
    waiter.load!.waiters.delete(waiter);
    waiter.resolve(value);
  }

  /**
   * Answers those who wait, and lets nobody join any more. What the load still brings may be stored, if
   * no later load of the key is given up meanwhile: of hanging loads one for each key is kept.
   */
  #timeOut(load: Load, request: LoadRequest<unknown>): void {
    if (load.brought !== undefined) {
      this.#answerEntitled(load);
      return;
    }
    const { key, hardTimeoutMs } = request;
    const error = hardTimeoutError(key, hardTimeoutMs!);
    const isWanted = this.#isWanted(load);
    load.behind = true;
    load.givenUp = true;
    load.cancelPatience?.();
    load.cancelTimeouts();
    this.#vacate(load);
    const before = this.#givenUp.get(key);
    if (before !== undefined) this.#withdraw(before, error);
    this.#givenUp.set(key, load);
    if (isWanted) request.noteTimeout?.();
    const waiters = this.#release(load);
    const answer = waiters.length === 0 ? undefined : request.fallback?.(waiters.length);
    answerAll(waiters, answer, error);
    load.abort(error);
  }

  /** Answers those who may have what a load has brought; it goes on for the others. */
  #answerEntitled(load: Load): void {
    for (const waiter of load.waiters) {
      const brought = this.#broughtFor(waiter);
      if (brought !== undefined) this.#answer(waiter, brought.value);
    }
  }

  /** Whether a load's value would be stored, and it is the first to say that there is none. */
  #isWanted({ ticket, givenUp }: Load): boolean {
    return !givenUp && this.#ports.tickets.isValid(ticket);
  }

  /** Takes everybody who waits for a load away from it, to be answered. */
  #release(load: Load): Waiter[] {
    const released = [...load.waiters];
    load.waiters.clear();
    for (const waiter of released) waiter.stopListening();
    return released;
  }

  async #carryOut(load: Load, starter: Pick<Waiter, 'request' | 'context'>): Promise<void> {
    try {
      const value = await start(starter, load);
      load.place.replacements = 0;
      const late = this.#calledTooLate(load);
      for (const waiter of this.#settle(load, late)) waiter.resolve(value);
      for (const waiter of late) this.#moveOn(load, waiter);
    } catch (error) {
      const isWanted = this.#isWanted(load);
      const waiters = this.#settle(load, []);
      const { noteFailure, recover } = starter.request;
      if (isWanted) noteFailure?.(error);
      const answer = waiters.length === 0 ? undefined : recover?.(error, waiters.length);
      answerAll(waiters, answer, error);
    }
  }

  /**
   * The callers who asked after an invalidation that ended the load: one of a tag that the loader
   * named only later, else they could not have joined.
   */
  #calledTooLate(load: Load): Waiter[] {
    const { ticket, waiters } = load;
    if (ticket.withdrawn || this.#closed || this.#ports.tickets.isJoinable(ticket)) return [];
    return [...waiters].filter(({ order }) => order > ticket.order);
  }

  /** Ends a load; returns who is to be answered: everybody but those who are to wait on. */
  #settle(load: Load, waitOn: readonly Waiter[]): Waiter[] {
    for (const waiter of waitOn) load.waiters.delete(waiter);
    this.#end(load);
    return this.#release(load);
  }

  #end(load: Load): void {
    this.#loads.delete(load);
    if (this.#loads.size === 0) this.#chains.rest();
    this.#ports.tickets.close(load.ticket);
    load.cancelPatience?.();
    load.cancelTimeouts();
    if (this.#givenUp.get(load.ticket.key) === load) this.#givenUp.delete(load.ticket.key);
    this.#vacate(load);
  }

  #vacate({ ticket, place, variant }: Load): void {
    const name = placeName({ key: ticket.key, variant });
    const isNewest = place.load?.ticket === ticket;
    if (isNewest && this.#places.get(name) === place) this.#places.delete(name);
  }

  #join(load: Load, waiter: Waiter): void {
    waiter.load = load;
    waiter.patientUntil = this.#ports.clock.now() + this.#ports.joinTimeoutMs;
    load.waiters.add(waiter);
    if (load.cancelPatience === undefined) this.#armPatience(load);
  }

  /** One timer for each load: followers lose patience in the order in which they joined. */
  #armPatience(load: Load): void {
    load.cancelPatience = undefined;
    if (this.#closed) return;
    for (const { patientUntil } of load.waiters) {
      if (patientUntil === Infinity) continue;
      const delayMs = Math.max(0, patientUntil - this.#ports.clock.now());
      load.cancelPatience = this.#ports.clock.setTimer(() => this.#losePatience(load), delayMs);
      return;
    }
  }

  #losePatience(load: Load): void {
    load.cancelPatience = undefined;
    const now = this.#ports.clock.now();
    for (const waiter of [...load.waiters].filter(({ patientUntil }) => patientUntil <= now)) {
      const brought = this.#broughtFor(waiter);
      if (brought !== undefined) this.#answer(waiter, brought.value);
      else if (load.waiters.delete(waiter)) this.#moveOn(load, waiter);
    }
    if (load.waiters.size > 0) this.#armPatience(load);
    else if (!load.behind) this.#withdraw(load, undefined);
  }

  /** Finds another answer for a follower for whom this load is none, or has taken too long. */
  #moveOn(load: Load, waiter: Waiter): void {
    const { place } = load;
    const newest = this.#joinable(waiter.request);
    waiter.patience -= 1;
    if (newest === load && place.replacements === MAX_REPLACEMENTS) {
      place.exhausted = true;
      this.#vacate(load);
      load.detach();
    }
    const stored = waiter.request.stored?.();
    if (stored !== undefined) {
      waiter.stopListening();
      waiter.resolve(stored);
    } else if (place.exhausted || waiter.patience === 0) {
      waiter.stopListening();
      waiter.reject(
        joinTimeoutError(waiter.request.key, this.#ports.joinTimeoutMs, MAX_REPLACEMENTS),
      );
    } else if (newest === undefined) {
      this.#startIn(newPlace(), waiter);
    } else if (newest !== load) {
      this.#join(newest, waiter);
    } else {
      place.replacements += 1;
      this.#chains.watch();
      load.detach();
      this.#startIn(place, waiter);
    }
  }

  /** Ends one caller's wait; the last one to leave takes the load along. */
  #leave(waiter: Waiter, reason: unknown): void {
    waiter.stopListening();
    waiter.reject(reason);
    const { load } = waiter;
    if (load?.waiters.delete(waiter) === true && load.waiters.size === 0 && !load.behind) {
      this.#withdraw(load, reason);
    }
  }

  /** Gives a load up that nobody waits for: its value will not be stored. */
  #withdraw(load: Load, reason: unknown): void {
    load.ticket.withdrawn = true;
    this.#end(load);
    load.abort(reason);
  }
}

/** Loads of other variants of a key meet in other places. No key and no variant has this character. */
function placeName({ key, variant }: Pick<Wish, 'key' | 'variant'>): string {
  return variant === undefined ? key : `${key}\u001e${variant}`;
}

function newPlace(): Place {
  return { load: undefined, replacements: 0, exhausted: false };
}

/** Calls the waiter's own load, in the asynchronous context of its call if that is over. */
function start(
  { request, context }: Pick<Waiter, 'request' | 'context'>,
  load: Load,
): Promise<unknown> {
  if (context === undefined) return request.load(load);
  return context.runInAsyncScope(request.load, undefined, load);
}

function nothing(): void {}

/** Gives the callers of a load that brought nothing an answer, or its error. */
function answerAll(waiters: readonly Waiter[], answer: unknown, error: unknown): void {
  for (const waiter of waiters) {
    if (answer === undefined) waiter.reject(error);
    else waiter.resolve(answer);
  }
}
