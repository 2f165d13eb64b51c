/**
 * What a ticket is for: to store what a loader returns, what a caller of set or update gives, or what a
 * level below has.
 */
export type TicketKind = 'load' | 'write' | 'promotion';

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
  /** Set when nobody wants its value stored any more. */
  withdrawn: boolean;
}

/** What a {@link TicketTable} asks its owner. */
export interface TicketPorts {
  /** Clock time in milliseconds. */
  now(): number;
  /** The current invalidation order, see {@link Ticket.order}. */
  order(): number;
  /** Whether neither the ticket's tags nor its namespaces were invalidated since it was opened. */
  admits(ticket: Ticket): boolean;
  /** Clock time until which nothing that begins is to be stored under the ticket's key or tags. */
  heldUntil(ticket: Ticket): number;
}

/** The fences of a key: tickets whose serial is lower have lost their right. */
interface Fences {
  tickets: number;
  all: number;
  loads: number;
  promotions: number;
  /** How many values of sets and updates are on their way: nothing else is stored meanwhile. */
  writing: number;
}

/**
 * The tickets under way, and for each key that has one the fences that its invalidations have put
 * up: a fence is a serial, so putting one up takes the same time however many tickets it ends.
 * Nothing is kept for a key without a ticket.
 */
export class TicketTable {
  readonly #ports: TicketPorts;
  readonly #fences = new Map<string, Fences>();
  /** All of them, the oldest first. */
  readonly #open = new Set<Ticket>();
  #serial = 0;
  #cleared = 0;

  constructor(ports: TicketPorts) {
    this.#ports = ports;
  }

  /** How many tickets are under way. */
  get size(): number {
    return this.#open.size;
  }

  /** The invalidation order now: what begins now is only ended by later ones. */
  get order(): number {
    return this.#ports.order();
  }

  /** The oldest ticket under way: no invalidation after it may be forgotten. */
  get oldest(): Ticket | undefined {
    for (const ticket of this.#open) return ticket;
    return undefined;
  }

  /** Opens a ticket; every one must be closed. */
  open(key: string, kind: TicketKind, tags?: readonly string[]): Ticket {
    const ticket = this.make(key, kind, tags);
    this.#open.add(ticket);
    const fences = this.#fences.get(key);
    if (fences === undefined)
      this.#fences.set(key, { tickets: 1, all: 0, loads: 0, promotions: 0, writing: 0 });
    else fences.tickets += 1;
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
      withdrawn: false,
    };
  }

  /** Ends a ticket; ending it again does nothing. */
  close(ticket: Ticket): void {
    if (!this.#open.delete(ticket)) return;
    const fences = this.#fences.get(ticket.key)!;
    fences.tickets -= 1;
    if (fences.tickets === 0) this.#fences.delete(ticket.key);
  }

  /** Whether nothing has ended the ticket: its value may be returned, if not stored. */
  stands(ticket: Ticket): boolean {
    return !ticket.withdrawn && !this.#isFenced(ticket) && this.#ports.admits(ticket);
  }

  /** Whether the ticket's value may still be stored. */
  isValid(ticket: Ticket): boolean {
    return this.stands(ticket) && (ticket.kind === 'write' || !this.#isHeldBack(ticket));
  }

  /**
   * Whether the ticket's load may be joined: one that began while its key is held may be until that is
   * over, although its value is not stored.
   */
  isJoinable(ticket: Ticket): boolean {
    if (!this.stands(ticket)) return false;
    const heldUntil = this.#ports.heldUntil(ticket);
    return heldUntil <= ticket.openedAt || heldUntil > this.#ports.now();
  }

  /** Takes every ticket of a key away: it was deleted. */
  fence(key: string): void {
    this.fenceOlder(key, Infinity);
  }

  /** Takes the tickets of a key away that are older than `serial`, and those of all its loads. */
  fenceOlder(key: string, serial: number): void {
    const fences = this.#fences.get(key);
    if (fences === undefined) return;
    fences.all = Math.max(fences.all, Math.min(serial, this.#serial + 1));
    fences.loads = this.#serial + 1;
    fences.promotions = this.#serial + 1;
  }

  /**
   * Takes the tickets of a key's loads away that are older than `serial`, and those of its promotions,
   * which may have read what was there before: a value was stored.
   */
  fenceLoads(key: string, serial = Infinity): void {
    const fences = this.#fences.get(key);
    if (fences === undefined) return;
    fences.loads = Math.max(fences.loads, Math.min(serial, this.#serial + 1));
    fences.promotions = this.#serial + 1;
  }

  /**
   * Lets no load and no promotion of the ticket's key be stored until the returned function is called:
   * the value of a set or update is on its way to a lower level.
   */
  beginWriting({ key }: Ticket): () => void {
    const fences = this.#fences.get(key)!;
    fences.writing += 1;
    return () => {
      fences.writing -= 1;
    };
  }

  /** Takes every ticket away: everything was cleared. */
  fenceAll(): void {
    this.#cleared = this.#serial + 1;
  }

  /** Whether the key is held, or another value of it is on its way. */
  #isHeldBack(ticket: Ticket): boolean {
    if ((this.#fences.get(ticket.key)?.writing ?? 0) > 0) return true;
    return this.#ports.heldUntil(ticket) > ticket.openedAt;
  }

  #isFenced({ key, kind, serial }: Ticket): boolean {
    if (serial < this.#cleared) return true;
    const fences = this.#fences.get(key);
    if (fences === undefined) return false;
    if (serial < fences.all) return true;
    return (
      (kind === 'load' && serial < fences.loads) ||
      (kind === 'promotion' && serial < fences.promotions)
    );
  }
}
