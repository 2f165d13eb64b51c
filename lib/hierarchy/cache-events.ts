import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../clock.js';
import type { LevelEntry, LevelName } from '../levels/cache-level.js';
import { NAMESPACE_SEPARATOR } from '../memory/cache-key.js';
import type { CacheHierarchy } from './cache-hierarchy.js';

/** The names of the diagnostics channels that tell what caches do. */
export const CACHE_CHANNELS = {
  hit: 'nestjs-cache-hierarchy:hit',
  miss: 'nestjs-cache-hierarchy:miss',
  stored: 'nestjs-cache-hierarchy:stored',
  loadStarted: 'nestjs-cache-hierarchy:load:started',
  loadJoined: 'nestjs-cache-hierarchy:load:joined',
  loadFailed: 'nestjs-cache-hierarchy:load:failed',
  loadDiscarded: 'nestjs-cache-hierarchy:load:discarded',
  refreshed: 'nestjs-cache-hierarchy:refreshed',
  invalidated: 'nestjs-cache-hierarchy:invalidated',
} as const;

/** The reasons of misses, in the order in which the documentation lists them. */
export const MISS_REASONS = [
  'absent',
  'expired',
  'evicted',
  'tag',
  'fenced',
  'skipped',
  'held',
  'level down',
] as const;

/**
 * Why a read found nothing: it is not there; it has expired; it made room for others; a tag or namespace
 * of it was invalidated; what was loaded last was not stored, since it was invalidated meanwhile; the call
 * has `forceRefresh` or reads not every level, or what was loaded last was not to be stored; the key is
 * held after an invalidation, or what was loaded last was held by a tag; a level does not answer.
 */
export type MissReason = (typeof MISS_REASONS)[number];

/** Why what was loaded is not stored. */
export type DiscardReason = 'fenced' | 'held' | 'skipped' | 'uncloneable' | 'refused';

/** What every event tells. */
export interface CacheEvent {
  /** The name of the cache; `undefined` for the default cache. */
  readonly cache: string | undefined;
  /** The cache itself: every cache of the process publishes on these channels. */
  readonly hierarchy: CacheHierarchy;
  /** The key as the caller gave it. */
  readonly key: string;
  /** The names of its namespaces, the outermost first. */
  readonly namespace: readonly string[];
}

/** An event of {@link CACHE_CHANNELS}.hit. */
export interface HitEvent extends CacheEvent {
  readonly level: LevelName;
}

/** An event of {@link CACHE_CHANNELS}.miss. */
export interface MissEvent extends CacheEvent {
  readonly reason: MissReason;
}

/** An event of {@link CACHE_CHANNELS}.stored. */
export interface StoredEvent extends CacheEvent {
  readonly source: 'load' | 'write';
  /** How long it is fresh, in milliseconds. */
  readonly freshForMs: number;
  readonly tags: readonly string[];
}

/** An event of {@link CACHE_CHANNELS}.loadFailed. */
export interface LoadFailedEvent extends CacheEvent {
  readonly error: unknown;
}

/** An event of {@link CACHE_CHANNELS}.loadDiscarded. */
export interface LoadDiscardedEvent extends CacheEvent {
  readonly reason: DiscardReason;
}

/** An event of {@link CACHE_CHANNELS}.invalidated. */
export interface InvalidatedEvent extends Omit<CacheEvent, 'key'> {
  readonly kind: 'delete' | 'expire' | 'tags' | 'clear';
  /** The key that was deleted or expired; `undefined` for tags and `clear`. */
  readonly key: string | undefined;
  /** The tags that were invalidated; else empty. */
  readonly tags: readonly string[];
}

// They are kept here: Node holds channels weakly.
const hits = channel(CACHE_CHANNELS.hit);
const misses = channel(CACHE_CHANNELS.miss);
const stores = channel(CACHE_CHANNELS.stored);
const starts = channel(CACHE_CHANNELS.loadStarted);
const joins = channel(CACHE_CHANNELS.loadJoined);
const failures = channel(CACHE_CHANNELS.loadFailed);
const discards = channel(CACHE_CHANNELS.loadDiscarded);
const refreshes = channel(CACHE_CHANNELS.refreshed);
const invalidations = channel(CACHE_CHANNELS.invalidated);

