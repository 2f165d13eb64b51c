import { jest } from '@jest/globals';
import * as fc from 'fast-check';
import { FaultyLevel, HeldLevel } from '../support/held-level.js';
import { PolicyComparison, type Shape } from './policy-comparison.js';
import type { Said } from './naive-entries.js';
import { defaults, SLOT, steps, type Step } from './policy-program.js';

const L1 = { ttl: 15 * SLOT };
const L2 = { ttl: 30 * SLOT };

const two: Shape = {
  enabled: true,
  defaults: {},
  ttl: 100 * SLOT,
  random: 0.25,
  levelsHere: 2,
  copyMs: undefined,
  options: () => ({ l1: L1 }),
};
/** What is drawn for a shared level is then the earliest moment: eager means the same everywhere. */
const EARLIEST = 63 / 64;
/** Caches as they are built. What differs for callers is in their rules, and only that. */
export const SHAPES = {
  'one level': { ...two, levelsHere: 1, options: () => ({ l2: false }) },
  'two levels': two,
  'copies that slide': { ...two, options: () => ({ l1: L1, slide: true }) },
  'a second level of its own': {
    ...two,
    options: (clock) => ({ l1: L1, l2: new FaultyLevel(clock, () => false) }),
  },
  'one level and a shared one': {
    ...two,
    random: EARLIEST,
    levelsHere: 1,
    copyMs: L1.ttl,
    options: (clock) => ({
      l1: L1,
      l2: false,
      remote: new HeldLevel('shared', clock, async (_, apply) => apply()),
    }),
  },
  'two levels and a shared one': {
    ...two,
    random: EARLIEST,
    copyMs: L2.ttl,
    options: (clock) => ({
      l1: L1,
      l2: L2,
      remote: new HeldLevel('shared', clock, async (_, apply) => apply()),
    }),
  },
  'nothing switched on': { ...two, enabled: false },
} satisfies Record<string, Shape>;

/**
 * Random programs do with a cache of this shape what they do with a plain map.
 *
 * @param fixed what every one of the caches says; the rest is random
 */
export function agrees(shape: Shape, fixed: Said = {}): fc.IAsyncProperty<[Said, Step[]]> {
  const programs = fc.array(steps, { maxLength: 60, size: 'max' });
  return fc.asyncProperty(defaults, programs, async (said, program) => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(shape.random);
    const both = new PolicyComparison({ ...shape, defaults: { ...said, ...fixed } });
    try {
      for (const each of program) {
        await each.run(both);
        await both.check();
      }
      await both.wait(1_000 * SLOT);
      await both.check();
    } finally {
      await both.cache.close();
      random.mockRestore();
    }
    return both.clock.pending === 0;
  });
}
