import type { LevelChange } from '../levels/change-feed.js';
import type { KeyCoordinator } from '../memory/key-coordinator.js';
import type { Report } from '../report.js';
import type { CacheEvents } from './cache-events.js';
import type { HoldTable } from './hold-table.js';
import type { KeyInvalidation } from './key-invalidation.js';
import type { LevelWalk } from './level-walk.js';
import type { StaleAnswers } from './stale-answers.js';
import type { StampTable } from './stamp-table.js';

/** What {@link Invalidations} are made of. */
export interface InvalidationsPorts {
  readonly walk: LevelWalk;
  readonly coordinator: KeyCoordinator;
  readonly stamps: StampTable;
  readonly holds: HoldTable;
  readonly stale: StaleAnswers;
  readonly report: Report;
  /** Hears of each when it has taken effect in this process. */
  readonly events: CacheEvents;
}

/** How often something was invalidated. */
export interface InvalidationMetrics {
  readonly deletes: number;
  readonly expires: number;
  readonly tagInvalidations: number;
  readonly clears: number;
  /** Those that came after the cache was closed, and did nothing. */
  readonly lateInvalidations: number;
}

const NOTHING_DONE: KeyInvalidation = { existed: false, lower: undefined };

/**
 * The operations that remove: each first fences what is under way, so that it is not stored, and then
 * removes what is stored.
 */
export class Invalidations {
  readonly #ports: InvalidationsPorts;
  readonly #count = {
    deletes: 0,
    expires: 0,
    tagInvalidations: 0,
    clears: 0,
    lateInvalidations: 0,
  };
  #closed = false;

  constructor(ports: InvalidationsPorts) {
    this.#ports = ports;
  }

  /** Removes a key, and for `holdMs` has what is loaded for it not stored. */
  delete(key: string, holdMs: number | undefined): KeyInvalidation {
    if (this.#isLate()) return NOTHING_DONE;
    this.#count.deletes += 1;
    this.#fence(key, holdMs);
    const deleted = this.#ports.walk.remove(key, { hold: holdMs });
    this.#ports.events.invalidated('delete', key);
    return deleted;
  }

  /**
   * Ends the freshness of a key: like {@link delete}, but an entry with grace is kept for as long as
   * that lasts.
   */
  expire(key: string, holdMs: number | undefined): KeyInvalidation {
    if (this.#isLate()) return NOTHING_DONE;
    const { walk, stale } = this.#ports;
    this.#count.expires += 1;
    this.#fence(key, holdMs);
    const kept = stale.keptOf(key);
    const expired = walk.remove(key, { hold: holdMs, expire: true });
    if (kept !== undefined) stale.keep(key, kept);
    this.#ports.events.invalidated('expire', key);
    return expired;
  }

  /** Removes everything, or a namespace given as the prefix of its keys. */
  async clear(prefix: string): Promise<void> {
    if (this.#isLate()) return;
    const { walk, coordinator, stamps } = this.#ports;
    this.#count.clears += 1;
    if (prefix === '') coordinator.fenceAll();
    else stamps.stamp(prefix);
    const cleared = walk.clear(prefix);
    this.#ports.events.invalidated('clear', prefix);
    await cleared;
  }

  /** Makes whatever carries one of the tags a miss, and for `holdMs` has it not stored when loaded. */
  async invalidateTags(tags: readonly string[], holdMs: number | undefined): Promise<void> {
    if (this.#isLate() || tags.length === 0) return;
    const { walk, stamps, holds } = this.#ports;
    this.#count.tagInvalidations += tags.length;
    for (const tag of tags) {
      stamps.stamp(tag);
      if (holdMs !== undefined) holds.holdTag(tag, holdMs);
    }
    const invalidated = walk.invalidateTags(tags, holdMs);
    this.#ports.events.tagsInvalidated(tags);
    await invalidated;
  }

  /** Carries out in this process what another one has changed in the level that they share. */
  hear(change: LevelChange): void {
    const { walk, coordinator, stamps } = this.#ports;
    if (change.kind === 'key') {
      coordinator.fence(change.key);
      walk.removeNow(change.key);
    } else if (change.kind === 'tags') {
      for (const tag of change.tags) stamps.stamp(tag);
      walk.invalidateTagsNow(change.tags);
    } else {
      if (change.prefix === '') coordinator.fenceAll();
      else stamps.stamp(change.prefix);
      walk.clearNow(change.prefix);
    }
  }

  getMetrics(): InvalidationMetrics {
    return { ...this.#count };
  }

  /** From now on invalidations do nothing. */
  close(): void {
    this.#closed = true;
  }

  #fence(key: string, holdMs: number | undefined): void {
    const { coordinator, holds } = this.#ports;
    coordinator.fence(key);
    if (holdMs !== undefined) holds.holdKey(key, holdMs);
  }

  #isLate(): boolean {
    if (!this.#closed) return false;
    this.#count.lateInvalidations += 1;
    if (this.#count.lateInvalidations === 1) {
      this.#ports.report({
        code: 'CACHE_CLOSED',
        message:
          'A cache was asked to invalidate something after it was closed. It holds nothing any ' +
          'more, so nothing was done; later ones are counted and not reported.',
      });
    }
    return true;
  }
}
