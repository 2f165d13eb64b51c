import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';

/** Ends a wait; `isDue` tells whether its deadline has come. */
export type GiveUp = (isDue: boolean) => void;

/**
 * The deadlines of waits that are all given the same time, so they fall due in the order in which they
 * began. One timer does for all: a wait that ends in time costs none.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #afterMs: number;
  /** When each wait falls due, the earliest first. */
  readonly #waits = new Map<GiveUp, number>();
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
    return this.#waits.size;
  }

  /** Begins a wait: it is given up at its deadline, in no caller's asynchronous context. */
  add(giveUp: GiveUp): void {
    this.#waits.set(giveUp, this.#clock.now() + this.#afterMs);
    if (this.#cancel === undefined) this.#arm(this.#afterMs);
  }

  /** Ends a wait; returns `false` for one that was given up. */
  end(giveUp: GiveUp): boolean {
    return this.#waits.delete(giveUp);
  }

  /** Gives all waits up before their time, and leaves no timer. */
  giveUpAll(): void {
    const waits = [...this.#waits.keys()];
    this.#waits.clear();
    this.rest();
    for (const giveUp of waits) giveUp(false);
  }

  /** Leaves no timer where there is no wait. Without this one may be left for as long as a wait may last. */
  rest(): void {
    if (this.#waits.size > 0) return;
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
    const due: GiveUp[] = [];
    for (const [giveUp, dueAt] of this.#waits) {
      if (dueAt > now) {
        this.#arm(dueAt - now);
        break;
      }
      due.push(giveUp);
    }
    // Whoever hears of it may end waits, and begin others.
    for (const giveUp of due) if (this.#waits.delete(giveUp)) giveUp(true);
  }
}
