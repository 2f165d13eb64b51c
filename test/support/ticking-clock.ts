import { SteppedClock } from './stepped-clock.js';

/** A clock on which every look takes time: whoever works until a budget is spent comes to its end. */
export class TickingClock extends SteppedClock {
  /** How far each look at the clock moves it, in milliseconds. */
  tickMs = 0;

  override now(): number {
    this.block(this.tickMs);
    return super.now();
  }
}
