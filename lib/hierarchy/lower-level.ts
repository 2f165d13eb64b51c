import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../clock.js';
import {
  isLevelEntry,
  type Ack,
  type CacheLevel,
  type DeleteMode,
  type Lease,
  type LeaseMode,
  type LevelEntry,
  type LevelName,
  type OwnLevelMetrics,
} from '../levels/cache-level.js';
import type { ChangeFeed, ChangeListener } from '../levels/change-feed.js';
import type { Report } from '../report.js';
import { KeyLanes, type Forgotten, type WriteTerms, type Written } from './key-lanes.js';
import {
  LevelCalls,
  type LevelCallMetrics,
  type LevelCallsOptions,
  type Reply,
} from './level-calls.js';

/** What a {@link LowerLevel} is made of. */
export interface LowerLevelOptions {
  readonly name: LevelName;
  readonly level: CacheLevel;
  readonly clock: Clock;
  readonly report: Report;
  /** How long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether somebody else closes the level. */
  readonly keepOpen?: boolean;
  readonly trace?: LevelCallsOptions['trace'];
  /** The most invalidations, and keys, of which is remembered that the level has not confirmed them. */
  readonly maxUnconfirmed: number;
}

/** What a level outside this process has done, as the hierarchy saw it. */
export interface LowerLevelMetrics extends LevelCallMetrics, OwnLevelMetrics {
  readonly hits: number;
  readonly misses: number;
  /** Reads that were not sent, since an invalidation was on its way or not confirmed. */
  readonly unread: number;
  /** Whether it, or a part of it, has begun to fail, and nothing of it has answered since. */
  readonly down: boolean;
  /** Keys with changes on their way, and other invalidations on theirs, none of which has failed. */
  readonly inFlight: number;
  /**
   * Keys of which a delete is owed or a write may still happen, and other invalidations that have failed or
   * taken too long: what is to be tried again.
   */
  readonly unconfirmed: number;
}

/** An invalidation of many keys that the level has not confirmed. */
interface OpenInvalidation {
  /** What the keys begin with, or `undefined` for tags. */
  readonly prefix: string | undefined;
  readonly tags: readonly string[];
  readonly hold: number | undefined;
  running: boolean;
  hasFailed: boolean;
}

const NOTHING_COUNTED: OwnLevelMetrics = { undecodable: 0, recycled: 0, resubscriptions: 0 };
const NO_TAGS: readonly string[] = [];
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/**
 * A level outside this process, as the hierarchy sees it: it answers in time, never fails, and never
 * shows what was invalidated. Whatever it has not confirmed is not read, and tried again after 1 s,
 * then at most twice as long each time, up to 30 s.
 */
export class LowerLevel {
  readonly name: LevelName;
  readonly #options: LowerLevelOptions;
  readonly #calls: LevelCalls;
  readonly #lanes: KeyLanes;
  readonly #open = new Set<OpenInvalidation>();
  /** Why it is not read at all: any write may still happen, until then at most. */
  readonly #blind = new Set<{ readonly until: number }>();
  #hits = 0;
  #misses = 0;
  #unread = 0;
  #retryAfterMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #caughtUpAt = -Infinity;
  /** What is tried again is nobody's call, and would else keep the context of one. */
  readonly #context = new AsyncResource('nestjs-cache-hierarchy.LowerLevel');
  #closed = false;

