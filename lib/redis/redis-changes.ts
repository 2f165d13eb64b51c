import { bothClocksOf, type BothClocks } from '../both-clocks.js';
import type { Clock } from '../clock.js';
import type { OwnLevelMetrics } from '../levels/cache-level.js';
import type { ChangeFeed, ChangeListener } from '../levels/change-feed.js';
import { readMessage } from './change-message.js';
import { BUCKETS, type KeyLayout } from './key-layout.js';
import { KnownChanges, type Counted } from './known-changes.js';
import type { RedisDriver, Subscription } from './redis-driver.js';
import type { Retelling } from './retelling.js';
import { COUNT } from './scripts.js';
import { within } from './within.js';

/** What {@link RedisChanges} are made of. */
export interface RedisChangesParts {
  readonly driver: RedisDriver;
  readonly clock: Clock;
  readonly layout: KeyLayout;
  /** What this process is told apart by. */
  readonly source: string;
  readonly maxStaleMs: number;
  readonly listener: ChangeListener;
  /** Tells servers once more what they may have lost. */
  readonly retelling: Retelling;
  /** Called when the server of a bucket may have become another one. */
  readonly replaced: (bucket: number) => void;
  /** Called when all servers had everything at a time of the clock. */
  readonly confirmed: (at: number) => void;
}

/** How often the server is asked how many changes there were, in milliseconds. */
const COUNT_EVERY_MS = 1_000;
/** How long an answer to that is waited for, in milliseconds. */
const ANSWER_WITHIN_MS = 1_000;
/**
 * After so long without an answer or without being able to hear connections are made anew, in milliseconds;
 * those to a replica not more often.
 */
const GIVE_UP_AFTER_MS = 3_000;

/**
 * What other processes change, as they tell it. Messages may be lost, so each carries how many there were,
 * and the server is asked once a second: a gap, or a count that is not reached within the next second, says
 * that changes of a bucket were missed. When its count was reached, everything in a bucket that had changed
 * when it was asked for is known: that is the proof that copies are served on, for `maxStale`.
 *
 * A server that has started anew, has been replaced by its replica, or counts less than it did may have lost
 * what it had acknowledged. What this process has changed is changed again then, before anything is proven.
 * So the counts are asked for at once when a connection is there again, and reads wait for that.
 *
 * A master that was made a replica keeps its connections, takes no changes, and may hear of none. What it
 * counts is no proof: it is left, and not read from before whoever answers then has counted as a master.
 *
 * Time is taken by both clocks, whichever says more: the monotonic one stands still while a machine sleeps.
 */
export class RedisChanges implements ChangeFeed {
  readonly groups = BUCKETS;
  readonly maxStaleMs: number;
  readonly #parts: RedisChangesParts;
  readonly #clocks: BothClocks;
  readonly #known: KnownChanges;
  readonly #ignoreReady: () => void;
  #subscription: Subscription;
  #subscribedAt: number;
  #canHear = false;
  #cancel: (() => void) | undefined;
  /** The count under way, and whether another is to follow it at once. */
  #counting: Promise<void> | undefined;
  #countAgain = false;
  /** Whether the connection for commands is new since the server has counted all buckets. */
  #isChecking = false;
  /** When the connection for commands was made anew last. */
  #recycledAt: number;
  #askedAt = -Infinity;
  #stopped = false;
  #recycled = 0;
  #resubscriptions = 0;

