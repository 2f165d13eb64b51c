import type { Clock } from '../clock.js';
import type { LevelChange } from '../levels/change-feed.js';

/** How far behind its server a replica may be, in milliseconds: what is older is on both. */
const KEEP_MS = 30_000;
/** So many changes are remembered one by one; beyond that it is as if everything had been cleared, and held. */
const MAX_CHANGES = 10_000;
/** So long after the last time what is old is forgotten, in milliseconds: each time costs more than one change. */
const FORGET_EVERY_MS = 1_000;

/** A change that may have to be made once more. */
export interface RecentChange {
  readonly change: LevelChange;
  /** Clock time until which nothing that is loaded of it is to be stored. */
  readonly heldUntil: number;
}

interface Noted extends RecentChange {
  readonly at: number;
}

/**
 * What this process has invalidated or replaced lately. A server that is replaced by its replica can have
 * lost what it had acknowledged, since replicas follow a little later: all of this is done once more then.
 *
 * How late is counted from when the server was known to have everything, however long it is away after that.
 */
export class RecentChanges {
  readonly #clock: Pick<Clock, 'now'>;
  /** By what was changed, the oldest first. */
  readonly #noted = new Map<string, Noted>();
  #forgotAt = -Infinity;
  #overflowedAt = -Infinity;
  /** The longest hold of what there was no place for. */
  #overflowHeldUntil = -Infinity;
  /** When the server had everything last. */
  #confirmedAt = Infinity;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  note(name: string, change: LevelChange, holdMs = 0): void {
    const now = this.#clock.now();
    const heldUntil = Math.max(now + holdMs, this.#noted.get(name)?.heldUntil ?? -Infinity);
    this.#noted.delete(name);
    this.#noted.set(name, { change, at: now, heldUntil });
    if (now - this.#forgotAt >= FORGET_EVERY_MS) this.#forgetOld(now);
    if (this.#noted.size > MAX_CHANGES) this.#overflow(now);
  }

  /** The server had everything at a time: it is still the one that it was. */
  confirm(at: number): void {
    this.#confirmedAt = at;
  }

  /** What is to be done once more: where there was no place for all of it everything is cleared, and held. */
  list(): readonly RecentChange[] {
    const since = this.#keptSince();
    const kept = [...this.#noted.values()].filter(({ at }) => at >= since);
    if (this.#overflowedAt < since) return kept;
    const heldUntil = kept.reduce(
      (longest, one) => Math.max(longest, one.heldUntil),
      this.#overflowHeldUntil,
    );
    return [{ change: { kind: 'clear', prefix: '' }, heldUntil }];
  }

  #forgetOld(now: number): void {
    this.#forgotAt = now;
    const since = this.#keptSince();
    for (const [name, { at }] of this.#noted) {
      if (at >= since) return;
      this.#noted.delete(name);
    }
  }

  /** From now on all of these are in one clear. */
  #overflow(now: number): void {
    this.#overflowedAt = now;
    for (const { heldUntil } of this.#noted.values())
      this.#overflowHeldUntil = Math.max(this.#overflowHeldUntil, heldUntil);
    this.#noted.clear();
  }

  #keptSince(): number {
    return Math.min(this.#confirmedAt, this.#clock.now()) - KEEP_MS;
  }
}
