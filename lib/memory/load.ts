import type { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import { Abortable } from './abortable.js';
import type { LoadChains } from './load-chains.js';
import { hardTimeoutError, waitTimeoutError } from './load-errors.js';
import type { LoadRequest, RunningLoad } from './load-request.js';
import type { Ticket, TicketTable } from './tickets.js';
import type { WaitedFor, Waiter } from './waiter.js';

/** What a load needs from the table that has it, and tells it. */
export interface LoadPorts {
  readonly clock: Clock;
  readonly tickets: TicketTable;
  readonly chains: LoadChains;
  /** Whether everybody stays with the load they wait for. */
  readonly isClosed: () => boolean;
  /** Finds another answer for a caller who came too late for what this load has brought. */
  moveOn(load: Load, waiter: Waiter): void;
  /** Hears that the load took too long: nobody is to join it. It still runs, and may store its value. */
  gaveUp(load: Load, error: unknown): void;
  /** Hears that the load is over, or that nobody waits for it any more. */
  ended(load: Load): void;
}

/** How often a load was replaced; shared by it and those that took its place. */
export interface Replacements {
  count: number;
  /** Whether no more are made. */
  usedUp: boolean;
}

/**
 * One load under way, with everybody who waits for it: carries it out, and answers them when it ends,
 * or when it takes longer than its own timeouts allow.
 *
 * What it has brought and only has to store is there for who has no more time, if it may be: not for a
 * caller who asked after an invalidation that ended it.
 */
export class Load extends Abortable implements RunningLoad, WaitedFor {
  readonly request: LoadRequest<unknown>;
  readonly ticket: Ticket;
  readonly replacements: Replacements;
  /** In the order in which they joined, so the first follower is the first to lose patience. */
  readonly waiters = new Set<Waiter>();
  calling = false;
  brought: { readonly value: unknown } | undefined;
  /** Whether it goes on when nobody waits for it. */
  behind = false;
  /** Whether it has kept its callers longer than it may while there is another answer. */
  late = false;
  /** Forgets the patience of the followers. */
  cancelPatience: (() => void) | undefined;
  /** Whether it has kept its callers longer than it may at all. */
  #isGivenUp = false;
  #cancelTimeouts = nothing;
  readonly #ports: LoadPorts;

  constructor(ports: LoadPorts, request: LoadRequest<unknown>, replacements: Replacements) {
    super();
    this.#ports = ports;
    this.request = request;
    this.ticket = ports.tickets.open(request.key, 'load', request.tags);
    this.replacements = replacements;
  }

  get callers(): number {
    return this.waiters.size;
  }

  call<R>(loader: () => R, together: readonly RunningLoad[] = [this]): R {
    for (const load of together) load.calling = true;
    try {
      return this.#ports.chains.run(() => together.map(({ ticket }) => ticket.key), loader);
    } finally {
      for (const load of together) load.calling = false;
    }
  }

  /** Has a caller wait for this load, as a follower as long as the patience lasts. */
  admit(waiter: Waiter, patientUntil: number): void {
    waiter.load = this;
    waiter.patientUntil = patientUntil;
    this.waiters.add(waiter);
  }

  /**
   * Carries the load out and answers who waits.
   *
   * @param context the asynchronous context of the call, where that is over
   */
  async run(context: AsyncResource | undefined): Promise<void> {
    try {
      this.#armTimeouts();
      const value = await this.#start(context);
      this.replacements.count = 0;
      const late = this.#calledTooLate();
      for (const waiter of late) this.waiters.delete(waiter);
      for (const waiter of this.#settle()) waiter.resolve(value);
      for (const waiter of late) this.#ports.moveOn(this, waiter);
    } catch (error) {
      const isWanted = this.#isWanted;
      const waiters = this.#settle();
      const { noteFailure, recover } = this.request;
      if (isWanted) noteFailure?.(error);
      const answer = waiters.length === 0 ? undefined : recover?.(error, waiters.length);
      answerAll(waiters, answer, error);
    }
  }

  /** Ends one caller's wait; the last one to leave takes the load along. */
  leave(waiter: Waiter, reason: unknown): void {
    waiter.reject(reason);
    if (this.waiters.delete(waiter) && this.waiters.size === 0 && !this.behind)
      this.withdraw(reason);
  }

  runOutOfTime(waiter: Waiter): void {
    const { key, waitTimeoutMs } = waiter.request;
    if (!this.tryAnswer(waiter)) this.leave(waiter, waitTimeoutError(key, waitTimeoutMs!));
  }

  /** Gives a caller what is being stored, if there is something that this one may have; the load goes on. */
  tryAnswer(waiter: Waiter): boolean {
    const { brought, ticket } = this;
    if (brought === undefined) return false;
    if (waiter.order > ticket.order && !this.#ports.tickets.isJoinable(ticket)) return false;
    this.behind = true;
    this.waiters.delete(waiter);
    waiter.resolve(brought.value);
    return true;
  }

  /** Gives the load up: nobody waits for it, and its value will not be stored. */
  withdraw(reason: unknown): void {
    this.ticket.withdrawn = true;
    this.#end();
    this.abort(reason);
  }

  /** Calls the load, in the asynchronous context of the call if that is over. */
  #start(context: AsyncResource | undefined): Promise<unknown> {
    if (context === undefined) return this.request.load(this);
    return context.runInAsyncScope(this.request.load, undefined, this);
  }

  /**
   * The callers who asked after an invalidation that ended the load: one of a tag that the loader
   * named only later, else they could not have joined.
   */
  #calledTooLate(): Waiter[] {
    const { ticket, waiters } = this;
    const { tickets, isClosed } = this.#ports;
    if (ticket.withdrawn || isClosed() || tickets.isJoinable(ticket)) return [];
    return [...waiters].filter(({ order }) => order > ticket.order);
  }

  #armTimeouts(): void {
    const { softTimeoutMs = Infinity, hardTimeoutMs = Infinity } = this.request;
    if (Math.min(softTimeoutMs, hardTimeoutMs) === Infinity) return;
    const { clock } = this.#ports;
    const cancelSoft = clock.setTimer(() => this.#timeOutSoftly(), softTimeoutMs);
    const cancelHard = clock.setTimer(() => this.#timeOut(hardTimeoutMs), hardTimeoutMs);
    this.#cancelTimeouts = () => {
      cancelSoft();
      cancelHard();
    };
  }

  /** Answers those who wait with what there is, if there is something; the load goes on. */
  #timeOutSoftly(): void {
    if (this.brought !== undefined) {
      this.late = true;
      this.#answerEntitled();
      return;
    }
    const answer = this.request.fallback?.(this.callers);
    if (answer === undefined) return;
    this.behind = true;
    this.late = true;
    for (const waiter of this.#release()) waiter.resolve(answer);
  }

  /** Answers those who wait, and lets nobody join any more. What the load still brings may be stored. */
  #timeOut(hardTimeoutMs: number): void {
    if (this.brought !== undefined) {
      this.#answerEntitled();
      return;
    }
    const { key, fallback, noteTimeout } = this.request;
    const error = hardTimeoutError(key, hardTimeoutMs);
    const isWanted = this.#isWanted;
    this.behind = true;
    this.#isGivenUp = true;
    this.#cancelTimers();
    this.#ports.gaveUp(this, error);
    if (isWanted) noteTimeout?.();
    const waiters = this.#release();
    const answer = waiters.length === 0 ? undefined : fallback?.(waiters.length);
    answerAll(waiters, answer, error);
    this.abort(error);
  }

  /** Answers those who may have what the load has brought; it goes on for the others. */
  #answerEntitled(): void {
    for (const waiter of this.waiters) this.tryAnswer(waiter);
  }

  /** Whether its value would be stored, and it is the first to say that there is none. */
  get #isWanted(): boolean {
    return !this.#isGivenUp && this.#ports.tickets.isValid(this.ticket);
  }

  /** Takes everybody who waits away, to be answered. */
  #release(): Waiter[] {
    const released = [...this.waiters];
    this.waiters.clear();
    for (const waiter of released) waiter.forgetBounds();
    return released;
  }

  /** Ends the load; returns who is to be answered. */
  #settle(): Waiter[] {
    this.#end();
    return this.#release();
  }

  #end(): void {
    this.#ports.tickets.close(this.ticket);
    this.#cancelTimers();
    this.#ports.ended(this);
  }

  #cancelTimers(): void {
    this.cancelPatience?.();
    this.#cancelTimeouts();
  }
}

/** Gives the callers of a load that brought nothing an answer, or its error. */
function answerAll(waiters: readonly Waiter[], answer: unknown, error: unknown): void {
  for (const waiter of waiters) {
    if (answer === undefined) waiter.reject(error);
    else waiter.resolve(answer);
  }
}

function nothing(): void {}
