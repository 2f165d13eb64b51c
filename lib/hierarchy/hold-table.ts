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

/** To look through so many holds costs next to nothing. */
const FEW = 64;

/**
 * The keys and tags whose loads are not to be stored for a while after an invalidation, since they may
 * read what was there before it: a replica that lags, a transaction that is not committed.
 *
 * What began before a hold had passed is returned and not stored. A hold can be forgotten when it has
 * passed and nothing is under way that began before. Beyond `maxHolds` those that pass first are
 * forgotten all the same, and no load at all is stored that begins before they would have passed.
 */
export class HoldTable {
  readonly #ports: HoldTablePorts;
  /** By `#` and the tag, or by the key after a space. */
  readonly #until = new Map<string, number>();
  #allUntil = -Infinity;
  /** With so many holds it is looked which have passed: a share of the work of each. */
  #pruneAt = 0;

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
    this.#until.set(name, Math.max(until, this.#until.get(name) ?? -Infinity));
    if (this.#until.size < this.#pruneAt) return;
    this.#prune();
    if (this.#until.size > this.#ports.maxHolds) this.#forgetOldest();
    const { size } = this.#until;
    this.#pruneAt = size < FEW ? 0 : Math.min(2 * size, this.#ports.maxHolds) + 1;
  }

  #prune(): void {
    const oldest = Math.min(this.#ports.clock.now(), this.#ports.oldestOpenedAt() ?? Infinity);
    for (const [name, until] of this.#until) if (until <= oldest) this.#until.delete(name);
  }

  /** Forgets a tenth of them, so that this is not done for every hold. */
  #forgetOldest(): void {
    const { maxHolds } = this.#ports;
    const byEnd = [...this.#until].toSorted(([, one], [, other]) => one - other);
    const forgotten = byEnd.slice(0, byEnd.length - Math.ceil(0.9 * maxHolds));
    for (const [name] of forgotten) this.#until.delete(name);
    this.#allUntil = Math.max(this.#allUntil, forgotten.at(-1)?.[1] ?? -Infinity);
  }
}
