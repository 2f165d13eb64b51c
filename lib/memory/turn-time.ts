import { isTimeFaked, soon, systemClock, type Clock } from '../clock.js';

/** The time as a cache's hot path asks for it. */
export interface TurnTime {
  /** For a read: milliseconds, not older than this turn of the event loop. */
  now(): number;
  /** For a write whose lifetime begins now. */
  nowForWrite(lifetimeMs: number): number;
}

/** Reads of the clock in a row, with calls this close together, that make keeping the time worthwhile. */
const BURST_READS = 8;
const BURST_GAP_MS = 0.05;
/** A time that is kept serves this many reads, or eight writes. */
const USES = 256;
const USES_OF_A_WRITE = USES / 8;
/** A lifetime below this many milliseconds always begins at a time that is read for it. */
const SHORT_LIFETIME_MS = 1_000;

/**
 * The system clock, read less often while a burst of calls goes on.
 *
 * After eight reads within microseconds of each other the time is kept, for 256 reads at most and
 * at the longest until the event loop goes on: a tick of this turn forgets it. So nothing that expired
 * is served in a later turn, also after a long computation; a chain of awaited hits, which all run in
 * one turn, reads the clock again and again; and an application that reads once a turn pays for no
 * tick. Milliseconds are whole, rounded down: V8 hands whole numbers from function to function
 * without an object for each.
 *
 * A write takes a kept time only right after another write, and every eighth reads the clock: whoever
 * computes for long between eight writes of one turn loses that of their lifetimes. Short lifetimes
 * never do.
 */
export class SystemTurnTime implements TurnTime {
  readonly #clock: Clock;
  /** What the clock said last, exactly and in whole milliseconds. */
  #readAt = -Infinity;
  #time = 0;
  #usesLeft = 0;
  /** How many uses there were when it was kept. */
  #uses = 0;
  /** What was left after the last write; if it still is, nothing was read or kept since. */
  #leftByWrite = -1;
  #streak = 0;
  #forgetting = false;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  now(): number {
    if (this.#usesLeft === 0) return this.#read();
    this.#usesLeft -= 1;
    return this.#time;
  }

  nowForWrite(lifetimeMs: number): number {
    const isKept = this.#usesLeft === this.#leftByWrite && this.#usesLeft >= USES_OF_A_WRITE;
    if (isKept && lifetimeMs >= SHORT_LIFETIME_MS) this.#usesLeft -= USES_OF_A_WRITE;
    else this.#read();
    this.#leftByWrite = this.#usesLeft;
    return this.#time;
  }

  #read(): number {
    const readAt = this.#clock.now();
    const calls = 1 + this.#uses - this.#usesLeft;
    this.#streak = readAt - this.#readAt < calls * BURST_GAP_MS ? this.#streak + 1 : 0;
    this.#readAt = readAt;
    this.#time = Math.floor(readAt);
    this.#uses = 0;
    this.#usesLeft = 0;
    this.#leftByWrite = -1;
    if (this.#streak >= BURST_READS && !isTimeFaked()) this.#keep();
    return this.#time;
  }

  #keep(): void {
    this.#uses = USES;
    this.#usesLeft = USES;
    if (this.#forgetting) return;
    this.#forgetting = true;
    soon(() => this.#forget());
  }

  #forget(): void {
    this.#forgetting = false;
    this.#uses = 0;
    this.#usesLeft = 0;
    this.#leftByWrite = -1;
    this.#streak = 0;
  }
}

const systemTurnTime = new SystemTurnTime();

/** The time of a cache with this clock: any but the system's is asked every time. */
export function turnTimeOf(clock: Clock): TurnTime {
  if (clock === systemClock) return systemTurnTime;
  return { now: () => clock.now(), nowForWrite: () => clock.now() };
}
