import { expect } from '@jest/globals';
import { Sweeper, type SweeperOptions, type SweepRun } from '../../lib/memory/sweeper.js';
import { FakeSweepable } from './fake-sweepable.js';
import { SteppedClock } from './stepped-clock.js';

/** A sweeper with the clock that it works by, and what it tells of its runs. */
export class SweeperBench {
  readonly clock = new SteppedClock();
  readonly runs: SweepRun[] = [];
  readonly sweeper: Sweeper;

  constructor(options: SweeperOptions = {}) {
    const { clock, runs } = this;
    this.sweeper = new Sweeper({ clock, onRun: (run) => runs.push(run), ...options });
  }

  /** Adds something to sweep. */
  add(name: string, sweepEveryMs = Infinity, slices = 1): FakeSweepable {
    const swept = new FakeSweepable(name, sweepEveryMs, this.clock);
    swept.slices = slices;
    this.sweeper.add(swept);
    return swept;
  }

  /** Stops it, and expects that no timer is left. */
  stop(): void {
    this.sweeper.stop();
    expect(this.clock.pending).toBe(0);
  }
}
