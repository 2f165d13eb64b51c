import { heldKeys, randomNumbers, zipfRequests } from '../workload.js';

/** How requests come. */
export interface OpenLoad {
  readonly perSecond: number;
  /** The part of them whose key nobody has asked for before. */
  readonly missShare: number;
  readonly seconds: number;
  readonly seed: number;
}

/** Latencies in milliseconds, the 99th percentiles. */
export interface OpenLoadLatency {
  readonly all: number;
  /** Of the requests whose key is there: they wait for nobody's load, or should not. */
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
  ask: (key: string) => Promise<number>,
): Promise<OpenLoadLatency> {
  const total = perSecond * seconds;
  const requests = zipfRequests({ keys: keys.length, requests: total, seed });
  const isMiss = spreadMisses(total, missShare, seed);
  const newKeys = heldKeys(Math.ceil(total * missShare), keys.length);
  let misses = 0;
  const tookMs = new Float64Array(total);
  let answered = 0;
  let finish: () => void;
  // The promises are not kept: a hundred thousand would make the collector part of the figure.
  const allAnswered = new Promise<void>((resolve) => (finish = resolve));
  const startedAt = performance.now() + 10;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1_000));
    for (; sent < due; sent++) void send(sent);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await allAnswered;
  const first = Math.floor(total * WARM_UP_SHARE);
  const all = tookMs.subarray(first);
  return { all: p99(all), hits: p99(all.filter((_, at) => isMiss[first + at] === 0)) };

  async function send(at: number): Promise<void> {
    const key = isMiss[at] === 1 ? newKeys[misses++]! : keys[requests[at]!]!;
    await ask(key);
    tookMs[at] = performance.now() - (startedAt + (at * 1_000) / perSecond);
    if (++answered === total) finish();
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
