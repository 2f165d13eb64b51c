import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  CACHE_CHANNELS,
  type CacheEvent,
  type InvalidatedEvent,
  type MissEvent,
  type MissReason,
} from '../hierarchy/cache-events.js';
import type { CacheHierarchy } from '../hierarchy/cache-hierarchy.js';

/** What kind of event it was: the names of `CACHE_CHANNELS`. */
export type RecordedKind = keyof typeof CACHE_CHANNELS;

/** An event of a cache, with what its channel told. */
export interface RecordedEvent {
  readonly kind: RecordedKind;
  readonly event: CacheEvent | InvalidatedEvent;
}

const KINDS = Object.keys(CACHE_CHANNELS) as RecordedKind[];

/** What was seen of a cache, or of one of its namespaces. Without a key each counts all of it. */
export class CacheRecord {
  readonly #events: readonly RecordedEvent[];
  readonly #path: readonly string[];

  /** @internal */
  constructor(events: readonly RecordedEvent[], path: readonly string[]) {
    this.#events = events;
    this.#path = path;
  }

  /** Everything that was seen, in order: also of the namespaces in it. */
  get events(): readonly RecordedEvent[] {
    return this.#events.filter(({ event }) =>
      this.#path.every((name, depth) => event.namespace[depth] === name),
    );
  }

  /** Reads that a level answered. */
  hits(key?: string): number {
    return this.#of('hit', key).length;
  }

  /** Reads that no level answered. */
  misses(key?: string): number {
    return this.#of('miss', key).length;
  }

  /** Why those reads missed, in order. */
  missReasons(key?: string): MissReason[] {
    return this.#of('miss', key).map(({ event }) => (event as MissEvent).reason);
  }

  /** Loaders that were called. */
  loads(key?: string): number {
    return this.#of('loadStarted', key).length;
  }

  /** Callers who waited for the load of another. */
  joins(key?: string): number {
    return this.#of('loadJoined', key).length;
  }

  /** Loaders that threw. */
  failures(key?: string): number {
    return this.#of('loadFailed', key).length;
  }

  /** Entries that were stored. */
  stores(key?: string): number {
    return this.#of('stored', key).length;
  }

  /** Loaded values that were returned and not stored. */
  discards(key?: string): number {
    return this.#of('loadDiscarded', key).length;
  }

  /** Loads behind a hit that were stored. */
  refreshes(key?: string): number {
    return this.#of('refreshed', key).length;
  }

  /** Keys that were deleted or expired; without a key also each invalidation of tags, and each `clear`. */
  invalidations(key?: string): number {
    return this.#of('invalidated', key).length;
  }

  /** What was seen of the namespace of this name. */
  namespace(name: string): CacheRecord {
    return new CacheRecord(this.#events, [...this.#path, name]);
  }

  #of(kind: RecordedKind, key: string | undefined): readonly RecordedEvent[] {
    const isMeant = ({ event }: RecordedEvent): boolean =>
      key === undefined || (event.key === key && event.namespace.length === this.#path.length);
    return this.events.filter((recorded) => recorded.kind === kind && isMeant(recorded));
  }
}

/** Notes what one cache does, from its events, until it is stopped. */
export class CacheRecorder extends CacheRecord implements Disposable {
  readonly #seen: RecordedEvent[];
  readonly #listening: readonly (() => void)[];

  /** @internal */
  constructor(cache: CacheHierarchy) {
    const seen: RecordedEvent[] = [];
    super(seen, []);
    this.#seen = seen;
    this.#listening = KINDS.map((kind) => listen(kind, cache, seen));
  }

  /** Forgets what was seen so far. */
  reset(): void {
    this.#seen.length = 0;
  }

  /** Listens no more; what was seen stays. Stopping twice is stopping once. */
  stop(): void {
    for (const end of this.#listening) end();
  }

  /** The same as {@link stop}, for `using`. */
  [Symbol.dispose](): void {
    this.stop();
  }
}

/**
 * Notes what a cache does from now on: hits, misses with their reasons, loads, by key. Other caches in
 * the process are left out. Stop it when the test is over.
 */
export function recordCache(cache: CacheHierarchy): CacheRecorder {
  return new CacheRecorder(cache);
}

function listen(kind: RecordedKind, cache: CacheHierarchy, seen: RecordedEvent[]): () => void {
  const note = (message: unknown): void => {
    const event = message as CacheEvent;
    if (event.hierarchy === cache) seen.push({ kind, event });
  };
  subscribe(CACHE_CHANNELS[kind], note);
  return () => unsubscribe(CACHE_CHANNELS[kind], note);
}
