/** What a ticket is for: to store what a loader returns, or what a caller of set or update gives. */
export type TicketKind = 'load' | 'write';

/**
 * The right to store a value under a key, taken when the load, set or update is called and checked
 * when its value is to be stored. An invalidation in between takes it away.
 */
export interface Ticket {
  readonly key: string;
  readonly kind: TicketKind;
  /** Ascending in the order of the calls. */
  readonly serial: number;
  /** The invalidation order when it was opened: later ones of its tags and namespaces end it. */
  readonly order: number;
  /** Clock time when it was opened, in milliseconds. */
  readonly openedAt: number;
  /** The tags known so far; a loader may add some while it runs. */
  tags: readonly string[] | undefined;
  /** Set when its key was invalidated or newly stored, or everything was cleared. */
  fenced: boolean;
  /** The next older ticket of the same key. */
  older: Ticket | undefined;
}

/** What a {@link TicketTable} asks its owner. */
export interface TicketPorts {
  /** Clock time in milliseconds. */
  now(): number;
  /** The current invalidation order, see {@link Ticket.order}. */
  order(): number;
  /** Whether neither the ticket's tags nor its namespaces were invalidated since it was opened. */
  admits(ticket: Ticket): boolean;
}

/**
 * The tickets under way. Nothing is kept for a key without one, so the table is as small as the
 * number of loads, sets and updates that are waiting for something.
 */
export class TicketTable {
  readonly #ports: TicketPorts;
  /** The newest ticket of each key; the others hang on it. */
  readonly #newest = new Map<string, Ticket>();
  /** All of them, the oldest first. */
  readonly #open = new Set<Ticket>();
  #serial = 0;

  constructor(ports: TicketPorts) {
    this.#ports = ports;
  }

  /** How many tickets are under way. */
  get size(): number {
    return this.#open.size;
  }

  /** The order of the oldest ticket under way: no later invalidation may be forgotten. */
  get oldestOrder(): number | undefined {
    for (const ticket of this.#open) return ticket.order;
    return undefined;
  }

  /** Opens a ticket; every one must be closed. */
  open(key: string, kind: TicketKind, tags?: readonly string[]): Ticket {
    const ticket = this.make(key, kind, tags);
    ticket.older = this.#newest.get(key);
    this.#newest.set(key, ticket);
    this.#open.add(ticket);
    return ticket;
  }

  /** Makes a ticket for a value that is stored in this same step: nothing can come in between. */
  make(key: string, kind: TicketKind, tags?: readonly string[]): Ticket {
    return {
      key,
      kind,
      serial: ++this.#serial,
      order: this.#ports.order(),
      openedAt: this.#ports.now(),
      tags,
      fenced: false,
      older: undefined,
    };
  }

  /** Ends a ticket. */
  close(ticket: Ticket): void {
    if (!this.#open.delete(ticket)) return;
    const { key, older } = ticket;
    const newest = this.#newest.get(key);
    if (newest !== ticket) unlink(newest, ticket);
    else if (older === undefined) this.#newest.delete(key);
    else this.#newest.set(key, older);
  }

  /** Whether the ticket's value may still be stored, and the ticket's load be joined. */
  isValid(ticket: Ticket): boolean {
    return !ticket.fenced && this.#ports.admits(ticket);
  }

  /** Takes every ticket of a key away: it was deleted. */
  fence(key: string): void {
    for (let ticket = this.#newest.get(key); ticket !== undefined; ticket = ticket.older) {
      ticket.fenced = true;
    }
  }

  /** Takes the tickets of a key's loads away that were opened before `serial`: a value was stored. */
  fenceLoads(key: string, serial = Infinity): void {
    for (let ticket = this.#newest.get(key); ticket !== undefined; ticket = ticket.older) {
      if (ticket.kind === 'load' && ticket.serial < serial) ticket.fenced = true;
    }
  }

  /** Takes every ticket away: everything was cleared. */
  fenceAll(): void {
    for (const ticket of this.#open) ticket.fenced = true;
  }
}

function unlink(newest: Ticket | undefined, ticket: Ticket): void {
  for (let newer = newest; newer !== undefined; newer = newer.older) {
    if (newer.older === ticket) newer.older = ticket.older;
  }
}
