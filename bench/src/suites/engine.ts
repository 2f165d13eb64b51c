import type { Suite } from '../harness/suite.js';
import { fillWithGrowth, heldNewKeyAtCapacity, newKeyAtCapacity } from './eviction-and-fill.js';
import { memoryPerEntry, memoryWhileEvicting } from './heap.js';
import { expire, grow, holdMany } from './pauses.js';
import {
  awaitedOverwrite,
  overwrite,
  overwriteWithNewKeys,
  readHitWithNewKeys,
  readHitWithRepeatedKeys,
  readThroughHit,
  readThroughHitWithNewLoaders,
} from './reads-and-writes.js';

/** The memory level alone, against the cache most people use and against a bare `Map`. */
export const engine: Suite = {
  name: 'engine',
  cases: [
    readHitWithNewKeys(100_000),
    readHitWithRepeatedKeys(100_000),
    readHitWithRepeatedKeys(10_000),
    overwrite(100_000),
    overwriteWithNewKeys(100_000),
    awaitedOverwrite(100_000),
    newKeyAtCapacity(100_000),
    heldNewKeyAtCapacity(100_000),
    fillWithGrowth(1_000_000),
    readThroughHit(10_000),
    readThroughHitWithNewLoaders(10_000),
    memoryPerEntry(1_000_000),
    memoryWhileEvicting(1_000_000),
    expire(1_000_000, 1_000_000),
    expire(100_000, 1_000_000),
    grow(4_000_000),
    grow(10_000_000),
    holdMany(20_000_000),
  ],
};
