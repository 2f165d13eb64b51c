import type { ChangeMessage } from './change-message.js';
import { BUCKETS } from './key-layout.js';

/** A moment by both clocks, in milliseconds. */
export interface Moment {
  readonly at: number;
  readonly atWall: number;
}

/** What the server says of a bucket. */
export interface Counted {
  readonly epoch: string;
  readonly count: number;
  /** Which run of which server says so. */
  readonly server: string;
}

/** How far the changes of one bucket are known. */
interface Known {
  epoch: string | undefined;
  /** The run of the server that has told so. */
  server: string;
  count: number;
  /** How many there were when the server was asked last, until so many were heard of. */
  due: number;
  /** What the server has said or told of, and cannot have less of: else it has lost changes. */
  least: number;
  /** When it was asked last, and when everything was known last. */
  asked: Moment;
  proven: Moment;
}

const NEVER: Moment = { at: -Infinity, atWall: -Infinity };

/**
 * How far the changes of each bucket are known, from the messages that were heard, which carry how many there
 * were, and from the counts that the server answers with. Whatever does not fit says that changes were missed.
 */
export class KnownChanges {
  readonly #buckets: readonly Known[];
  readonly #missed: (bucket: number) => void;
  /** The oldest proof of all buckets. */
  #proven = NEVER;

  /** @param missed called with a bucket whose changes are not all known */
  constructor(missed: (bucket: number) => void) {
    this.#missed = missed;
    this.#buckets = Array.from({ length: BUCKETS }, () => ({
      epoch: undefined,
      server: '',
      count: 0,
      due: 0,
      least: 0,
      asked: NEVER,
      proven: NEVER,
    }));
  }

  /** When everything was known last, of one bucket or of all. */
  provenAt(bucket?: number): Moment {
    return bucket === undefined ? this.#proven : this.#buckets[bucket]!.proven;
  }

  /** Whether messages have not come that should have. */
  get isBehind(): boolean {
    return this.#buckets.some(({ count, due }) => count < due);
  }

  /** Whether a message is of a bucket that there is. */
  has(bucket: number): boolean {
    return this.#buckets[bucket] !== undefined;
  }

  /** Hears of a change; returns whether it was new. */
  hear({ bucket, epoch, count }: ChangeMessage): boolean {
    const known = this.#buckets[bucket]!;
    // What came before this process began to count concerns nothing that it has.
    if (known.epoch === undefined) return false;
    const isSame = known.epoch === epoch;
    if (isSame && count <= known.count) return false;
    if (!isSame || count > known.count + 1) this.#missed(bucket);
    const { due, least } = isSame ? known : { due: count, least: count };
    Object.assign(known, { epoch, count, due, least });
    // Whoever has begun to count anew may have lost more than the counts.
    if (!isSame) known.server = '';
    return true;
  }

  /** The server is asked now: of what was heard before it cannot have less. */
  expect(): void {
    for (const known of this.#buckets) known.least = Math.max(known.least, known.count);
  }

  /** Takes what the server says of a bucket; returns whether it may have lost changes. */
  take(bucket: number, { epoch, count, server }: Counted, asked: Moment): boolean {
    const known = this.#buckets[bucket]!;
    known.asked = asked;
    if (known.epoch === epoch && known.server === server && count >= known.least) {
      Object.assign(known, { least: count, due: count });
      return false;
    }
    // Copies from before the first count are not kept for long: there was no proof.
    const isFirst = known.epoch === undefined;
    if (!isFirst) this.#missed(bucket);
    Object.assign(known, { epoch, server, count, due: count, least: count });
    return !isFirst;
  }

  /** Waits no more for messages that have not come. */
  giveUp(): void {
    for (const [bucket, known] of this.#buckets.entries()) {
      if (known.count >= known.due) continue;
      this.#missed(bucket);
      known.count = known.due;
    }
  }

  /**
   * Notes of each bucket whose messages have all come that everything was known when it was asked for.
   *
   * @param isOpen whether a bucket is not to be proven yet
   */
  prove(isOpen: (bucket: number) => boolean): void {
    for (const [bucket, known] of this.#buckets.entries())
      if (known.epoch !== undefined && known.count >= known.due && !isOpen(bucket))
        known.proven = known.asked;
    this.#proven = {
      at: Math.min(...this.#buckets.map(({ proven }) => proven.at)),
      atWall: Math.min(...this.#buckets.map(({ proven }) => proven.atWall)),
    };
  }
}