  constructor(parts: RedisChangesParts) {
    this.#parts = parts;
    this.#clocks = bothClocksOf(parts.clock);
    this.maxStaleMs = parts.maxStaleMs;
    this.#known = new KnownChanges((bucket) => parts.listener.missed(bucket));
    this.#recycledAt = this.#subscribedAt = parts.clock.now();
    this.#subscription = this.#subscribe();
    this.#ignoreReady = parts.driver.onReady(() => {
      this.#isChecking = true;
      this.#countNow();
    });
    this.#arm();
  }

  /**
   * Waits, after the connection was broken, until the server is known to have what it has acknowledged;
   * rejects while it has not: it may show what was invalidated.
   *
   * @param bucket the one that is asked for; all without it
   * @returns nothing where there is nothing to wait for
   */
  checked(bucket?: number): Promise<void> | undefined {
    return this.#isUnchecked(bucket) ? this.#checked(bucket) : undefined;
  }

  groupOf(key: string): number {
    return this.#parts.layout.indexOf(key);
  }

  provenAgoMs(): number {
    const { at, atWall } = this.#known.provenAt();
    const { now, wallNow } = this.#clocks.read();
    return Math.max(0, now - at, wallNow - atWall);
  }

  isProven(group?: number): boolean {
    const { at, atWall } = this.#known.provenAt(group);
    const { now, wallNow } = this.#clocks.read();
    return now - at < this.maxStaleMs && wallNow - atWall < this.maxStaleMs;
  }

  getMetrics(): Pick<OwnLevelMetrics, 'recycled' | 'resubscriptions'> {
    return { recycled: this.#recycled, resubscriptions: this.#resubscriptions };
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#ignoreReady();
    this.#subscription.end();
  }

  /** A Cluster leads to the masters by itself. */
  get #isReplica(): boolean {
    const { driver } = this.#parts;
    return driver.isReplica && !driver.isCluster;
  }

  #isUnchecked(bucket?: number): boolean {
    return this.#isChecking || this.#parts.retelling.isOpen(bucket);
  }

  async #checked(bucket?: number): Promise<void> {
    while (this.#isUnchecked(bucket) && this.#counting !== undefined) await this.#counting;
    if (this.#isUnchecked(bucket))
      throw new Error('Redis may have lost changes, and is not told again yet.');
  }

  #subscribe(): Subscription {
    const { driver, layout, clock } = this.#parts;
    const subscription = driver.subscribe(layout.channel, (message) => this.#hear(message));
    this.#canHear = false;
    this.#subscribedAt = clock.now();
    void this.#awaitHearing(subscription);
    return subscription;
  }

  async #awaitHearing(subscription: Subscription): Promise<void> {
    try {
      await subscription.ready;
    } catch {
      // One that could not begin is made anew by a count.
      return;
    }
    if (subscription !== this.#subscription) return;
    this.#canHear = true;
    this.#countNow();
  }

  #recycle(generation: number): void {
    if (this.#parts.driver.recycle(generation)) this.#recycled += 1;
  }

  #subscribeAnew(): void {
    this.#resubscriptions += 1;
    this.#subscription.end();
    this.#subscription = this.#subscribe();
  }

  #hear(text: string): void {
    const message = readMessage(text);
    if (message === undefined || !this.#known.has(message.bucket) || this.#stopped) return;
    const { source, listener } = this.#parts;
    if (message.source !== source) listener.changed(message.change);
    if (this.#known.hear(message)) this.#prove();
  }

  #arm(): void {
    this.#cancel = this.#parts.clock.setTimer(() => this.#countNow(), COUNT_EVERY_MS);
  }

  /** Counts; where that is under way already, once more after it. */
  #countNow(): void {
    if (this.#stopped) return;
    if (this.#counting !== undefined) {
      this.#countAgain = true;
      return;
    }
    this.#cancel?.();
    this.#counting = this.#countOnce();
  }

  async #countOnce(): Promise<void> {
    // What the client throws where it is to connect anew comes again with the next count, or does not.
    await this.#count().catch(() => {});
    this.#counting = undefined;
    if (this.#stopped) return;
    if (this.#countAgain) this.#countNow();
    else this.#arm();
  }

  async #count(): Promise<void> {
    this.#countAgain = false;
    this.#missOverdue();
    const { clock, driver, retelling } = this.#parts;
    const { generation } = driver;
    const asked = { at: clock.now(), atWall: clock.wallNow() };
    this.#known.expect();
    // The nodes of a Cluster are away one by one, and come back unheard: those that count are enough.
    let isChecked = driver.isCluster;
    try {
      const counted = await this.#askCounts();
      if (this.#isReplica) throw new Error('Redis is a replica here.');
      isChecked ||= counted.size === BUCKETS;
      this.#askedAt = asked.at;
      for (const [bucket, one] of counted)
        if (this.#known.take(bucket, one, asked)) this.#noteReplaced(bucket);
      // What takes longer goes on meanwhile, and is waited for when it is counted next.
      await within(clock, GIVE_UP_AFTER_MS, retelling.goOn()).catch(() => {});
      if (counted.size === BUCKETS && !retelling.isOpen()) this.#parts.confirmed(asked.at);
      this.#parts.listener.proving?.();
      this.#prove();
    } catch {
      // The level tells of its outages; without an answer there is no proof.
      this.#isChecking ||= this.#isReplica;
      const aliveAt = this.#isReplica ? -Infinity : driver.answeredAt;
      if (clock.now() - Math.max(aliveAt, this.#recycledAt) > GIVE_UP_AFTER_MS) {
        this.#recycle(generation);
        this.#recycledAt = clock.now();
      }
      // What has silenced one connection may have silenced the other.
      if (driver.generation !== generation && !this.#stopped) this.#subscribeAnew();
    } finally {
      if (isChecked) this.#isChecking &&= this.#countAgain;
    }
  }

  /** Asks for all buckets; those of a node of a Cluster that is away are left out, unless it is all of them. */
  async #askCounts(): Promise<ReadonlyMap<number, Counted>> {
    const { driver, layout, clock } = this.#parts;
    const { generation } = driver;
    const sentAt = clock.now();
    const replies = await Promise.allSettled(
      layout.buckets.map(({ counters, index }) =>
        // To ask for its role takes as long as all the rest: once is enough of one server.
        within(clock, ANSWER_WITHIN_MS, driver.run(COUNT, [counters], [index === 0 ? '1' : '0'])),
      ),
    );
    const counted = new Map<number, Counted>();
    for (const [bucket, reply] of replies.entries()) {
      if (reply.status === 'rejected') continue;
      const [epoch, count, server] = reply.value as readonly (Buffer | null)[];
      counted.set(bucket, {
        epoch: String(epoch),
        count: Number(count ?? 0),
        server: String(server),
      });
    }
    if (counted.size > 0) return counted;
    // A connection that answers nothing in time may be dead without anybody having said so.
    const isSilent = driver.answeredAt < sentAt && clock.now() - sentAt >= ANSWER_WITHIN_MS;
    if (isSilent) this.#recycle(generation);
    throw new Error('Redis has answered nothing.');
  }

  /** A second was time enough for messages to come: where one has not, the connection is given up, too. */
  #missOverdue(): void {
    const { clock } = this.#parts;
    const isOverdue = clock.now() - this.#askedAt >= COUNT_EVERY_MS && this.#known.isBehind;
    const isDeaf = !this.#canHear && clock.now() - this.#subscribedAt > GIVE_UP_AFTER_MS;
    if (isOverdue || isDeaf) this.#subscribeAnew();
    if (isOverdue) this.#known.giveUp();
  }

  #noteReplaced(bucket: number): void {
    this.#parts.replaced(bucket);
    this.#parts.retelling.begin(bucket);
  }

  #prove(): void {
    if (this.#canHear) this.#known.prove((bucket) => this.#parts.retelling.isOpen(bucket));
  }
}
