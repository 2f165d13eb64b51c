import type { Clock } from '../clock.js';
import type { Report } from '../report.js';
import type { Segment } from './segment.js';

/**
 * Why an entry left a cache: its time had passed or its tag was invalidated, it made room, somebody
 * asked for it, another value took its place, or everything was cleared.
 */
export type RemovalReason = 'expired' | 'evicted' | 'deleted' | 'replaced' | 'cleared';

/** Hears of entries that have left a cache. */
export type RemovalListener<V> = (key: string, value: V, reason: RemovalReason) => void;

/** What a {@link RemovalNotifier} is made of. */
export interface RemovalNotifierOptions<V> {
  readonly listener: RemovalListener<V>;
  readonly clock: Clock;
  readonly report: Report;
}

interface Removal<V> {
  readonly key: string;
  readonly value: V;
  readonly reason: RemovalReason;
}

/** Entries of a cleared table that are told of in one turn of the event loop. */
const CLEARED_PER_TURN = 1_000;

/**
 * Tells a listener of the entries that left, after the operation that they left by: a listener that
 * uses the cache finds it whole, and one that throws breaks nothing.
 */
export class RemovalNotifier<V> {
  readonly #options: RemovalNotifierOptions<V>;
  #removals: Removal<V>[] = [];
  /** What was cleared and has not been told of. */
  readonly #cleared: { readonly segment: Segment<V>; readonly at: number }[] = [];
  #clearedRow = 0;
  #failed = false;

  constructor(options: RemovalNotifierOptions<V>) {
    this.#options = options;
  }

  /** Notes an entry that left; the listener hears of it when the current step is over. */
  note(key: string, value: V, reason: RemovalReason): void {
    this.#removals.push({ key, value, reason });
    if (this.#removals.length === 1) queueMicrotask(() => this.#tell());
  }

  /**
   * Notes whole segments that were dropped at a clock time; the listener hears of their entries turn
   * by turn.
   */
  noteCleared(segments: readonly Segment<V>[], at: number): void {
    const idle = this.#cleared.length === 0;
    for (const segment of segments) if (segment.live > 0) this.#cleared.push({ segment, at });
    if (idle && this.#cleared.length > 0)
      this.#options.clock.setImmediate(() => this.#tellCleared());
  }

  #tell(): void {
    const removals = this.#removals;
    this.#removals = [];
    for (const { key, value, reason } of removals) this.#call(key, value, reason);
  }

  #tellCleared(): void {
    for (let told = 0; told < CLEARED_PER_TURN && this.#cleared.length > 0;) {
      const { segment, at } = this.#cleared[0]!;
      if (this.#clearedRow >= segment.rows) {
        this.#cleared.shift();
        this.#clearedRow = 0;
        continue;
      }
      const row = this.#clearedRow++;
      if (segment.isReleased(row)) continue;
      const reason = segment.isExpired(row, at) ? 'expired' : 'cleared';
      this.#call(segment.keyAt(row), segment.valueAt(row), reason);
      told += 1;
    }
    if (this.#cleared.length > 0) this.#options.clock.setImmediate(() => this.#tellCleared());
  }

  #call(key: string, value: V, reason: RemovalReason): void {
    try {
      const returned: unknown = this.#options.listener(key, value, reason);
      if (returned instanceof Promise) returned.catch((error: unknown) => this.#reportOnce(error));
    } catch (error) {
      this.#reportOnce(error);
    }
  }

  #reportOnce(cause: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.report({
      code: 'CACHE_LISTENER_FAILED',
      message:
        'The removal listener of a cache threw. The cache goes on; later ones are not reported.',
      cause,
    });
  }
}
