import type { Case } from '../harness/suite.js';
import type { OpenStore } from '../subjects.js';
import { heldKeys } from '../workload.js';
import { show, storeCase } from './store-case.js';

/** Once over is not enough: by chance some parts of a cache would not have evicted yet. */
const EVICTED_SHARE = 1.2;

/** What an entry with a number as its value takes while a cache fills. */
export function memoryPerEntry(entries: number): Case {
  const name = `memory of ${show(entries)} entries, number values`;
  return storeCase({ name, unit: 'bytes/entry' }, (open) => measure(open, entries, entries));
}

/** The same after every part of the cache has evicted. `Map` holds more entries then. */
export function memoryWhileEvicting(entries: number): Case {
  const measured = storeCase(
    { name: `memory of ${show(entries)} entries while evicting`, unit: 'bytes/entry' },
    (open) => measure(open, entries, entries * (1 + EVICTED_SHARE)),
  );
  const { Map: _, ...subjects } = measured.subjects;
  return { ...measured, subjects, against: ['lru-cache'] };
}

/**
 * The keys are made before and kept after, so their own bytes are in neither sum; nor is the code,
 * which a first cache has loaded.
 */
async function measure(
  open: OpenStore,
  maxEntries: number,
  writes: number,
): Promise<{ value: number; checksum: number }> {
  await open(1);
  const keys = heldKeys(writes);
  const before = heapBytes();
  const store = await open(maxEntries);
  for (let id = 0; id < writes; id++) store.set(keys[id]!, id);
  const value = (heapBytes() - before) / maxEntries;
  return { value, checksum: store.get(keys[writes - 1]!)! };
}

function heapBytes(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  // `external` has the array buffers in it.
  return heapUsed + Math.max(external, arrayBuffers);
}
