import type { Clock } from '../clock.js';
import type { Ticket } from '../memory/tickets.js';
import type { CacheEvents, DiscardReason, MissReason } from './cache-events.js';
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

/** Finds out why reads find nothing and loads are not stored, for those who listen. */
export class MissReasons {
  readonly #ports: MissReasonsPorts;

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

  /** Tells why what was loaded for a ticket is not stored. */
  discarded(ticket: Ticket): DiscardReason {
    return this.#ports.holds.heldUntil(ticket) > ticket.openedAt ? 'held' : 'fenced';
  }
}
