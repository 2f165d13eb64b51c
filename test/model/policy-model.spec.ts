import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CacheHierarchy } from '../../lib/hierarchy/cache-hierarchy.js';
import { shareOf } from '../support/search-share.js';
import { agrees, SHAPES } from './policy-shapes.js';

const RUNS = shareOf(150);

describe(`${CacheHierarchy.name}: random programs over the whole policy`, () => {
  it.each(Object.entries(SHAPES))('do what a plain map does, with %s', async (_, shape) => {
    const checked = fc.assert(agrees(shape), { numRuns: RUNS, includeErrorInReport: true });

    await expect(checked).resolves.toBeUndefined();
  });
});
