import type { Clock } from '../clock.js';
import type { ChangeFeed, ChangeListener } from '../levels/cache-level.js';
import { readMessage } from './change-message.js';
import { BUCKETS, type KeyLayout } from './key-layout.js';
import type { RedisReply } from './redis-connection.js';
import type { RedisDriver, Subscription } from './redis-driver.js';
import { COUNT } from './scripts.js';

/** What {@link RedisChanges} are made of. */
export interface RedisChangesParts {
  readonly driver: RedisDriver;
  readonly clock: Clock;
  readonly layout: KeyLayout;
  /** What this process is told apart by. */
  readonly source: string;
  readonly maxStaleMs: number;
  readonly listener: ChangeListener;
  /** Called when the server turns out to have lost changes that it had told of. */
  readonly rewound: () => void;
}

/** How far the changes of one bucket are known. */
interface Seen {
  epoch: string | undefined;
  count: number;
  /** How many there were when the server was asked last, until so many were heard of. */
  due: number;
  /** What the server has said or told of, and cannot have less of: else it has lost changes. */
  least: number;
}

/** How often the server is asked how many changes there were, in milliseconds. */
const COUNT_EVERY_MS = 1_000;
/** How long an answer to that is waited for, in milliseconds. */
const ANSWER_WITHIN_MS = 1_000;

/**
 * What other processes change, as they tell it. Messages may be lost, so each carries how many there were,
 * and the server is asked once a second: a gap, or a count that is not reached within the next second, says
 * that changes of a bucket were missed. When all counts were reached, everything that had changed when
 * they were asked for is known: that is the proof that copies are served on, for `maxStale`.
 *
 * Time is taken by both clocks, whichever says more: the monotonic one stands still while a machine sleeps.
 */
export class RedisChanges implements ChangeFeed {
  readonly groups = BUCKETS;
  readonly maxStaleMs: number;
  readonly #parts: RedisChangesParts;
  readonly #seen: Seen[];
  #subscription: Subscription;
  #cancel: (() => void) | undefined;
  #askedAt = -Infinity;
  #askedAtWall = -Infinity;
  #provenAt = -Infinity;
  #provenAtWall = -Infinity;
  #stopped = false;

  constructor(parts: RedisChangesParts) {
    this.#parts = parts;
    this.maxStaleMs = parts.maxStaleMs;
    this.#seen = Array.from({ length: BUCKETS }, () => ({
      epoch: undefined,
      count: 0,
      due: 0,
      least: 0,
    }));
    this.#subscription = this.#subscribe();
    void this.#begin();
  }

  groupOf(key: string): number {
    return this.#parts.layout.indexOf(key);
  }

  isProven(): boolean {
    const { clock } = this.#parts;
    return (
      clock.now() - this.#provenAt < this.maxStaleMs &&
      clock.wallNow() - this.#provenAtWall < this.maxStaleMs
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#subscription.end();
  }

  /** Nothing is proven before anything can be heard. */
  async #begin(): Promise<void> {
    try {
      await this.#subscription.ready;
      if (!this.#stopped) await this.#count();
    } catch {
      // It was ended before it heard anything.
    }
  }

  #subscribe(): Subscription {
    const { driver, layout } = this.#parts;
    return driver.subscribe(layout.channel, (message) => this.#hear(message));
  }

  #hear(text: string): void {
    const message = readMessage(text);
    const seen = message && this.#seen[message.bucket];
    if (message === undefined || seen === undefined || this.#stopped) return;
    if (message.source !== this.#parts.source) this.#parts.listener.changed(message.change);
    // What came before this process began to count concerns nothing that it has.
    if (seen.epoch === undefined) return;
    const { bucket, epoch, count } = message;
    const isSame = seen.epoch === epoch;
    if (isSame && count <= seen.count) return;
    if (!isSame || count > seen.count + 1) this.#miss(bucket);
    Object.assign(seen, { epoch, count, due: isSame ? seen.due : count });
    this.#prove();
  }

  async #count(): Promise<void> {
    this.#missOverdue();
    const { clock } = this.#parts;
    const [now, wallNow] = [clock.now(), clock.wallNow()];
    for (const seen of this.#seen) seen.least = Math.max(seen.least, seen.count);
    try {
      const replies = await this.#askCounts();
      [this.#askedAt, this.#askedAtWall] = [now, wallNow];
      for (const [bucket, reply] of replies.entries()) {
        const [epoch, count] = reply as readonly (Buffer | null)[];
        this.#compare(bucket, String(epoch), Number(count ?? 0));
      }
      this.#prove();
    } catch {
      // The level tells of its outages; without an answer there is no proof.
    }
    if (this.#stopped) return;
    this.#cancel = clock.setTimer(() => void this.#count(), COUNT_EVERY_MS);
  }

  /** A connection that does not answer in time is given up: it may be dead without anybody having said so. */
  async #askCounts(): Promise<readonly RedisReply[]> {
    const { driver, clock, layout } = this.#parts;
    const { generation } = driver;
    const cancel = clock.setTimer(() => driver.recycle(generation), ANSWER_WITHIN_MS);
    try {
      return await Promise.all(
        layout.buckets.map(({ counters }) => driver.run(COUNT, [counters], [])),
      );
    } finally {
      cancel();
    }
  }

  #compare(bucket: number, epoch: string, count: number): void {
    const seen = this.#seen[bucket]!;
    if (seen.epoch === epoch && count >= seen.least) {
      Object.assign(seen, { least: count, due: count });
      return;
    }
    // Copies from before the first count are not kept for long: there was no proof.
    if (seen.epoch !== undefined) {
      this.#miss(bucket);
      this.#parts.rewound();
    }
    Object.assign(seen, { epoch, count, due: count, least: count });
  }

  /** A second was time enough for messages to come: where one has not, the connection is given up, too. */
  #missOverdue(): void {
    if (this.#seen.some(({ count, due }) => count < due)) {
      this.#subscription.end();
      this.#subscription = this.#subscribe();
      this.#subscription.ready.catch(() => {});
    }
    for (const [bucket, seen] of this.#seen.entries()) {
      if (seen.count >= seen.due) continue;
      this.#miss(bucket);
      seen.count = seen.due;
    }
  }

  #miss(bucket: number): void {
    this.#parts.listener.missed(bucket);
  }

  #prove(): void {
    if (this.#seen.some(({ epoch, count, due }) => epoch === undefined || count < due)) return;
    this.#provenAt = this.#askedAt;
    this.#provenAtWall = this.#askedAtWall;
  }
}
