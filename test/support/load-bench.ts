import { LoadTable } from '../../lib/memory/load-table.js';
import type { LoadRequest, RunningLoad } from '../../lib/memory/load-request.js';
import { TicketTable } from '../../lib/memory/tickets.js';
import { VirtualClock } from './virtual-clock.js';

/** A load table with the tickets and the clock that it works on. */
export class LoadBench {
  readonly clock = new VirtualClock();
  readonly tickets = new TicketTable({
    now: () => this.clock.now(),
    order: () => this.#order,
    admits: ({ tags, order }) => tags === undefined || order >= this.#tagsEndedAt,
    heldUntil: () => -Infinity,
  });
  readonly loads: LoadTable;
  #order = 1;
  #tagsEndedAt = 0;

  constructor(joinTimeoutMs = 1_000) {
    const { clock, tickets } = this;
    this.loads = new LoadTable({ clock, tickets, joinTimeoutMs });
  }

  /** Asks for `'key'`, or another one, with a loader of this caller's own. */
  ask<T>(
    loader: (load: RunningLoad) => T | Promise<T>,
    { key = 'key', ...request }: Partial<LoadRequest<T>> = {},
  ): Promise<T> {
    return this.loads.run<T>({
      key,
      ...request,
      load: async (load) => load.call(() => loader(load)),
    });
  }

  /** Ends every ticket with tags that was opened before. */
  invalidateTags(): void {
    this.#order += 1;
    this.#tagsEndedAt = this.#order;
  }

  /** Ends no ticket: what is invalidated concerns none. */
  invalidateSomethingElse(): void {
    this.#order += 1;
  }

  /** What is still there when everything has come to its end: nothing. */
  get leftovers(): { loads: number; tickets: number; timers: number } {
    return { loads: this.loads.size, tickets: this.tickets.size, timers: this.clock.pending };
  }
}

export const NOTHING = { loads: 0, tickets: 0, timers: 0 };
