import { tryParseDuration } from '../../lib/durations.js';
import type { InvalidOptionsError } from '../../lib/errors.js';
import { resolveHierarchyOptions } from '../../lib/hierarchy/hierarchy-options.js';
import type { ResolvedLevelOptions } from '../../lib/memory/cache-options.js';

/** The option names that an error about an unknown one has. */
export function namedIn(refused: () => unknown): string[] {
  const said = 'is unknown; known are ';
  try {
    refused();
  } catch (error) {
    const { problems } = error as InvalidOptionsError;
    const { message } = problems.find((problem) => problem.message.startsWith(said))!;
    return message.replace(said, '').split(', ');
  }
  return [];
}

/** A default as the tables write it: `'60s'`, `5000`, `true`, `Infinity`, or nothing. */
export function valueOf(cell: string): unknown {
  if (cell === '') return undefined;
  if (cell.startsWith("'")) return tryParseDuration(cell.slice(1, -1)) ?? cell.slice(1, -1);
  if (cell === 'true' || cell === 'false') return cell === 'true';
  return Number(cell);
}

/** The defaults of the cache's options, option by option, as the code has them. */
export function defaultsOfCache(): Record<string, unknown> {
  const defaults = resolveHierarchyOptions({});
  const { policy } = defaults;
  return {
    enabled: defaults.enabled,
    ttl: policy.ttlMs,
    grace: policy.graceMs > 0,
    softTimeout: policy.softTimeoutMs < Infinity,
    hardTimeout: policy.hardTimeoutMs < Infinity,
    throttle: policy.throttleMs > 0,
    eager: policy.eager !== undefined,
    jitter: policy.jitter,
    negativeTtl: policy.negativeTtlMs !== undefined,
    isolation: defaults.isolation,
    slide: defaults.slide,
    joinTimeout: defaults.joinTimeoutMs,
    waitTimeout: defaults.waitTimeoutMs ?? Infinity,
    lockTimeout: defaults.lockTimeoutMs,
    levelTimeout: defaults.levelTimeoutMs,
    maxConcurrentLoads: defaults.maxConcurrentLoads,
    maxStamps: defaults.maxStamps,
    maxWorkers: defaults.maxWorkers,
  };
}

/** The defaults of a level's options, as the code has them. */
export function defaultsOfLevel(level: 'l1' | 'l2'): Record<string, unknown> {
  const options: ResolvedLevelOptions = resolveHierarchyOptions({})[level]!;
  const { ttlMs, maxEntries, maxBytes, sweepEveryMs, ring, maxWorkers } = options;
  const { numShards, virtualNodes } = ring;
  const cleanupInterval = sweepEveryMs;
  return { ttl: ttlMs, maxEntries, maxBytes, cleanupInterval, numShards, virtualNodes, maxWorkers };
}

/** The same for an option that is written with the name of its level, such as `l1.ttl`. */
export function defaultOf(option: string): unknown {
  const [first, second] = option.split('.') as [string, string?];
  if (second === undefined) return defaultsOfCache()[first];
  return defaultsOfLevel(first as 'l1' | 'l2')[second];
}
