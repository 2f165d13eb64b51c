import { randomNumbers, zipfRequests } from '../workload.js';

/** How requests come. */
export interface OpenLoad {
  readonly perSecond: number;
  /** The part of them whose key was invalidated just before. */
  readonly missShare: number;
  readonly seconds: number;
  readonly seed: number;
}

/** The cache as this load uses it. */
export interface OpenLoadSubject {
  ask(key: string): Promise<number>;
  invalidate(key: string): unknown;
}

/** Latencies in milliseconds, the 99th percentiles. */
export interface OpenLoadLatency {
  readonly all: number;
  /** Of the requests whose key was there: they wait for nobody's load, or should not. */
  readonly hits: number;
}

/** Not measured: the first requests find code that is not compiled. */
const WARM_UP_SHARE = 0.2;

/**
 * Sends requests at fixed times, whatever became of those before, and returns how long they
 * took, counted from when each was to be sent. A cache that stalls
 * delays all that were due meanwhile, and is charged for it.
 */
export async function openLoad(
  { perSecond, missShare, seconds, seed }: OpenLoad,
  keys: readonly string[],
  subject: OpenLoadSubject,
): Promise<OpenLoadLatency> {
  const total = perSecond * seconds;
  const requests = zipfRequests({ keys: keys.length, requests: total, seed });
  const isMiss = spreadMisses(total, missShare, seed);
  const tookMs = new Float64Array(total);
  const open: Promise<void>[] = [];
  const startedAt = performance.now() + 10;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1_000));
    for (; sent < due; sent++) open.push(send(sent));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(open);
  const first = Math.floor(total * WARM_UP_SHARE);
  const all = tookMs.subarray(first);
  return { all: p99(all), hits: p99(all.filter((_, at) => isMiss[first + at] === 0)) };

  async function send(at: number): Promise<void> {
    const key = keys[requests[at]!]!;
    if (isMiss[at] === 1) void subject.invalidate(key);
    await subject.ask(key);
    tookMs[at] = performance.now() - (startedAt + (at * 1_000) / perSecond);
  }
}

/** The nearest rank: the smallest value that 99 % do not exceed. */
function p99(values: Float64Array): number {
  return values.toSorted()[Math.ceil(values.length * 0.99) - 1]!;
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
