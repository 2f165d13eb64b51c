import { pause } from './instance.js';

/** Waits for what is to become true; fails when that takes too long. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  patienceMs = 10_000,
): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`it does not hold after ${patienceMs} ms`);
    await pause(5);
  }
}
