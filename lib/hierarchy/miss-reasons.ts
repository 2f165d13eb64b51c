import type { Clock } from '../clock.js';
import type { Ticket } from '../memory/tickets.js';
import { MISS_REASONS, type DiscardReason, type MissReason } from './cache-events.js';
import type { HoldTable } from './hold-table.js';
import type { LevelWalk } from './level-walk.js';
import type { SkippedLevels } from './skipped-levels.js';

/** What {@link MissReasons} are made of. */
export interface MissReasonsPorts {
  readonly walk: LevelWalk;
  readonly holds: HoldTable;
  readonly clock: Clock;
}

/** Finds out why reads find nothing and loads are not stored, and counts the reasons of the former. */
export class MissReasons {
  readonly #ports: MissReasonsPorts;
  readonly #counts = Object.fromEntries(MISS_REASONS.map((reason) => [reason, 0])) as Counts;

  constructor(ports: MissReasonsPorts) {
    this.#ports = ports;
  }

  /** Tells why a key has no live entry in this process. */
  missed(key: string, skip: SkippedLevels): MissReason {
    return this.#unread(key, skip) ?? this.#ports.walk.whyNot(key);
  }

  /** Tells why the read that was just made found nothing, from what it has seen itself. */
  justMissed(key: string, skip: SkippedLevels): MissReason {
    const { walk } = this.#ports;
    return this.#unread(key, skip) ?? (walk.isDown ? 'level down' : walk.lastMiss);
  }

  count(reason: MissReason): void {
    this.#counts[reason] += 1;
  }

  /** How many reads no level in this process answered, by reason. */
  get counts(): Readonly<Counts> {
    return { ...this.#counts };
  }

  /** Remembers that what was loaded is not stored, where the next read is to tell of that. */
  noteDiscarded(key: string, reason: DiscardReason): void {
    if (reason === 'fenced' || reason === 'skipped' || reason === 'held')
      this.#ports.walk.noteAbsence(key, reason);
  }

  /** Tells why what was loaded for a ticket is not stored. */
  discarded(ticket: Ticket): DiscardReason {
    return this.#ports.holds.heldUntil(ticket) > ticket.openedAt ? 'held' : 'fenced';
  }

  /** What keeps a call from having what is there. */
  #unread(key: string, skip: SkippedLevels): 'skipped' | 'held' | undefined {
    const { holds, clock } = this.#ports;
    if (skip.read.size > 0) return 'skipped';
    return holds.heldUntil({ key, tags: undefined }) > clock.now() ? 'held' : undefined;
  }
}

type Counts = Record<MissReason, number>;
