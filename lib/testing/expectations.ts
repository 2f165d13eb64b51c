import { AssertionError } from 'node:assert';
import type { LoadFailedEvent, MissEvent, MissReason } from '../hierarchy/cache-events.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';
import { recordCache, type CacheRecorder, type RecordedEvent } from './cache-recorder.js';

/**
 * Runs something and expects the cache to answer for it: with a hit at least, and no miss. Whatever
 * else reads the cache meanwhile counts.
 *
 * @returns what it returned
 * @throws {AssertionError} that tells what was seen instead
 */
export async function expectHit<T>(cache: CacheHierarchy, run: () => T | Promise<T>): Promise<T> {
  const [result, seen] = await watch(cache, run);
  if (seen.hits() > 0 && seen.misses() === 0) return result;
  throw failure('a hit', seen, expectHit);
}

/**
 * Runs something and expects the cache not to answer for it: a miss at least, and no hit.
 *
 * @param reason why it is to miss, for every miss; any reason will do without it
 * @returns what it returned
 * @throws {AssertionError} that tells what was seen instead
 */
export async function expectMiss<T>(
  cache: CacheHierarchy,
  run: () => T | Promise<T>,
  reason?: MissReason,
): Promise<T> {
  const [result, seen] = await watch(cache, run);
  const reasons = seen.missReasons();
  const isMeant = reason === undefined || reasons.every((each) => each === reason);
  if (reasons.length > 0 && seen.hits() === 0 && isMeant) return result;
  throw failure(reason === undefined ? 'a miss' : `a miss (${reason})`, seen, expectMiss);
}

/**
 * Runs something and expects so many loaders to be called meanwhile.
 *
 * @returns what it returned
 * @throws {AssertionError} that tells what was seen instead
 */
export async function expectLoads<T>(
  cache: CacheHierarchy,
  loads: number,
  run: () => T | Promise<T>,
): Promise<T> {
  const [result, seen] = await watch(cache, run);
  if (seen.loads() === loads) return result;
  throw failure(loads === 1 ? '1 load' : `${loads} loads`, seen, expectLoads);
}

async function watch<T>(
  cache: CacheHierarchy,
  run: () => T | Promise<T>,
): Promise<[T, CacheRecorder]> {
  const seen = recordCache(cache);
  try {
    return [await run(), seen];
  } finally {
    seen.stop();
  }
}

function failure(expected: string, seen: CacheRecorder, stackStartFn: Function): AssertionError {
  const actual = seen.events.map(describe);
  const message =
    actual.length === 0
      ? `Expected ${expected}, and nothing was asked of the cache.`
      : `Expected ${expected}, and saw: ${actual.join(', ')}.`;
  return new AssertionError({
    message,
    actual,
    expected,
    operator: stackStartFn.name,
    stackStartFn,
  });
}

function describe({ kind, event }: RecordedEvent): string {
  const key = JSON.stringify([...event.namespace, event.key].join(' > '));
  if (kind === 'miss') return `miss ${key} (${(event as MissEvent).reason})`;
  if (kind === 'loadFailed')
    return `loadFailed ${key} (${String((event as LoadFailedEvent).error)})`;
  return `${kind} ${key}`;
}
