import type { Case, Subject } from '../harness/suite.js';
import { timePerOperation } from '../harness/timing.js';
import type { OpenReadThrough } from '../subjects.js';
import { heldKeys, zipfRequests } from '../workload.js';

const REQUESTS = 500_000;

/** A hit of the read-through call, with the key objects of the entries, awaited one by one. */
export function awaitedHit(
  name: string,
  entries: number,
  subjects: Readonly<Record<string, OpenReadThrough>>,
): Pick<Case, 'name' | 'unit' | 'subjects'> {
  return {
    name: `${name}, ${entries / 1_000}k entries, repeated keys`,
    unit: 'ns/op',
    subjects: Object.fromEntries(
      Object.entries(subjects).map(([subject, open]) => [subject, hits(open, entries)]),
    ),
  };
}

function hits(open: OpenReadThrough, entries: number): Subject {
  return async ({ round }) => {
    const keys = heldKeys(entries);
    const read = await open(entries * 2, async (key) => key.length);
    for (const key of keys) await read(key);
    const requests = zipfRequests({ keys: entries, requests: REQUESTS, seed: round });
    const requested = Array.from(requests, (id) => keys[id]!);
    return timePerOperation(REQUESTS, async () => {
      let sum = 0;
      for (const key of requested) sum += await read(key);
      return sum;
    });
  };
}
