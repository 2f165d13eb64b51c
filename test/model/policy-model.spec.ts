import { describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { HeldLevel, FaultyLevel } from '../support/held-level.js';
import { PolicyComparison, type Shape } from './policy-comparison.js';
import { steps, type Step } from './policy-program.js';

const MINUTE = 64;
const L1 = { ttl: 15 * MINUTE };
const L2 = { ttl: 30 * MINUTE };

const two: Shape = {
  enabled: true,
  ttl: 100 * MINUTE,
  random: 0.25,
  levelsHere: 2,
  copyMs: undefined,
  options: () => ({ l1: L1 }),
};
/** What is drawn for a shared level is then the earliest moment: eager means the same everywhere. */
const EARLIEST = 63 / 64;
const SHAPES = {
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

const RUNS = Number(process.env['RUNS'] ?? 300);

function agrees(shape: Shape): fc.IAsyncProperty<[Step[]]> {
  return fc.asyncProperty(fc.array(steps, { maxLength: 60, size: 'max' }), async (program) => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(shape.random);
    const both = new PolicyComparison(shape);
    try {
      for (const each of program) {
        await each.run(both);
        await both.check();
      }
      await both.wait(1_000 * MINUTE);
      await both.check();
    } finally {
      await both.cache.close();
      random.mockRestore();
    }
    expect(both.clock.pending).toBe(0);
  });
}

describe(`${CacheHierarchy.name}: random programs over the whole policy`, () => {
  it.each(Object.entries(SHAPES))('do what a plain map does, with %s', async (_, shape) => {
    await expect(
      fc.assert(agrees(shape), { numRuns: RUNS, includeErrorInReport: true }),
    ).resolves.toBeUndefined();
  });
});
