import type { Clock } from '../clock.js';
import type { Ticket } from '../memory/tickets.js';

/** What a {@link HoldTable} is made of. */
export interface HoldTablePorts {
  readonly clock: Clock;
  /** The most holds it keeps. */
  readonly maxHolds: number;
  /** When the oldest operation under way began, if there is one. */
  oldestOpenedAt(): number | undefined;
}

/**
 * The keys and tags whose loads are not to be stored for a while after an invalidation, since they may
 * read what was there before it: a replica that lags, a transaction that is not committed.
 *
 * What began before a hold had passed is returned and not stored. A hold is forgotten when it has
 * passed and nothing is under way that began before. Beyond `maxHolds` no load at all is stored that
 * begins before the first of the forgotten ones would have passed.
 */
export class HoldTable {
  readonly #ports: HoldTablePorts;
  /** By `#` and the tag, or by the key after a space. */
  readonly #until = new Map<string, number>();
  #allUntil = -Infinity;

  constructor(ports: HoldTablePorts) {
    this.#ports = ports;
  }

  /** How many holds are kept. */
  get size(): number {
    return this.#until.size;
  }

  /** Holds a key for so long from now; never shortens a hold. */
  holdKey(key: string, holdMs: number): void {
    this.#hold(` ${key}`, holdMs);
  }

  /** Holds whatever carries a tag. */
  holdTag(tag: string, holdMs: number): void {
    this.#hold(`#${tag}`, holdMs);
  }

  /** Clock time until which nothing that begins is to be stored under the ticket's key or tags. */
  heldUntil({ key, tags }: Pick<Ticket, 'key' | 'tags'>): number {
    if (this.#until.size === 0) return this.#allUntil;
    let until = Math.max(this.#allUntil, this.#until.get(` ${key}`) ?? -Infinity);
    for (const tag of tags ?? []) until = Math.max(until, this.#until.get(`#${tag}`) ?? -Infinity);
    return until;
  }

  #hold(name: string, holdMs: number): void {
    const until = this.#ports.clock.now() + holdMs;
    this.#prune();
    this.#until.set(name, Math.max(until, this.#until.get(name) ?? -Infinity));
    if (this.#until.size > this.#ports.maxHolds) this.#forgetOldest();
  }

  #prune(): void {
    const oldest = Math.min(this.#ports.clock.now(), this.#ports.oldestOpenedAt() ?? Infinity);
    for (const [name, until] of this.#until) if (until <= oldest) this.#until.delete(name);
  }

  #forgetOldest(): void {
    let [first, earliest] = ['', Infinity];
    for (const [name, until] of this.#until)
      if (until < earliest) [first, earliest] = [name, until];
    this.#until.delete(first);
    this.#allUntil = Math.max(this.#allUntil, earliest);
  }
}
