import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';

/** Ends a wait; `isDue` tells whether its deadline has come. */
export type GiveUp = (isDue: boolean) => void;

/** A wait that has begun, between those that began before and after it. */
export interface Wait {
  readonly dueAt: number;
  readonly giveUp: GiveUp;
  isOver: boolean;
  before: Wait | undefined;
  after: Wait | undefined;
}

/**
 * The deadlines of waits that are all given the same time, so they fall due in the order in which they
 * began. One timer does for all: a wait that ends in time costs none.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #afterMs: number;
  /** The wait that falls due first, and the one that does last: a wait between them leaves in one step. */
  #first: Wait | undefined;
  #last: Wait | undefined;
  #size = 0;
  /** The timer serves many callers, and would else keep the context of one. */
  readonly #context = new AsyncResource('nestjs-cache-hierarchy.Deadlines');
  #cancel: (() => void) | undefined;

  /** @param afterMs how long each wait may last, in milliseconds */
  constructor(clock: Clock, afterMs: number) {
    this.#clock = clock;
    this.#afterMs = afterMs;
  }

  /** How many waits there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Begins a wait: it is given up at its deadline, in no caller's asynchronous context.
   *
   * @param now what the clock says
   */
  begin(giveUp: GiveUp, now: number): Wait {
    const before = this.#last;
    const dueAt = now + this.#afterMs;
    const wait: Wait = { dueAt, giveUp, isOver: false, before, after: undefined };
    if (before === undefined) this.#first = wait;
    else before.after = wait;
    this.#last = wait;
    this.#size += 1;
    if (this.#cancel === undefined) this.#arm(this.#afterMs);
    return wait;
  }

  /** Ends a wait; returns `false` for one that was given up. */
  end(wait: Wait): boolean {
    if (wait.isOver) return false;
    const { before, after } = wait;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    wait.isOver = true;
    // Who keeps a wait that is over keeps no other by it.
    wait.before = wait.after = undefined;
    this.#size -= 1;
    return true;
  }

  /** Gives all waits up before their time, and leaves no timer. */
  giveUpAll(): void {
    const waits = this.#waitsUpTo(Infinity);
    for (const wait of waits) this.end(wait);
    this.rest();
    for (const { giveUp } of waits) giveUp(false);
  }

  /** Leaves no timer where there is no wait. Without this one may be left for as long as a wait may last. */
  rest(): void {
    if (this.#size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(delayMs: number): void {
    this.#cancel = this.#context.runInAsyncScope(() =>
      this.#clock.setTimer(() => this.#fallDue(), delayMs),
    );
  }

  #fallDue(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    const due = this.#waitsUpTo(now);
    const next = due.length === 0 ? this.#first : due.at(-1)!.after;
    if (next !== undefined) this.#arm(next.dueAt - now);
    // Whoever hears of it may end waits, and begin others.
    for (const wait of due) if (this.end(wait)) wait.giveUp(true);
  }

  /** Those that are due at this time, the earliest first. */
  #waitsUpTo(now: number): readonly Wait[] {
    const waits: Wait[] = [];
    for (let wait = this.#first; wait !== undefined && wait.dueAt <= now; wait = wait.after)
      waits.push(wait);
    return waits;
  }
}
