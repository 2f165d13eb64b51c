import { loadName } from '../memory/load-name.js';
import type { Ticket } from '../memory/tickets.js';
import type { Found } from './lower-levels.js';

/** What a {@link LookupTable} needs from its owner. */
export interface LookupTablePorts {
  /** Opens a ticket for what a lower level has. */
  openPromotion(key: string): Ticket;
  closeTicket(ticket: Ticket): void;
  stands(ticket: Ticket): boolean;
  isValid(ticket: Ticket): boolean;
  isJoinable(ticket: Ticket): boolean;
}

/** How a key is looked up. */
export interface Lookup {
  readonly key: string;
  /** What it does otherwise than others: only one of the same variant is shared. */
  readonly variant: string | undefined;
  find(): Promise<Found | undefined>;
  /** Copies what was found into the levels above; settles when those have it that take time. */
  promote(found: Found, ticket: Ticket): Promise<unknown> | undefined;
}

/** What a lookup has come to. */
export interface LookupResult {
  readonly found: Found | undefined;
  /** Whether something was found that was invalidated or replaced before it came. */
  readonly lost: boolean;
}

interface Running {
  readonly ticket: Ticket;
  readonly result: Promise<LookupResult>;
}

/**
 * Looks keys up in levels that take time, one lookup for each key however many callers ask.
 *
 * A lookup holds a ticket from before the first level is asked: what was invalidated, set or loaded
 * meanwhile makes what it finds worthless, and nobody joins it any more.
 */
export class LookupTable {
  readonly #ports: LookupTablePorts;
  readonly #running = new Map<string, Running>();

  constructor(ports: LookupTablePorts) {
    this.#ports = ports;
  }

  /** Joins the lookup under way, or starts one. */
  find(lookup: Lookup): Promise<LookupResult> {
    const name = loadName(lookup);
    const running = this.#running.get(name);
    if (running !== undefined && this.#ports.isJoinable(running.ticket)) return running.result;
    const ticket = this.#ports.openPromotion(lookup.key);
    const result = this.#run(lookup, ticket, name);
    this.#running.set(name, { ticket, result });
    return result;
  }

  async #run(lookup: Lookup, ticket: Ticket, name: string): Promise<LookupResult> {
    let promoting: Promise<unknown> | undefined;
    try {
      const found = await lookup.find();
      if (found === undefined) return { found, lost: false };
      ticket.tags = found.entry.tags;
      if (!this.#ports.stands(ticket)) return { found: undefined, lost: true };
      if (this.#ports.isValid(ticket)) promoting = lookup.promote(found, ticket);
      return { found, lost: false };
    } finally {
      if (this.#running.get(name)?.ticket === ticket) this.#running.delete(name);
      if (promoting === undefined) this.#ports.closeTicket(ticket);
      else void this.#closeAfter(promoting, ticket);
    }
  }

  /** What is still being written above needs the ticket. */
  async #closeAfter(promoting: Promise<unknown>, ticket: Ticket): Promise<void> {
    await promoting;
    this.#ports.closeTicket(ticket);
  }
}