  constructor(options: LowerLevelOptions) {
    this.name = options.name;
    this.#options = options;
    options.level.reportTo?.(options.report);
    this.#calls = new LevelCalls({ ...options, recovered: () => this.#catchUp() });
    this.#lanes = new KeyLanes({
      calls: this.#calls,
      clock: options.clock,
      timeoutMs: options.timeoutMs,
      maxKeys: options.maxUnconfirmed,
      owes: () => this.#armRetry(),
      overflows: (forgotten) => void this.#distrust(forgotten),
    });
  }

  /** Whether it does not answer now: it, or a part of it, has begun to fail, or too many calls are waited for. */
  get down(): boolean {
    return this.#calls.down || this.#calls.isFull;
  }

  /** The tags whose invalidation it has not confirmed. */
  get openTags(): readonly string[] {
    return this.#open.size === 0 ? NO_TAGS : [...this.#open].flatMap(({ tags }) => tags);
  }

  /** Finds an entry, live or stale. */
  async read(key: string): Promise<LevelEntry | undefined> {
    if (!this.#isReadable(key)) {
      this.#unread += 1;
      return undefined;
    }
    // Those that are confirmed before the answer comes may have been carried out after the read.
    const open = this.openTags;
    const entry = this.#usableOf(await this.#calls.read(key), open);
    if (entry === undefined) this.#misses += 1;
    else this.#hits += 1;
    return entry;
  }

  /** Finds an entry, live or stale, and counts no hit and no miss. */
  async peek(key: string): Promise<LevelEntry | undefined> {
    if (!this.#isReadable(key)) return undefined;
    const open = this.openTags;
    return this.#usableOf(await this.#calls.read(key), open);
  }

  /** Whether it lets one process of all that share it load a key. */
  get givesLeases(): boolean {
    return this.#calls.givesLeases;
  }

  /** Hears what other processes change; `undefined` where it does not tell. */
  follow(listener: ChangeListener): ChangeFeed | undefined {
    return this.#options.level.follow?.(listener);
  }

  /**
   * Asks whether to load a key; `undefined` where it can not say. One that has not answered to the read
   * is not waited for once more.
   */
  async lease(key: string, mode: LeaseMode): Promise<Lease | undefined> {
    if (this.#calls.isDownFor(key) || this.#calls.isFull || !this.#isReadable(key))
      return undefined;
    const open = this.openTags;
    const reply = await this.#calls.lease(key, mode);
    const lease = reply.state === 'answered' ? reply.answer : undefined;
    // What is there and may not be read is not worth to wait for.
    return lease?.state === 'hit' && !this.#isUsable(lease.entry, open) ? undefined : lease;
  }

  /** Stores an entry, in the order of the calls for its key. What was loaded without a lease is not stored. */
  write(key: string, entry: LevelEntry, terms: WriteTerms): Promise<Written> {
    const isUnleased = this.givesLeases && terms.token === undefined;
    if (!terms.replaces && (isUnleased || this.#isBlind)) return Promise.resolve('unwanted');
    return this.#lanes.write(key, entry, terms);
  }

  /** Removes a key; see {@link KeyLanes.delete}. */
  delete(
    key: string,
    mode: DeleteMode,
    failed?: (cause: unknown) => void,
  ): Promise<Ack | undefined> {
    return this.#lanes.delete(key, mode, failed);
  }

  /** Makes entries with these tags misses; settles with `undefined` where that is tried again. */
  invalidateTags(tags: readonly string[], hold: number | undefined): Promise<Ack | undefined> {
    this.#lanes.chase((_, entry) => entry.tags?.some((tag) => tags.includes(tag)) === true);
    return this.#invalidate({ prefix: undefined, tags, hold });
  }

  /** Removes what begins with `prefix`; settles with `undefined` where that is tried again. */
  clear(prefix: string): Promise<Ack | undefined> {
    this.#lanes.chase((key) => key.startsWith(prefix));
    return this.#invalidate({ prefix, tags: [], hold: undefined });
  }

  getMetrics(): LowerLevelMetrics {
    const failed = [...this.#open].filter(({ hasFailed }) => hasFailed).length;
    const unconfirmed = this.#lanes.troubled + failed;
    return {
      ...NOTHING_COUNTED,
      ...this.#options.level.getMetrics?.(),
      ...this.#calls.getMetrics(),
      hits: this.#hits,
      misses: this.#misses,
      unread: this.#unread,
      down: this.#calls.down,
      inFlight: this.#lanes.size + this.#open.size - unconfirmed,
      unconfirmed,
    };
  }

  /** Waits for nothing any more, and closes the level unless somebody else does. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#lanes.close();
    this.#open.clear();
    this.#blind.clear();
    return this.#calls.close();
  }

  /** The entry of a reply, where it may be shown; see {@link #isUsable}. */
  #usableOf(reply: Reply<LevelEntry | undefined>, open: readonly string[]): LevelEntry | undefined {
    const entry = reply.state === 'answered' ? reply.answer : undefined;
    return this.#isUsable(entry, open) ? entry : undefined;
  }

  /** @param open the tags whose invalidation was not confirmed when it was asked for */
  #isUsable(entry: LevelEntry | undefined, open: readonly string[]): entry is LevelEntry {
    // One can have expired on its way.
    const isThere = isLevelEntry(entry) && entry.staleUntil > this.#options.clock.now();
    return isThere && !entry.tags?.some((tag) => open.includes(tag));
  }

  #isReadable(key: string): boolean {
    if (!this.#lanes.isReadable(key)) return false;
    if (this.#isBlind) return false;
    for (const { prefix } of this.#open) {
      if (prefix !== undefined && key.startsWith(prefix)) return false;
    }
    return true;
  }

  #invalidate(what: Pick<OpenInvalidation, 'prefix' | 'tags' | 'hold'>): Promise<Ack | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const open: OpenInvalidation = { ...what, running: false, hasFailed: false };
    this.#open.add(open);
    if (this.#open.size > this.#options.maxUnconfirmed) this.#clearInstead();
    return this.#carryOut(open);
  }

  async #carryOut(open: OpenInvalidation): Promise<Ack | undefined> {
    const { prefix, tags, hold } = open;
    open.running = true;
    const reply: Reply<Ack> =
      prefix === undefined
        ? await this.#calls.invalidateTags(tags, hold)
        : await this.#calls.clear(prefix);
    open.running = false;
    if (reply.state === 'answered') {
      this.#open.delete(open);
      return reply.answer;
    }
    open.hasFailed = true;
    if (reply.state === 'late') {
      void reply.settled.then((done) => done && this.#open.delete(open));
    }
    this.#armRetry();
    return undefined;
  }

  /** Forgets single invalidations for one of everything: more can not be remembered. */
  #clearInstead(): void {
    this.#open.clear();
    void this.clear('');
  }

  /**
   * Reads nothing before the writes that were forgotten have settled, or what they store has expired. What
   * was invalidated or loaded anew since they set out they may have stored after that, and nobody knows
   * any more what that was: everything is cleared.
   */
  async #distrust({ owed, doubts, until }: Forgotten): Promise<void> {
    if (owed) this.#clearInstead();
    if (doubts.length === 0) return;
    const blindness = { until };
    this.#blind.add(blindness);
    await Promise.all(doubts);
    if (until > this.#options.clock.now()) await this.clear('');
    this.#blind.delete(blindness);
  }

  get #isBlind(): boolean {
    if (this.#blind.size === 0) return false;
    const now = this.#options.clock.now();
    for (const blindness of this.#blind) if (blindness.until <= now) this.#blind.delete(blindness);
    return this.#blind.size > 0;
  }

  #armRetry(): void {
    if (this.#closed || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#context.runInAsyncScope(() =>
      this.#options.clock.setTimer(() => this.#retry(), this.#retryAfterMs),
    );
    this.#retryAfterMs = Math.min(2 * this.#retryAfterMs, LONGEST_RETRY_MS);
  }

  /**
   * The level answers again: what is owed need not wait for its time. One that is read and can not be changed
   * does so after each change that it refuses, so this is once a second at most.
   */
  #catchUp(): void {
    if (this.#closed || this.#cancelRetry === undefined) return;
    const now = this.#options.clock.now();
    if (now - this.#caughtUpAt < FIRST_RETRY_MS) return;
    this.#caughtUpAt = now;
    this.#cancelRetry();
    this.#retryAfterMs = FIRST_RETRY_MS;
    this.#context.runInAsyncScope(() => this.#retry());
  }

  #retry(): void {
    this.#cancelRetry = undefined;
    for (const open of this.#open) if (!open.running) void this.#carryOut(open);
    const isLeft = this.#lanes.retry() || this.#open.size > 0;
    if (isLeft) this.#armRetry();
    else this.#retryAfterMs = FIRST_RETRY_MS;
  }
}
