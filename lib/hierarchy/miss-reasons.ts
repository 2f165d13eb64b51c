import type { Clock } from '../clock.js';
import type { Ticket } from '../memory/tickets.js';
import {
  MISS_REASONS,
  type CacheEvents,
  type DiscardReason,
  type MissReason,
} from './cache-events.js';
import type { HoldTable } from './hold-table.js';
import type { LevelWalk } from './level-walk.js';
import type { SkippedLevels } from './skipped-levels.js';

/** What {@link MissReasons} are made of. */
export interface MissReasonsPorts {
  readonly walk: LevelWalk;
  readonly holds: HoldTable;
  readonly events: CacheEvents;
  readonly clock: Clock;
}

/** Finds out why reads find nothing and loads are not stored, for those who listen, and counts the reasons. */
export class MissReasons {
  readonly #ports: MissReasonsPorts;
  readonly #counts = Object.fromEntries(MISS_REASONS.map((reason) => [reason, 0])) as Counts;

  constructor(ports: MissReasonsPorts) {
    this.#ports = ports;
  }

  /** Tells why a key has no live entry; to be asked before a read removes what has expired. */
  missed(key: string, skip: SkippedLevels): MissReason {
    const { walk, holds, events, clock } = this.#ports;
    if (skip.read.size > 0) return 'skipped';
    if (holds.heldUntil({ key, tags: undefined }) > clock.now()) return 'held';
    return walk.whyNot(key) ?? events.absenceOf(key);
  }

  /** Tells why the read that was just made found nothing, from what it has seen itself. */
  justMissed(key: string, skip: SkippedLevels): MissReason {
    const { walk, holds, clock } = this.#ports;
    if (skip.read.size > 0) return 'skipped';
    if (holds.heldUntil({ key, tags: undefined }) > clock.now()) return 'held';
    return walk.isDown ? 'level down' : walk.lastMiss;
  }

  count(reason: MissReason): void {
    this.#counts[reason] += 1;
  }

  /** How many reads no level in this process answered, by reason. */
  get counts(): Readonly<Counts> {
    return { ...this.#counts };
  }

  /** Tells why what was loaded for a ticket is not stored. */
  discarded(ticket: Ticket): DiscardReason {
    return this.#ports.holds.heldUntil(ticket) > ticket.openedAt ? 'held' : 'fenced';
  }
}

type Counts = Record<MissReason, number>;
