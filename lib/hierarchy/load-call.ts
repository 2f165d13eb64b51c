import type { RunningLoad } from '../memory/load.js';
import type { StorePlan } from './call-options.js';
import type { LoadContext } from './loader-context.js';

/** A checked call for a value. */
export interface LoadCall<T> {
  /** The key with its namespaces. */
  readonly key: string;
  /** The key as the caller gave it. */
  readonly shownKey: string;
  readonly plan: StorePlan;
  readonly loader: (context: LoadContext) => T | Promise<T>;
  /** The common load of many keys that this one belongs to. */
  readonly batch: LoadBatch | undefined;
  readonly signal: AbortSignal | undefined;
  readonly waitTimeoutMs: number | undefined;
  /** Whether its loader runs without a slot. */
  readonly slotless: boolean;
  /** Whether to load although there is a value. */
  readonly forced: boolean;
}

/** What gathers the loads of many keys; it takes one slot for all of them. */
export interface LoadBatch {
  /** Hears of the load that a call starts, before levels are asked and the loader is called. */
  began(load: BatchedLoad): void;
}

/** A load that belongs to a batch. */
export interface BatchedLoad {
  /** The key with its namespaces. */
  readonly key: string;
  /** The key as the caller gave it. */
  readonly shownKey: string;
  readonly plan: StorePlan;
  readonly load: RunningLoad;
}
