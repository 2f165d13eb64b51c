import type { Clock } from '../clock.js';
import { NAMESPACE_SEPARATOR } from '../memory/cache-key.js';

/** What a stamp is compared with: an entry, or the ticket of one under way. */
export interface Stamped {
  /** Where it began in the order of invalidations; not needed without tags and namespace. */
  readonly order: number | undefined;
  readonly tags?: readonly string[] | undefined;
}

interface Stamp {
  readonly order: number;
  readonly at: number;
}

/** What a {@link StampTable} needs to know when it may forget. */
export interface StampTablePorts {
  readonly clock: Clock;
  /** The most stamps it keeps. */
  readonly maxStamps: number;
  /** The order of the oldest operation under way, if there is one. */
  oldestOrder(): number | undefined;
}

/**
 * Invalidation in O(1): a tag or a namespace is stamped with the next number of one count, and
 * whatever carries it and began at a lower count is a miss. Entries stay where they are until they
 * are read, swept or evicted.
 *
 * A stamp is forgotten when nothing can be older than it any more: the longest lifetime that any
 * tagged or namespaced entry was given has passed, and no operation that began before is under way.
 * Beyond `maxStamps` the oldest is turned into a floor, and whatever began below the floor is a
 * miss whatever its tags: forgetting costs misses, never a stale answer.
 */
export class StampTable {
  readonly #ports: StampTablePorts;
  /** In the order of the stamps. */
  readonly #stamps = new Map<string, Stamp>();
  #order = 0;
  #floor = 0;
  #namespaces = 0;
  #longestLifetimeMs = 0;

  constructor(ports: StampTablePorts) {
    this.#ports = ports;
  }

  /** How many invalidations there were; what begins now is only ended by later ones. */
  get order(): number {
    return this.#order;
  }

  /** How many stamps are kept. */
  get size(): number {
    return this.#stamps.size;
  }

  /** Notes how long an entry may live, which is how long stamps before it matter. */
  noteLifetime(lifetimeMs: number): void {
    if (lifetimeMs > this.#longestLifetimeMs) this.#longestLifetimeMs = lifetimeMs;
  }

  /** Takes the next number, for an invalidation that is remembered elsewhere. */
  advance(): number {
    this.#order += 1;
    return this.#order;
  }

  /** Invalidates a tag, or a namespace given as the prefix of its keys. */
  stamp(name: string): void {
    this.#forget(name);
    this.#order += 1;
    this.#stamps.set(name, { order: this.#order, at: this.#ports.clock.now() });
    if (isNamespace(name)) this.#namespaces += 1;
    this.#prune();
  }

  /** Whether none of what an entry carries was invalidated since it began. */
  admits(key: string, stamped: Stamped): boolean {
    if (this.#order === stamped.order) return true;
    const { order, tags } = stamped;
    const namespaced = key.includes(NAMESPACE_SEPARATOR);
    if (order === undefined || (tags === undefined && !namespaced)) return true;
    if (order < this.#floor) return false;
    if (tags !== undefined && tags.some((tag) => this.#isAfter(tag, order))) return false;
    return !namespaced || this.#namespaces === 0 || !this.#clearedAfter(key, order);
  }

  #isAfter(name: string, order: number): boolean {
    const stamp = this.#stamps.get(name);
    return stamp !== undefined && stamp.order > order;
  }

  #clearedAfter(key: string, order: number): boolean {
    let end = key.indexOf(NAMESPACE_SEPARATOR);
    while (end !== -1) {
      if (this.#isAfter(key.slice(0, end + 1), order)) return true;
      end = key.indexOf(NAMESPACE_SEPARATOR, end + 1);
    }
    return false;
  }

  #prune(): void {
    const oldestOrder = this.#ports.oldestOrder() ?? Infinity;
    const outlivedAt = this.#ports.clock.now() - this.#longestLifetimeMs;
    for (const [name, { order, at }] of this.#stamps) {
      const outlived = at < outlivedAt && order <= oldestOrder;
      if (!outlived && this.#stamps.size <= this.#ports.maxStamps) return;
      if (!outlived) this.#floor = order;
      this.#forget(name);
    }
  }

  #forget(name: string): void {
    if (this.#stamps.delete(name) && isNamespace(name)) this.#namespaces -= 1;
  }
}

function isNamespace(name: string): boolean {
  return name.endsWith(NAMESPACE_SEPARATOR);
}