/** The channel of hits, for who has no time to call {@link CacheEvents}. */
export const hitChannel = hits;

/** What {@link CacheEvents} are made of. */
export interface CacheEventsPorts {
  readonly clock: Clock;
  /** The name of a named cache. */
  readonly name: string | undefined;
  /** The cache that this tells of; asked when there is something to tell. */
  readonly hierarchy: () => CacheHierarchy;
}

/**
 * Tells who listens what a cache does. Where nobody does it costs a look at each channel: no message is
 * made.
 */
export class CacheEvents {
  readonly #hierarchy: () => CacheHierarchy;
  readonly #clock: Clock;
  readonly #name: string | undefined;

  constructor({ hierarchy, clock, name }: CacheEventsPorts) {
    this.#hierarchy = hierarchy;
    this.#clock = clock;
    this.#name = name;
  }

  /** Whether somebody listens to misses: then it is worth while to find out why before a look elsewhere. */
  get explainsMisses(): boolean {
    return misses.hasSubscribers;
  }

  get tellsHits(): boolean {
    return hits.hasSubscribers;
  }

  get tellsJoins(): boolean {
    return joins.hasSubscribers;
  }

  hit(key: string, level: LevelName): void {
    if (hits.hasSubscribers)
      hits.publish(Object.assign(this.#named(key), { level }) satisfies HitEvent);
  }

  miss(key: string, reason: MissReason): void {
    if (misses.hasSubscribers)
      misses.publish(Object.assign(this.#named(key), { reason }) satisfies MissEvent);
  }

  stored(key: string, { freshUntil, tags = [] }: LevelEntry, source: StoredEvent['source']): void {
    if (!stores.hasSubscribers) return;
    const freshForMs = freshUntil - this.#clock.now();
    stores.publish(
      Object.assign(this.#named(key), { source, freshForMs, tags }) satisfies StoredEvent,
    );
  }

  loadStarted(key: string): void {
    if (starts.hasSubscribers) starts.publish(this.#named(key));
  }

  loadJoined(key: string): void {
    if (joins.hasSubscribers) joins.publish(this.#named(key));
  }

  loadFailed(key: string, error: unknown): void {
    if (failures.hasSubscribers)
      failures.publish(Object.assign(this.#named(key), { error }) satisfies LoadFailedEvent);
  }

  /** Tells that a load's value is not stored. */
  loadDiscarded(key: string, reason: DiscardReason): void {
    if (discards.hasSubscribers)
      discards.publish(Object.assign(this.#named(key), { reason }) satisfies LoadDiscardedEvent);
  }

  /** Tells that a load behind a hit brought a value that nothing has overtaken, stored or not. */
  refreshed(key: string): void {
    if (refreshes.hasSubscribers) refreshes.publish(this.#named(key));
  }

  /** Tells that a caller has deleted or expired a key, or cleared what begins with a prefix. */
  invalidated(kind: 'delete' | 'expire' | 'clear', keyOrPrefix: string): void {
    if (!invalidations.hasSubscribers) return;
    const named = this.#named(keyOrPrefix);
    const key = kind === 'clear' ? undefined : named.key;
    invalidations.publish({ ...named, kind, key, tags: [] } satisfies InvalidatedEvent);
  }

  /** Tells that a caller has invalidated tags. */
  tagsInvalidated(tags: readonly string[]): void {
    if (!invalidations.hasSubscribers) return;
    const named = { ...this.#named(''), kind: 'tags', key: undefined } as const;
    invalidations.publish({ ...named, tags } satisfies InvalidatedEvent);
  }

  /** What every event has; the rest is assigned to it, since a spread costs a listener of hits a microsecond. */
  #named(key: string): CacheEvent {
    const end = key.lastIndexOf(NAMESPACE_SEPARATOR);
    return {
      cache: this.#name,
      hierarchy: this.#hierarchy(),
      key: key.slice(end + 1),
      namespace: end === -1 ? [] : key.slice(0, end).split(NAMESPACE_SEPARATOR),
    };
  }
}
