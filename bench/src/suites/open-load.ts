import { randomNumbers, zipfRequests } from '../workload.js';

/** How requests come. */
export interface OpenLoad {
  readonly perSecond: number;
  /** The part of them that asks for a key of its own, which is not there. */
  readonly missShare: number;
  readonly seconds: number;
  readonly seed: number;
}

/** Not measured: the first requests find code that is not compiled. */
const WARM_UP_SHARE = 0.2;

/**
 * Sends requests at fixed times, whatever became of those before, and returns the 99th percentile of
 * how long they took, in milliseconds, counted from when each was to be sent. A cache that stalls
 * delays all that were due meanwhile, and is charged for it.
 */
export async function openLoad(
  { perSecond, missShare, seconds, seed }: OpenLoad,
  hot: readonly string[],
  ask: (key: string) => Promise<number>,
): Promise<number> {
  const total = perSecond * seconds;
  const requests = zipfRequests({ keys: hot.length, requests: total, seed });
  const isMiss = spreadMisses(total, missShare, seed);
  const keys = Array.from(requests, (id, at) => (isMiss[at] === 1 ? `new:${at}` : hot[id]!));
  const tookMs = new Float64Array(total);
  const open: Promise<void>[] = [];
  const startedAt = performance.now() + 10;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1_000));
    for (; sent < due; sent++) open.push(send(sent));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(open);
  const measured = tookMs.subarray(Math.floor(total * WARM_UP_SHARE)).toSorted();
  // The nearest rank: the smallest value that 99 % do not exceed.
  return measured[Math.ceil(measured.length * 0.99) - 1]!;

  async function send(at: number): Promise<void> {
    await ask(keys[at]!);
    tookMs[at] = performance.now() - (startedAt + (at * 1_000) / perSecond);
  }
}

/** Exactly the share that is asked for: one miss somewhere in each stretch of requests. */
function spreadMisses(total: number, share: number, seed: number): Uint8Array {
  const random = randomNumbers(seed);
  const misses = new Uint8Array(total);
  const stretch = Math.round(1 / share);
  for (let first = 0; first + stretch <= total; first += stretch) {
    misses[first + Math.floor(random() * stretch)] = 1;
  }
  return misses;
}
