import { bothClocksOf, SuspensionWatch, type BothClocks } from '../both-clocks.js';
import type { Clock } from '../clock.js';
import type { Bucket } from './key-layout.js';
import type { RedisDriver } from './redis-driver.js';
import { TIME } from './scripts.js';

/** How old a comparison of the clocks may be, in milliseconds. */
const COMPARE_AFTER_MS = 10_000;

/** What was compared longer ago is not gone by any more: a clock may have been put forward or back, in milliseconds. */
const TRUST_FOR_MS = 60_000;

/** What a longer round trip has said is compared anew with the next call, in milliseconds. */
const LONG_TRIP_MS = 200;

/**
 * The times of the servers that the buckets are on. Each bucket of a Cluster has one of its own: its node may
 * have another clock than the others, and any node may get any bucket.
 */
export class ServerTimes {
  readonly #times: readonly ServerTime[];

  constructor(driver: RedisDriver, clock: Clock, buckets: readonly Bucket[]) {
    const times = buckets.map(({ counters }) => new ServerTime(driver, clock, counters));
    this.#times = driver.isCluster ? times : buckets.map(() => times[0]!);
    driver.onReady(() => this.forget());
  }

  of({ index }: Bucket): ServerTime {
    return this.#times[index]!;
  }

  /** Other servers may answer from now on: see {@link ServerTime.forget}. */
  forget(): void {
    for (const time of this.#times) time.forget();
  }
}

/**
 * The time of a server, by this process's monotonic clock: no two machines' wall clocks are compared. Wrong by
 * half a round trip at most, and by what the clocks have come apart in a minute.
 */
export class ServerTime {
  readonly #driver: RedisDriver;
  readonly #clock: Clock;
  readonly #key: string;
  /** Redis's time less that of this process, in milliseconds. */
  #offset: number | undefined;
  readonly #clocks: BothClocks;
  readonly #suspensions: SuspensionWatch;
  #leastOffset = -Infinity;
  #comparedAt = -Infinity;
  /** When the offset was measured, by a long round trip too. */
  #measuredAt = -Infinity;
  #comparing: Promise<number> | undefined;
  /** How often the server may have become another one. */
  #forgotten = 0;

  /** @param key of the cache: it says which server of a Cluster is asked */
  constructor(driver: RedisDriver, clock: Clock, key: string) {
    this.#driver = driver;
    this.#clock = clock;
    this.#clocks = bothClocksOf(clock);
    this.#suspensions = new SuspensionWatch(this.#clocks);
    this.#key = key;
  }

  /**
   * Returns what is to be added to the clock's time. Waits for Redis the first time, after a minute in which
   * it was not asked, and where the clock has stood still; else an old comparison will do while another is
   * under way.
   *
   * @throws what the client throws
   */
  offset(): number | Promise<number> {
    const wasSuspended = this.#suspensions.wasSuspended();
    // Whether it was suspended has just been read from both.
    const { now } = this.#clocks;
    if (wasSuspended || now - this.#measuredAt > TRUST_FOR_MS) this.#offset = undefined;
    const isOld = now - this.#comparedAt > COMPARE_AFTER_MS;
    if (!isOld && this.#offset !== undefined) return this.#offset;
    this.#comparing ??= this.#compare();
    if (this.#offset === undefined) return this.#comparing;
    this.#comparing.catch(() => {});
    return this.#offset;
  }

  /**
   * What is to be added to a time after which Redis is not to do something: with it that is never later
   * there than here, whatever the trip of the answer took. Known once {@link offset} has settled.
   */
  leastOffset(): number {
    return this.#leastOffset;
  }

  /** Another server, with another clock, may answer from now on: it is asked before its time is told again. */
  forget(): void {
    this.#offset = undefined;
    this.#comparing = undefined;
    this.#forgotten += 1;
  }

  async #compare(): Promise<number> {
    const forgotten = this.#forgotten;
    try {
      for (;;) {
        const suspensions = new SuspensionWatch(this.#clocks);
        const sentAt = this.#clock.now();
        const micros = Number(await this.#driver.run(TIME, [this.#key], []));
        const receivedAt = this.#clock.now();
        // What is told now may be the time of the server before.
        if (forgotten !== this.#forgotten) return await this.offset();
        if (suspensions.wasSuspended()) continue;
        this.#offset = micros / 1_000 - (sentAt + receivedAt) / 2;
        this.#leastOffset = micros / 1_000 - receivedAt;
        this.#measuredAt = receivedAt;
        const isLong = receivedAt - sentAt > LONG_TRIP_MS;
        this.#comparedAt = isLong ? -Infinity : receivedAt;
        return this.#offset;
      }
    } finally {
      if (forgotten === this.#forgotten) this.#comparing = undefined;
    }
  }
}
