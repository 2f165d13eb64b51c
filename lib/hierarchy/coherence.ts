import { bothClocksOf, SuspensionWatch, type BothClocks } from '../both-clocks.js';
import type { Clock } from '../clock.js';
import type { ChangeFeed, ChangeListener, LevelChange } from '../levels/change-feed.js';

/** What {@link Coherence} needs from its owner. */
export interface CoherencePorts {
  readonly clock: Clock;
  /** Begins to listen to the level that processes share; `undefined` where there is none that tells. */
  follow(listener: ChangeListener): ChangeFeed | undefined;
  /** Takes the next number in the order of invalidations. */
  advance(): number;
  /** Carries out in this process what another one has changed. */
  apply(change: LevelChange): void;
}

/** What is known of what other processes change. */
export interface CoherenceMetrics {
  /** Changes of other processes that were heard of. */
  readonly heard: number;
  /** How often changes of a group of keys were missed. */
  readonly missed: number;
  /** How often copies could not be trusted any more. */
  readonly lapses: number;
  /** Whether copies are trusted now. */
  readonly proven: boolean;
  /**
   * How long ago everything was known that others had changed until then, in milliseconds; `Infinity` before
   * the first time. `undefined` where the level does not tell.
   */
  readonly lagMs: number | undefined;
}

/**
 * Keeps the copies in this process like what other processes make of the level that they share.
 *
 * What is heard is carried out at once. Where changes of a group of keys were missed, or while there is no
 * proof that none were, copies from before are misses, and the level that is shared is asked. So entries
 * carry their order here, tagged or not. What is stored without a proof is kept for `maxStale` from its
 * call on. With the next proof everything from before the lapse that is not known to be old is trusted again.
 * While the machine is suspended nothing is heard, and its clock may stand still: everything was missed then.
 */
export class Coherence {
  readonly #ports: CoherencePorts;
  readonly #feed: ChangeFeed | undefined;
  readonly #clocks: BothClocks;
  readonly #suspensions: SuspensionWatch;
  /** For each group the order at which changes were missed last. */
  readonly #missedAt: number[] = [];
  /** For each group the order at which its proof was found to have lapsed; `undefined` while there is one. */
  readonly #lapsedAt: (number | undefined)[];
  /** For each group when its first proof was found, on the clock. */
  readonly #provenFrom: number[];
  /** Whether there was a proof of all groups when that was looked at last. */
  #proven = false;
  #heard = 0;
  #missed = 0;
  #lapses = 0;

  constructor(ports: CoherencePorts) {
    this.#ports = ports;
    this.#feed = ports.follow({
      changed: (change) => {
        this.#heard += 1;
        ports.apply(change);
      },
      missed: (group) => this.#miss(group),
      proving: () => this.#feed && this.#noteSuspension(this.#feed),
    });
    this.#clocks = bothClocksOf(ports.clock);
    this.#suspensions = new SuspensionWatch(this.#clocks);
    // There is no proof at first.
    const length = this.#feed?.groups ?? 0;
    this.#lapsedAt = Array.from({ length }, () => 0);
    this.#provenFrom = Array.from({ length }, () => Infinity);
  }

  /** Whether copies have to be judged at all. */
  get isNeeded(): boolean {
    return this.#feed !== undefined;
  }

  /** Whether a copy of a key that was stored at an order may be served. */
  admits(key: string, order: number | undefined): boolean {
    if (this.#feed === undefined || order === undefined) return true;
    const group = this.#feed.groupOf(key);
    if (!this.#isProven(this.#feed, group) && order < this.#lapsedAt[group]!) return false;
    return order >= (this.#missedAt[group] ?? 0);
  }

  /** Whether nothing that concerns a key was missed since an order. */
  knows(key: string, order: number): boolean {
    if (this.#feed === undefined) return true;
    return order >= (this.#missedAt[this.#feed.groupOf(key)] ?? 0);
  }

  /** Looks whether the proof has lapsed or come: what begins then is told from what was there before. */
  notice(): void {
    if (this.#feed === undefined) return;
    this.#noteSuspension(this.#feed);
    if (this.#areProven(this.#feed)) return;
    for (let group = 0; group < this.#feed.groups; group++) this.#isProven(this.#feed, group);
  }

  /** Until when what is stored of a key now may be served, that was loaded, set or read from some time on. */
  trustedUntil(key: string, since: number): number {
    if (this.#feed === undefined) return Infinity;
    this.#noteSuspension(this.#feed);
    const group = this.#feed.groupOf(key);
    // Of what was changed before the first proof nobody can tell whether it was heard.
    if (this.#isProven(this.#feed, group) && since > this.#provenFrom[group]!) return Infinity;
    return since + this.#feed.maxStaleMs;
  }

  /** Whether what is stored of a key now may be served for a time; see {@link trustedUntil}. */
  trusts(key: string, since: number): boolean {
    return this.trustedUntil(key, since) > this.#clocks.read().now;
  }

  getMetrics(): CoherenceMetrics | undefined {
    if (this.#feed === undefined) return undefined;
    const proven = this.#areProven(this.#feed);
    const lagMs = this.#feed.provenAgoMs?.();
    return { heard: this.#heard, missed: this.#missed, lapses: this.#lapses, proven, lagMs };
  }

  close(): void {
    this.#feed?.stop();
  }

  #isProven(feed: ChangeFeed, group: number): boolean {
    if (feed.isProven(group)) {
      if (this.#lapsedAt[group] !== undefined) {
        this.#noteSuspension(feed);
        this.#noteProof(group);
        this.#areProven(feed);
      }
      return true;
    }
    this.#noteSuspension(feed);
    if (this.#lapsedAt[group] === undefined) {
      this.#lapsedAt[group] = this.#ports.advance();
      this.#areProven(feed);
    }
    return false;
  }

  #noteSuspension(feed: ChangeFeed): void {
    if (!this.#suspensions.wasSuspended()) return;
    for (let group = 0; group < feed.groups; group++) this.#miss(group);
  }

  #miss(group: number): void {
    this.#missed += 1;
    this.#missedAt[group] = this.#ports.advance();
  }

  #areProven(feed: ChangeFeed): boolean {
    const proven = feed.isProven();
    if (this.#proven && !proven) this.#lapses += 1;
    if (proven && !this.#proven) {
      this.#noteSuspension(feed);
      for (const group of this.#lapsedAt.keys()) this.#noteProof(group);
    }
    this.#proven = proven;
    return proven;
  }

  #noteProof(group: number): void {
    this.#lapsedAt[group] = undefined;
    this.#provenFrom[group] = Math.min(this.#provenFrom[group]!, this.#ports.clock.now());
  }
}
