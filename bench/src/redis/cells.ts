import type { Sample, Subject } from '../harness/suite.js';
import { RedisProcess } from './redis-process.js';

/** So many keys are read or written one after another. */
export const KEYS = 2_000;
export const TTL_MS = 600_000;
export const PAYLOAD = 'x'.repeat(100);
/** So many callers at a time. */
export const CALLERS = 50;

export type Level = ReturnType<(typeof import('nestjs-cache-hierarchy/redis'))['redisLevel']>;

/** Gives a cell a server of its own. */
export function withServer(measure: (server: RedisProcess) => Promise<Sample>): Subject {
  return async () => {
    await using server = await RedisProcess.start();
    return await measure(server);
  };
}

/** Gives a cell a level over a server of its own. */
export function withLevel(measure: (level: Level) => Promise<Sample>): Subject {
  return withServer(async ({ client }) => {
    const { redisLevel } = await import('nestjs-cache-hierarchy/redis');
    const level = redisLevel({ client });
    try {
      return await measure(level);
    } finally {
      await level.close();
    }
  });
}

/** A cache that is closed where its block ends. */
export function closing<C extends { close(): Promise<void> }>(cache: C): C & AsyncDisposable {
  return Object.assign(cache, { [Symbol.asyncDispose]: () => cache.close() });
}

export function entryOf(
  value: unknown,
): Parameters<Level['write']>[0] extends ReadonlyMap<string, infer E> ? E : never {
  const until = performance.now() + TTL_MS;
  return { value, bornAt: performance.now(), freshUntil: until, staleUntil: until };
}

/** Adds up what comes of the keys, one after another. */
export async function sumOf(
  keys: readonly string[],
  count: (key: string) => Promise<number>,
): Promise<number> {
  let sum = 0;
  for (const key of keys) sum += await count(key);
  return sum;
}

/** Has so many callers work through the keys, each with one at a time. */
export async function byCallers(
  callers: number,
  keys: readonly string[],
  call: (key: string, at: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < keys.length) {
      const at = next++;
      await call(keys[at]!, at);
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
}
