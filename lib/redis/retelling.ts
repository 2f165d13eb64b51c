import type { Clock } from '../clock.js';
import type { Bucket, KeyLayout } from './key-layout.js';
import type { RecentChange } from './recent-changes.js';
import { within } from './within.js';

/** What a {@link Retelling} is made of. */
export interface RetellingParts {
  readonly clock: Clock;
  readonly layout: KeyLayout;
  /** What a server that has lost changes may have lost. */
  readonly recent: () => readonly RecentChange[];
  /** Makes changes of a bucket once more; rejects where the server does not take that. */
  readonly tell: (bucket: Bucket, changes: readonly RecentChange[]) => Promise<unknown>;
}

/** So many changes of a bucket are told at a time: what was told stays told, whatever becomes of the next. */
const AT_A_TIME = 50;
/** How long the answers to those are waited for, in milliseconds. */
const ANSWER_WITHIN_MS = 3_000;

/** Tells the servers of buckets once more what they may have lost, each bucket by itself and bit by bit. */
export class Retelling {
  readonly #parts: RetellingParts;
  /** By the number of the bucket, what it is still to be told. */
  readonly #untold = new Map<number, RecentChange[]>();
  /** By the number of the bucket, the telling under way. */
  readonly #telling = new Map<number, Promise<void>>();

  constructor(parts: RetellingParts) {
    this.#parts = parts;
  }

  /** The server of a bucket may have lost what it had acknowledged: it is to be told all of it. */
  begin(bucket: number): void {
    const { layout, recent } = this.#parts;
    const concerns = ({ change }: RecentChange): boolean =>
      change.kind !== 'key' || layout.indexOf(change.key) === bucket;
    this.#untold.set(bucket, recent().filter(concerns));
  }

  /** Whether a bucket, or any, is still to be told something. */
  isOpen(bucket?: number): boolean {
    return bucket === undefined ? this.#untold.size > 0 : this.#untold.has(bucket);
  }

  /** Goes on with all that is to be told; settles when nothing is left, or some could not be told now. */
  async goOn(): Promise<void> {
    await Promise.all([...this.#untold.keys()].map((bucket) => this.#goOnWith(bucket)));
  }

  #goOnWith(bucket: number): Promise<void> {
    let telling = this.#telling.get(bucket);
    if (telling === undefined) {
      telling = this.#tell(this.#parts.layout.buckets[bucket]!).finally(() =>
        this.#telling.delete(bucket),
      );
      this.#telling.set(bucket, telling);
    }
    return telling;
  }

  async #tell(bucket: Bucket): Promise<void> {
    const { clock, tell } = this.#parts;
    try {
      for (;;) {
        // It may begin anew meanwhile.
        const untold = this.#untold.get(bucket.index)!;
        if (untold.length === 0) break;
        const next = untold.slice(0, AT_A_TIME);
        await within(clock, ANSWER_WITHIN_MS, tell(bucket, next));
        untold.splice(0, next.length);
      }
      this.#untold.delete(bucket.index);
    } catch {
      // What is left is told when it goes on.
    }
  }
}
