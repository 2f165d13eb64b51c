import type { TestedKeyLock } from './forgetful-key-lock.js';
import { settle } from './virtual-clock.js';

/**
 * Sends three callers through one lock: the second waits for the first, and the third comes when
 * the second was just handed the lock. Returns who went in and out, in order.
 */
export async function threeCallerHandOff(
  lock: TestedKeyLock,
  grantAll: () => void = () => {},
): Promise<string[]> {
  const seen: string[] = [];
  const releases = new Map<string, () => void>();
  const enter = (caller: string): void => {
    void lock.acquire('key').then((release) => {
      seen.push(`${caller} in`);
      releases.set(caller, release);
    });
  };
  const leave = (caller: string): void => {
    seen.push(`${caller} out`);
    releases.get(caller)?.();
  };

  enter('first');
  await settle();
  enter('second');
  await settle();
  leave('first');
  enter('third');
  await settle();
  grantAll();
  await settle();
  leave('second');
  await settle();
  grantAll();
  await settle();
  leave('third');
  return seen;
}
