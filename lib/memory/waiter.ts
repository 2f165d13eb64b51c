import type { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import { onAbort } from './abort-listeners.js';
import type { LoadRequest } from './load-request.js';

/** What a caller waits for, as far as the caller's own bounds concern it. */
export interface WaitedFor {
  /** The caller has gone, for a reason of its own. */
  leave(waiter: Waiter, reason: unknown): void;
  /** The caller has no more time. */
  runOutOfTime(waiter: Waiter): void;
}

/** A caller who waits for a load, and moves from one to the next if it must. */
export class Waiter {
  readonly request: LoadRequest<unknown>;
  /** The invalidation order at the call: nothing that was ended before may answer it. */
  readonly order: number;
  /** The load that this caller waits for now. */
  load: WaitedFor | undefined;
  /** When the patience with another caller's load ends; infinite for who started the load. */
  patientUntil = Infinity;
  /** How many loads of others this caller has waited for in vain. */
  waits = 0;
  /** The asynchronous context of the call, of one who joined a load and may have to start one. */
  context: AsyncResource | undefined;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #forgetBounds = nothing;

  constructor(
    request: LoadRequest<unknown>,
    order: number,
    { resolve, reject }: { resolve: (value: unknown) => void; reject: (error: unknown) => void },
  ) {
    this.request = request;
    this.order = order;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Ends the wait with the caller's signal, and when its time is over. */
  heedBounds(clock: Pick<Clock, 'setTimer'>): void {
    const { signal, waitTimeoutMs } = this.request;
    if (signal === undefined && waitTimeoutMs === undefined) return;
    const forgetSignal =
      signal === undefined ? nothing : onAbort(signal, () => this.load?.leave(this, signal.reason));
    const cancelTimer = clock.setTimer(
      () => this.load?.runOutOfTime(this),
      waitTimeoutMs ?? Infinity,
    );
    this.#forgetBounds = () => {
      forgetSignal();
      cancelTimer();
    };
  }

  /** Forgets the caller's signal and timeout: it is about to be answered. */
  forgetBounds(): void {
    this.#forgetBounds();
    this.#forgetBounds = nothing;
  }

  resolve(value: unknown): void {
    this.forgetBounds();
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.forgetBounds();
    this.#reject(error);
  }
}

function nothing(): void {}
