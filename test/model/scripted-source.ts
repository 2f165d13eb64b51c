import type { LoadContext } from '../../lib/hierarchy/loader-context.js';
import type { BatchLoadContext } from '../../lib/hierarchy/batch-load.js';

/** What a loader, or the function of an update, does. */
export interface Source {
  /** What it is told apart by. */
  readonly id: number;
  readonly ms: number;
  readonly outcome: Outcome;
  readonly value: string;
  /** What a loader adds when it is done. */
  readonly tags: readonly string[];
}

export type Outcome =
  'value' | 'null' | 'nothing' | 'error' | 'refused' | 'same' | 'skip' | 'short' | 'zero';

const SHORT_MS = 4 * 64;

/** The name of the error that a loader throws, if it does. */
export function errorOf({ outcome }: Source, hasStale: boolean): string | undefined {
  if (outcome === 'error' || outcome === 'refused') return outcome;
  return outcome === 'same' && !hasStale ? 'InvalidArgumentError' : undefined;
}

/** What a loader returns that does not throw. */
export function valueOf({ outcome, value }: Source, stale: unknown): unknown {
  if (outcome === 'nothing') return undefined;
  if (outcome === 'same') return stale;
  return outcome === 'null' ? null : value;
}

/** The lifetime that a loader speaks of, if it does. */
export function ttlOf({ outcome }: Source): number | undefined {
  if (outcome === 'short') return SHORT_MS;
  return outcome === 'zero' ? 0 : undefined;
}

/** What the function of an update returns that does not throw. */
export function changedBy({ outcome, value }: Source, current: unknown): unknown {
  if (outcome === 'nothing') return undefined;
  return outcome === 'null' ? null : `${value} after ${String(current).slice(0, 9)}`;
}

type Sleep = (ms: number) => Promise<void>;

/** The loader of one key. */
export function loaderOf(source: Source, sleep: Sleep): (context: LoadContext) => Promise<unknown> {
  return async (context) => {
    if (source.ms > 0) await sleep(source.ms);
    speak(source, context);
    if (source.outcome === 'same') return context.notModified();
    return valueOf(source, undefined);
  };
}

/** The loader of several keys; `valuesOf` gives each of them its own value. */
export function batchLoaderOf(
  source: Source,
  sleep: Sleep,
): (missing: readonly string[], context: BatchLoadContext) => Promise<Map<string, unknown>> {
  return async (missing, context) => {
    if (source.ms > 0) await sleep(source.ms);
    speak(source, context);
    if (source.outcome === 'nothing') return new Map();
    return new Map(missing.map((key) => [key, valueOf(ofKey(source, key), undefined)]));
  };
}

/** What a loader of several keys does for one of them. */
export function ofKey(source: Source, key: string): Source {
  return { ...source, value: `${source.value} of ${key}` };
}

/** The function of an update. */
export function updaterOf(source: Source, sleep: Sleep): (current: unknown) => Promise<unknown> {
  return async (current) => {
    if (source.ms > 0) await sleep(source.ms);
    if (source.outcome === 'error') throw new Error('error');
    return changedBy(source, current);
  };
}

function speak(source: Source, { tags, ttl, skip }: BatchLoadContext): void {
  const { outcome } = source;
  tags(source.tags);
  const spoken = ttlOf(source);
  if (spoken !== undefined) ttl(spoken);
  if (outcome === 'skip') skip();
  if (outcome === 'error' || outcome === 'refused') throw new Error(outcome);
}
