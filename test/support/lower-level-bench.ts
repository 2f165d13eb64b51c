import { expect } from '@jest/globals';
import { LowerLevel } from '../../lib/hierarchy/lower-level.js';
import { entryOf, ScriptedLevel } from './scripted-level.js';
import { VirtualClock } from './virtual-clock.js';

/** A lower level over one that a test scripts. */
export class LowerLevelBench {
  readonly clock = new VirtualClock();
  readonly level = new ScriptedLevel(this.clock);
  readonly lower: LowerLevel;

  constructor({ maxUnconfirmed = 100, timeoutMs = 100 } = {}) {
    const { clock, level } = this;
    const report = (): void => {};
    this.lower = new LowerLevel({
      name: 'remote',
      level,
      clock,
      report,
      timeoutMs,
      maxUnconfirmed,
    });
  }

  /** Lets the level have values of these keys. */
  have(...keys: string[]): void {
    for (const key of keys) this.level.put(key, entryOf(key, this.clock, { ttl: 1e6 }));
  }

  /** What the lower level reads of a key. */
  async valueOf(key: string): Promise<unknown> {
    return (await this.lower.read(key))?.value;
  }

  /** Closes it, and expects that no timer is left. */
  async close(): Promise<void> {
    await this.lower.close();
    expect(this.clock.pending).toBe(0);
  }
}
