import { median } from './statistics.js';
import type { Sample } from './suite.js';

const WARM_UP_MS = 300;
/** What waits for a socket is compiled after thousands of times, which take longer; what takes too long is not. */
const WARM_UP_OPERATIONS = 60_000;
const LONGEST_WARM_UP_MS = 5_000;
const TIMED_RUNS = 7;
/** As many as even out what the machine does beside them. */
const PAIRED_RUNS = 25;

/**
 * Times a loop and returns nanoseconds per operation: the median of seven runs, after as many runs
 * as the compiler needs to settle. One loop a process: a second subject would make the loop's calls
 * polymorphic and charge its own cost to the first.
 *
 * @param operations how many operations one run does
 * @param run does them and returns their checksum
 */
export async function timePerOperation(operations: number, run: Loop): Promise<Sample> {
  const checksum = await warmUp(operations, run);
  const nanoseconds: number[] = [];
  while (nanoseconds.length < TIMED_RUNS) nanoseconds.push(await timeOnce(operations, run));
  return { value: median(nanoseconds), checksum };
}

/**
 * Times two loops that differ in one thing, and returns what that thing adds to an operation, in
 * nanoseconds: the median of the differences of runs that follow each other. They take turns in one
 * process, since what is looked for is less than two processes differ by; so they must share no call
 * that the compiler could specialise for one of them.
 */
export async function timeAddition(operations: number, loops: Addition): Promise<Sample> {
  const checksum = await warmUp(operations, loops.without);
  if ((await warmUp(operations, loops.with)) !== checksum)
    throw new Error('The two loops do not do the same.');
  const nanoseconds: number[] = [];
  while (nanoseconds.length < PAIRED_RUNS) {
    const without = await timeOnce(operations, loops.without);
    nanoseconds.push((await timeOnce(operations, loops.with)) - without);
  }
  return { value: median(nanoseconds), checksum };
}

/** Two loops of the same operations, and one does one thing more in each. */
export interface Addition {
  readonly without: Loop;
  readonly with: Loop;
}

/** Does all operations and returns their checksum. */
type Loop = () => number | Promise<number>;

async function warmUp(operations: number, run: Loop): Promise<number> {
  let checksum = 0;
  let done = 0;
  const startedAt = performance.now();
  const isWarm = (): boolean => {
    const tookMs = performance.now() - startedAt;
    return tookMs >= (done < WARM_UP_OPERATIONS ? LONGEST_WARM_UP_MS : WARM_UP_MS);
  };
  do {
    checksum = await run();
    done += operations;
  } while (!isWarm());
  return checksum;
}

async function timeOnce(operations: number, run: Loop): Promise<number> {
  const startedAt = performance.now();
  await run();
  return ((performance.now() - startedAt) * 1e6) / operations;
}
