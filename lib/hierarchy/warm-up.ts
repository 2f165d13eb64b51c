import { InvalidArgumentError, show } from '../errors.js';
import { onAbort } from '../memory/abort-listeners.js';
import type { LoadOptions } from './call-options.js';

/** Options of `warm`. */
export interface WarmOptions extends LoadOptions {
  /**
   * How many keys one call of the loader gets at most, from 1 to 10,000.
   * @default 100
   */
  readonly batchSize?: number;
  /**
   * How many calls of the loader run side by side, from 1 to 1,024.
   * @default 4
   */
  readonly concurrency?: number;
  /** Hears how far it is after each batch. */
  readonly onProgress?: (progress: WarmProgress) => void;
}

/** How far a warm-up is, or what it did. */
export interface WarmProgress {
  /** Keys that have been seen to, whatever became of them. */
  readonly done: number;
  /** Keys that have a value now. */
  readonly found: number;
  /** Keys whose batch failed. */
  readonly failed: number;
  /** What the first batch that failed was rejected with. */
  readonly firstError?: unknown;
}

/** What a warm-up works with; everything is checked. */
export interface WarmUpPlan {
  readonly keys: Iterable<string> | AsyncIterable<string>;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: WarmProgress) => void) | undefined;
  /** Whether there is a cache to warm, still: it may be closed meanwhile. */
  readonly isWanted: () => boolean;
  /** Loads what is missing of a batch; returns how many keys have a value. */
  readonly load: (batch: readonly string[]) => Promise<number>;
}

/**
 * Goes through keys batch by batch, a few batches side by side. A batch that fails is counted, and the
 * others go on: a cache that is nearly warm is worth having. Where it is not wanted any more it ends with
 * what was done.
 *
 * @throws the signal's reason once it is aborted, whatever is under way
 */
export async function warmUp(plan: WarmUpPlan): Promise<WarmProgress> {
  const { batchSize, concurrency, signal, isWanted, onProgress, load } = plan;
  signal?.throwIfAborted();
  const batches = batchesOf(plan.keys, batchSize);
  let progress: WarmProgress = { done: 0, found: 0, failed: 0 };
  let isOver = false;
  const work = async (): Promise<void> => {
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
      if (isOver || !isWanted()) return;
      // Not in one expression: the progress of before the wait would be added to.
      const outcome = await attempt(load, next.value);
      if (isOver) return;
      progress = add(progress, next.value.length, outcome);
      onProgress?.(progress);
    }
  };
  try {
    await untilAborted(signal, Promise.all(Array.from({ length: concurrency }, work)));
  } finally {
    isOver = true;
    // Not awaited: where the keys come from may hang, and what it says to its end changes nothing.
    batches.return().catch(() => {});
  }
  return progress;
}

/** Waits for what may never settle, as long as the signal is not aborted. */
async function untilAborted(
  signal: AbortSignal | undefined,
  work: Promise<unknown>,
): Promise<void> {
  if (signal === undefined) {
    await work;
    return;
  }
  let forget: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(signal.reason));
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    forget?.();
  }
}

type Outcome = { readonly found: number } | { readonly error: unknown };

async function attempt(load: WarmUpPlan['load'], batch: readonly string[]): Promise<Outcome> {
  try {
    return { found: await load(batch) };
  } catch (error) {
    return { error };
  }
}

function add(before: WarmProgress, keys: number, outcome: Outcome): WarmProgress {
  const done = before.done + keys;
  if ('found' in outcome) return { ...before, done, found: before.found + outcome.found };
  const firstError = before.failed === 0 ? outcome.error : before.firstError;
  return { ...before, done, failed: before.failed + keys, firstError };
}

/** One generator for all workers: each asks for the next batch when it is done with its last. */
async function* batchesOf(
  keys: WarmUpPlan['keys'],
  batchSize: number,
): AsyncGenerator<readonly string[], void> {
  let batch: string[] = [];
  for await (const key of keys) {
    batch.push(key);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** @throws {InvalidArgumentError} when it is no whole number in range */
export function readCount(
  name: string,
  count: number | undefined,
  fallback: number,
  max: number,
): number {
  if (count === undefined) return fallback;
  if (Number.isInteger(count) && count >= 1 && count <= max) return count;
  throw new InvalidArgumentError(
    `The call's option ${name} must be a whole number from 1 to ${max}, got ${show(count)}.`,
  );
}
