import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import { LoadChains } from './load-chains.js';
import { circleError, joinTimeoutError, ownKeyError } from './load-errors.js';
import type { LoadRequest, LoadWish } from './load-request.js';
import { Load, type LoadPorts, type Replacements } from './load.js';
import { NewestLoads } from './newest-loads.js';
import type { TicketTable } from './tickets.js';
import { Waiter } from './waiter.js';

/** What a load table needs from its owner. */
export interface LoadTablePorts {
  readonly clock: Clock;
  readonly tickets: TicketTable;
  /** Longest wait for a load that another caller started, in milliseconds. */
  readonly joinTimeoutMs: number;
}

/** A hung load is replaced this often; then nobody waits for it any more. */
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
  readonly #newest = new NewestLoads();
  /** Every load under way, detached ones too. */
  readonly #underWay = new Set<Load>();
  /** For each key the last load that took too long and may still store its value. */
  readonly #givenUp = new Map<string, Load>();
  /** Within which loaders calls are made, once a load had to be replaced. */
  readonly #chains: LoadChains;
  readonly #loadPorts: LoadPorts;
  #joins = 0;
  #closed = false;

  constructor(ports: LoadTablePorts) {
    const { clock, tickets, joinTimeoutMs } = ports;
    this.#ports = ports;
    this.#chains = new LoadChains(() => clock.now(), (1 + MAX_REPLACEMENTS) * joinTimeoutMs);
    this.#loadPorts = {
      clock,
      tickets,
      chains: this.#chains,
      isClosed: () => this.#closed,
      moveOn: (load, waiter) => this.#moveOn(load, waiter),
      gaveUp: (load, error) => this.#keepGivenUp(load, error),
      ended: (load) => this.#forget(load),
    };
  }

  /** How many callers joined a load of another caller. */
  get joins(): number {
    return this.#joins;
  }

  /** How many keys have a load that can be joined. */
  get size(): number {
    return this.#newest.size;
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
    if (this.#newest.find(request)?.calling === true) return Promise.reject(ownKeyError(key));
    if (this.#chains.isCircle(key)) return Promise.reject(circleError(key));
    const joinable = this.#joinable(request);
    if (joinable?.late === true) {
      const { brought = { value: request.fallback?.(1) } } = joinable;
      if (brought.value !== undefined) return Promise.resolve(brought.value as T);
    }
    return this.#answerTo(request, (waiter) => {
      if (joinable === undefined) {
        this.#start(waiter);
      } else {
        this.#joins += 1;
        waiter.context = new AsyncResource('CacheLoad');
        this.#join(joinable, waiter);
      }
    });
  }

  /** Whether a load can be joined instead of starting this one. */
  has(wish: LoadWish): boolean {
    return this.#joinable(wish) !== undefined;
  }

  /** Starts a load that nobody waits for. */
  startBehind<T>(request: LoadRequest<T>): void {
    const load = this.#open(request);
    load.behind = true;
    this.#newest.enter(load);
    void load.run(undefined);
  }

  /** Starts a load of this caller's own, which nobody joins and whose value is not stored. */
  runAlone<T>(request: LoadRequest<T>): Promise<T> {
    if (request.signal?.aborted === true) return Promise.reject(request.signal.reason);
    return this.#answerTo(request, (waiter) => {
      const load = this.#open(request);
      load.ticket.withdrawn = true;
      load.admit(waiter, Infinity);
      void load.run(undefined);
    });
  }

  /**
   * From now on everybody stays with the load they wait for. What was said of a call or a load,
   * `waitTimeout` and `hardTimeout`, still holds: nobody waits for ever who had a bound.
   */
  close(): void {
    this.#closed = true;
    this.#chains.forget();
    for (const load of this.#underWay) load.cancelPatience?.();
  }

  /** Returns what a new waiter is answered, once it waits for a load. */
  #answerTo<T>(request: LoadRequest<T>, wait: (waiter: Waiter) => void): Promise<T> {
    const { clock, tickets } = this.#ports;
    return new Promise<unknown>((resolve, reject) => {
      const waiter = new Waiter(request, tickets.order, { resolve, reject });
      waiter.heedBounds(clock);
      wait(waiter);
    }) as Promise<T>;
  }

  #joinable(wish: LoadWish): Load | undefined {
    const load = this.#newest.find(wish);
    if (load === undefined || (wish.forced === true && load.request.forced !== true))
      return undefined;
    if (this.#isHungBehind(load)) return undefined;
    return this.#ports.tickets.isJoinable(load.ticket) ? load : undefined;
  }

  /** Nobody may wait for a load behind the callers, so nobody's patience would replace it. */
  #isHungBehind({ behind, ticket }: Load): boolean {
    const { clock, joinTimeoutMs } = this.#ports;
    return behind && ticket.openedAt + joinTimeoutMs <= clock.now();
  }

  #open(request: LoadRequest<unknown>, replacements = noReplacements()): Load {
    const load = new Load(this.#loadPorts, request, replacements);
    this.#underWay.add(load);
    return load;
  }

  /** Starts the waiter's own load, for the next callers to join. */
  #start(waiter: Waiter, replacements?: Replacements): void {
    const load = this.#open(waiter.request, replacements);
    load.admit(waiter, Infinity);
    this.#newest.enter(load);
    void load.run(waiter.context);
  }

  #join(load: Load, waiter: Waiter): void {
    load.admit(waiter, this.#ports.clock.now() + this.#ports.joinTimeoutMs);
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
      if (load.tryAnswer(waiter)) continue;
      if (load.waiters.delete(waiter)) this.#moveOn(load, waiter);
    }
    if (load.waiters.size > 0) this.#armPatience(load);
    else if (!load.behind) load.withdraw(undefined);
  }

  /** Finds another answer for a follower for whom this load is none, or has taken too long. */
  #moveOn(load: Load, waiter: Waiter): void {
    const { request } = waiter;
    const { replacements } = load;
    const newest = this.#joinable(request);
    waiter.waits += 1;
    if (newest === load && replacements.count === MAX_REPLACEMENTS) {
      replacements.usedUp = true;
      this.#newest.remove(load);
      load.detach();
    }
    const stored = request.stored?.();
    if (stored !== undefined) {
      waiter.resolve(stored);
    } else if (replacements.usedUp || waiter.waits > MAX_REPLACEMENTS) {
      waiter.reject(joinTimeoutError(request.key, this.#ports.joinTimeoutMs, MAX_REPLACEMENTS));
    } else if (newest === undefined) {
      this.#start(waiter);
    } else if (newest !== load) {
      this.#join(newest, waiter);
    } else {
      replacements.count += 1;
      this.#chains.watch();
      this.#start(waiter, replacements);
    }
  }

  /** Keeps a load that took too long, in place of one before: of hanging loads one for each key is kept. */
  #keepGivenUp(load: Load, error: unknown): void {
    const { key } = load.request;
    this.#newest.remove(load);
    this.#givenUp.get(key)?.withdraw(error);
    this.#givenUp.set(key, load);
  }

  #forget(load: Load): void {
    const { key } = load.request;
    this.#underWay.delete(load);
    if (this.#underWay.size === 0) this.#chains.rest();
    if (this.#givenUp.get(key) === load) this.#givenUp.delete(key);
    this.#newest.remove(load);
  }
}

function noReplacements(): Replacements {
  return { count: 0, usedUp: false };
}
