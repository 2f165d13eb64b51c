import { isTimeFaked, soon, systemClock, type Clock } from './clock.js';

/** Two readings this close together, in milliseconds, make keeping one worthwhile. */
const BURST_GAP_MS = 0.01;
/** A reading that is kept serves so many times, which is about one call of the cache. */
const USES = 16;

/**
 * What the monotonic and the wall clock of a process say, read together: the one may stand still while the
 * machine is suspended, and only both tell that it was.
 *
 * After two readings within microseconds of each other a reading is kept, for 16 uses at most and at the longest
 * until the event loop goes on, so it is never older than what the process has last heard of others. A read of
 * the two costs as much as a hit, and one call of the cache may ask so often.
 */
export class BothClocks {
  /** Monotonic milliseconds, as {@link Clock.now} has them, of the last {@link read}. */
  now = -Infinity;
  /** Milliseconds since 1970 of the last {@link read}. */
  wallNow = -Infinity;
  readonly #clock: Clock;
  readonly #keeps: boolean;
  #usesLeft = 0;
  #forgetting = false;

  /** @param keeps whether a reading may be kept; where it may not each read is one of both clocks */
  constructor(clock: Clock, keeps: boolean) {
    this.#clock = clock;
    this.#keeps = keeps;
  }

  /** Reads both clocks, unless a reading of this turn of the event loop is kept. */
  read(): this {
    if (this.#usesLeft > 0) {
      this.#usesLeft -= 1;
      return this;
    }
    const before = this.now;
    this.now = this.#clock.now();
    this.wallNow = this.#clock.wallNow();
    if (this.#keeps && this.now - before < BURST_GAP_MS && !isTimeFaked()) this.#keep();
    return this;
  }

  #keep(): void {
    this.#usesLeft = USES;
    if (this.#forgetting) return;
    this.#forgetting = true;
    soon(() => {
      this.#forgetting = false;
      this.#usesLeft = 0;
    });
  }
}

const systemClocks = new BothClocks(systemClock, true);

/** Both clocks of a process; of any clock but the system's no reading is kept. */
export function bothClocksOf(clock: Clock): BothClocks {
  return clock === systemClock ? systemClocks : new BothClocks(clock, false);
}

/** The wall clock runs ahead of the monotonic one by less than this, in milliseconds, where it is only adjusted. */
const ADJUSTMENT_MS = 50;

/**
 * Tells that the machine was suspended: the monotonic clock may have stood still then, while other machines went
 * on. A wall clock that is put forward looks the same.
 */
export class SuspensionWatch {
  readonly #clocks: BothClocks;
  #gapMs: number;

  constructor(clocks: BothClocks) {
    this.#clocks = clocks;
    this.#gapMs = this.#readGap();
  }

  /** Whether it was suspended since this was asked last. */
  wasSuspended(): boolean {
    const before = this.#gapMs;
    this.#gapMs = this.#readGap();
    return this.#gapMs - before > ADJUSTMENT_MS;
  }

  #readGap(): number {
    const { now, wallNow } = this.#clocks.read();
    return wallNow - now;
  }
}
