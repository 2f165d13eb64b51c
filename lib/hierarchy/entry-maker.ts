import type { Clock } from '../clock.js';
import type { LevelEntry } from '../levels/cache-level.js';
import { NAMESPACE_SEPARATOR } from '../memory/cache-key.js';
import type { Ticket } from '../memory/tickets.js';
import type { StorePlan } from './call-options.js';
import { tryClone, UNCLONEABLE, type Isolation } from './isolation.js';
import { FOREVER, lifetimeOf } from './lifetime.js';
import type { StampTable } from './stamp-table.js';

/** What {@link EntryMaker} is made of. */
export interface EntryMakerOptions {
  readonly clock: Clock;
  readonly stamps: StampTable;
  readonly isolation: Isolation;
  /** Whether a level is shared with other processes. */
  readonly isShared: boolean;
  /** Whether what other processes change makes copies here misses: entries carry their order then. */
  readonly needsOrder: boolean;
  /** Hears of what is not to be stored. */
  readonly unstored: (ticket: Ticket, reason: 'skipped' | 'uncloneable') => void;
}

/** Makes the entries that the levels store, with everything about them fixed. */
export class EntryMaker {
  readonly #options: EntryMakerOptions;
  #unstored = 0;
  #uncloneable = 0;

  constructor(options: EntryMakerOptions) {
    this.#options = options;
  }

  /** Values that were not to be stored. */
  get unstored(): number {
    return this.#unstored;
  }

  /** Values that could not be copied. */
  get uncloneable(): number {
    return this.#uncloneable;
  }

  /** Returns the entry of a value, or `undefined` if it is not to be stored. */
  fresh(value: unknown, ticket: Ticket, plan: StorePlan): LevelEntry | undefined {
    const { clock, isolation } = this.#options;
    const lifetimeMs = lifetimeOf(value, plan, clock);
    if (plan.skipped || lifetimeMs <= 0) {
      this.#unstored += 1;
      this.#options.unstored(ticket, 'skipped');
      return undefined;
    }
    const kept = isolation === 'clone' ? tryClone(value) : value;
    if (kept === UNCLONEABLE) {
      this.#uncloneable += 1;
      this.#options.unstored(ticket, 'uncloneable');
      return undefined;
    }
    const { graceMs, eager } = plan.policy;
    const { loadMs } = plan;
    const now = clock.now();
    // What lives for ever ends a little earlier where it has grace: it can be expired then.
    const freshUntil = graceMs > 0 ? Math.min(now + lifetimeMs, FOREVER) : now + lifetimeMs;
    return {
      value: kept,
      bornAt: ticket.openedAt,
      freshUntil,
      staleUntil: now + lifetimeMs + graceMs,
      refreshAt: this.#refreshAt({ eager, from: now, freshUntil, loadMs }),
      tags: ticket.tags,
      loadMs,
      order: this.#orderOf(ticket, lifetimeMs + graceMs),
    };
  }

  /** Returns the entry that the levels above are to have of one found in a lower level; `undefined` for none. */
  promoted(entry: LevelEntry, ticket: Ticket, eager: number | undefined): LevelEntry | undefined {
    const { clock, isolation } = this.#options;
    if (isolation === 'clone' && tryClone(entry.value) === UNCLONEABLE) {
      this.#uncloneable += 1;
      return undefined;
    }
    const { value, bornAt, freshUntil, staleUntil, tags, loadMs } = entry;
    const now = clock.now();
    const from = Number.isFinite(bornAt) ? bornAt : now;
    const refreshAt = this.#refreshAt({ eager, from, freshUntil, loadMs });
    const order = this.#orderOf(ticket, staleUntil - now);
    return { value, bornAt, freshUntil, staleUntil, refreshAt, tags, loadMs, order };
  }

  /** Tagged and namespaced entries carry the order; how long they may live says how long stamps matter. */
  #orderOf({ key, tags, order }: Ticket, lifetimeMs: number): number | undefined {
    const isStamped = tags !== undefined || key.includes(NAMESPACE_SEPARATOR);
    if (!isStamped) return this.#options.needsOrder ? order : undefined;
    this.#options.stamps.noteLifetime(lifetimeMs);
    return order;
  }

  /**
   * When an entry is to be loaded anew behind its callers. Where processes share a level each of them
   * draws a moment between that and the end, the later the shorter the load, so that one of them
   * comes first and the others find what it brought (XFetch: Vattani, Chierichetti, Lowenstein, Optimal
   * Probabilistic Cache Stampede Prevention, VLDB 2015).
   */
  #refreshAt({ eager, from, freshUntil, loadMs = 0 }: EagerSpan): number | undefined {
    if (eager === undefined) return undefined;
    const earliest = from + eager * (freshUntil - from);
    if (!this.#options.isShared || earliest === Infinity) return earliest;
    const mean = Math.max(loadMs, (freshUntil - earliest) / MEANS_IN_SPAN);
    return Math.max(earliest, freshUntil + mean * Math.log(1 - Math.random()));
  }
}

interface EagerSpan {
  readonly eager: number | undefined;
  readonly from: number;
  readonly freshUntil: number;
  readonly loadMs: number | undefined;
}

/** So many mean distances from the end fit in the time for refreshes: 2 % of the draws are before it. */
const MEANS_IN_SPAN = 4;
