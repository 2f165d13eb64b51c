import { parseDuration } from '../durations.js';
import { assertLoader } from '../memory/cache-arguments.js';
import { assertKey } from '../memory/cache-key.js';
import type { RunningLoad } from '../memory/load-request.js';
import {
  planLoad,
  WITHOUT_SLOT,
  type InternalLoadOptions,
  type StorePlan,
} from './call-options.js';
import type { LoadContext } from './loader-context.js';
import type { Policy } from './policy.js';

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
  /** Hears that the load of a key, as the caller gave it, ends before its loader is called. */
  ended(key: string): void;
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

/** What a load is made of, beside the options of its call. */
export type OwnLoad<T> = Pick<LoadCall<T>, 'loader' | 'batch'>;

/** What {@link planLoadCall} gets, unchecked. */
export interface LoadCallRequest<T> {
  readonly key: string;
  /** The namespaces of the key, each followed by the separator. */
  readonly prefix: string;
  readonly own: OwnLoad<T>;
  readonly options: InternalLoadOptions | undefined;
  /** What holds where the options say nothing. */
  readonly defaults: { readonly policy: Policy; readonly waitTimeoutMs: number | undefined };
}

/** @throws {InvalidArgumentError} for a bad key, loader or option */
export function planLoadCall<T>(request: LoadCallRequest<T>): LoadCall<T> {
  const { key, prefix, own, options, defaults } = request;
  assertKey(key);
  assertLoader(own.loader);
  const plan = planLoad(options, defaults.policy);
  const waitTimeout = options?.waitTimeout;
  return {
    key: prefix + key,
    shownKey: key,
    plan,
    loader: own.loader,
    batch: own.batch,
    signal: options?.signal,
    waitTimeoutMs: waitTimeout === undefined ? defaults.waitTimeoutMs : parseDuration(waitTimeout),
    slotless: options?.[WITHOUT_SLOT] === true,
    forced: options?.forceRefresh === true,
  };
}
