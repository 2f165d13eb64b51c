import type { Clock } from '../clock.js';

/**
 * Waits for an answer for so many milliseconds at most.
 *
 * @throws what the answer rejects with, or that it took too long
 */
export async function within<T>(
  clock: Pick<Clock, 'setTimer'>,
  ms: number,
  answer: Promise<T>,
): Promise<T> {
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(() => reject(new Error(`Redis has not answered within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel?.();
  }
}
