import type { Clock } from '../clock.js';
import { BUCKETS } from './key-layout.js';
import type { RedisDriver } from './redis-driver.js';
import { within } from './within.js';

/** A bucket that is out is asked for once in so many milliseconds, to see whether it is back. */
const TRY_EVERY_MS = 1_000;
/** Others answer when one has in so many milliseconds. */
const RECENTLY_MS = 2_000;
/** Longer than this an answer is not waited for where others answer: half of what a cache waits for by default. */
const ANSWER_WITHIN_MS = 500;

/**
 * The buckets of a Cluster that are out, since the node that has them is, while others answer: to the cache
 * they are misses, and no outage of the level. Where no bucket answers it is one.
 */
export class BucketOutages {
  readonly #clock: Clock;
  /** When each bucket is to be asked for next; 0 for those that have answered. */
  readonly #nextTryAt = Array.from({ length: BUCKETS }, () => 0);
  readonly #driver: Pick<RedisDriver, 'answeredAt'>;

  constructor(clock: Clock, driver: Pick<RedisDriver, 'answeredAt'>) {
    this.#clock = clock;
    this.#driver = driver;
  }

  /**
   * Asks a bucket, unless it is out.
   *
   * @returns `otherwise` where it is out and others are not
   * @throws what `ask` throws where no other bucket answers
   */
  async ask<T>(bucket: number, ask: () => Promise<T>, otherwise: T): Promise<T> {
    const now = this.#clock.now();
    const nextTryAt = this.#nextTryAt[bucket]!;
    if (now < nextTryAt && this.#isPartial) return otherwise;
    if (nextTryAt > 0) this.#nextTryAt[bucket] = now + TRY_EVERY_MS;
    try {
      const answer = await within(this.#clock, ANSWER_WITHIN_MS, ask());
      this.#nextTryAt[bucket] = 0;
      return answer;
    } catch (error) {
      this.#nextTryAt[bucket] = this.#clock.now() + TRY_EVERY_MS;
      if (this.#isPartial) return otherwise;
      throw error;
    }
  }

  get #isPartial(): boolean {
    return this.#clock.now() - this.#driver.answeredAt < RECENTLY_MS;
  }
}
