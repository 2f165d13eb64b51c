import { expect } from '@jest/globals';
import { KeyLanes, type WriteTerms, type Written } from '../../lib/hierarchy/key-lanes.js';
import { LevelCalls } from '../../lib/hierarchy/level-calls.js';
import type { Ack, DeleteMode } from '../../lib/levels/cache-level.js';
import { entryOf, ScriptedLevel } from './scripted-level.js';
import { VirtualClock } from './virtual-clock.js';

export const LOADED: WriteTerms = { wanted: () => true, replaces: false };
export const SET: WriteTerms = { wanted: () => true, replaces: true };

/** The lanes of a level that a test scripts; what takes longer than 100 ms is given up. */
export class LanesBench {
  readonly clock = new VirtualClock();
  readonly level = new ScriptedLevel(this.clock);
  readonly calls: LevelCalls;
  readonly lanes: KeyLanes;
  /** How often a retry was asked for. */
  owes = 0;
  /** The times until which the level must not be read, of each overflow. */
  readonly overflows: number[] = [];

  constructor(maxKeys = 100) {
    const { clock, level } = this;
    this.calls = new LevelCalls({ level, clock, report: () => {}, timeoutMs: 100 });
    this.lanes = new KeyLanes({
      calls: this.calls,
      clock,
      timeoutMs: 100,
      maxKeys,
      owes: () => void (this.owes += 1),
      overflows: ({ until }) => void this.overflows.push(until),
    });
  }

  write(value: unknown, terms = LOADED, key = 'key', ttl = 1_000): Promise<Written> {
    return this.#over(this.lanes.write(key, entryOf(value, this.clock, { ttl }), terms));
  }

  remove(key = 'key', mode: DeleteMode = {}): Promise<Ack | undefined> {
    return this.#over(this.lanes.delete(key, mode));
  }

  valueOf(key = 'key'): unknown {
    return this.level.entries.read(key)?.value;
  }

  /** Closes everything, and expects that no timer is left. */
  async close(): Promise<void> {
    this.lanes.close();
    await this.calls.close();
    expect(this.clock.pending).toBe(0);
  }

  /** Settles when what follows from a change has happened, too. */
  async #over<T>(change: Promise<T>): Promise<T> {
    const result = await change;
    await this.clock.turn();
    return result;
  }
}
