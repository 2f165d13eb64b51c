import { median } from './statistics.js';
import type { Sample } from './suite.js';

const WARM_UP_MS = 300;
const TIMED_RUNS = 7;

/**
 * Times a loop and returns nanoseconds per operation: the median of seven runs, after as many runs
 * as the compiler needs to settle. One loop a process: a second subject would make the loop's calls
 * polymorphic and charge its own cost to the first.
 *
 * @param operations how many operations one run does
 * @param run does them and returns their checksum
 */
export async function timePerOperation(
  operations: number,
  run: () => number | Promise<number>,
): Promise<Sample> {
  let checksum = 0;
  const warmAt = performance.now() + WARM_UP_MS;
  do {
    checksum = await run();
  } while (performance.now() < warmAt);

  const nanoseconds: number[] = [];
  while (nanoseconds.length < TIMED_RUNS) {
    const startedAt = performance.now();
    checksum = await run();
    nanoseconds.push(((performance.now() - startedAt) * 1e6) / operations);
  }
  return { value: median(nanoseconds), checksum };
}
