import type { Clock } from '../clock.js';
import type { InProcessLevel, LevelEntry } from '../levels/cache-level.js';
import { NAMESPACE_SEPARATOR } from '../memory/cache-key.js';
import {
  KeyCoordinator,
  type CoordinatedLoad,
  type CoordinatorMetrics,
} from '../memory/key-coordinator.js';
import type { RunningLoad } from '../memory/load.js';
import type { Ticket } from '../memory/tickets.js';
import type { Report } from '../report.js';
import type { StorePlan } from './call-options.js';
import { inspectedEntry, type InspectedEntry } from './inspected-entry.js';
import { tryClone, UNCLONEABLE, type Isolation } from './isolation.js';
import { FOREVER, isFresh, lifetimeOf } from './lifetime.js';
import { HierarchyLoaderContext, NOT_MODIFIED, type LoadContext } from './loader-context.js';
import type { OperationMetrics } from './operation-metrics.js';
import type { Policy } from './policy.js';
import { StaleAnswers } from './stale-answers.js';
import type { StampTable } from './stamp-table.js';

/** What a {@link HierarchyCore} is made of. */
export interface HierarchyCorePorts {
  /** From the first to the last that is asked. */
  readonly levels: readonly InProcessLevel[];
  readonly stamps: StampTable;
  readonly clock: Clock;
  readonly report: Report;
  readonly enabled: boolean;
  readonly isolation: Isolation;
  readonly policy: Policy;
  readonly waitTimeoutMs: number | undefined;
  readonly lockTimeoutMs: number;
  readonly joinTimeoutMs: number;
  shardOf(key: string): number;
}

/** A checked call for a value. */
export interface LoadCall<T> {
  /** The key with its namespaces. */
  readonly key: string;
  /** The key as the caller gave it. */
  readonly shownKey: string;
  readonly plan: StorePlan;
  readonly loader: (context: LoadContext) => T | Promise<T>;
  /** Hears of the load that this call starts, before the loader is called. */
  readonly began?: ((load: RunningLoad) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly waitTimeoutMs: number | undefined;
  /** Whether to load although there is a value. */
  readonly forced: boolean;
}

type Counters = Omit<OperationMetrics, 'gets' | 'hitRatio' | 'staleServed'>;

/**
 * The operations of a hierarchy on whole keys, with everything checked: walks the levels, fills the
 * upper ones, and hands what must be ordered to the {@link KeyCoordinator}.
 */
export class HierarchyCore {
  readonly #ports: HierarchyCorePorts;
  readonly #coordinator: KeyCoordinator;
  readonly #first: InProcessLevel;
  readonly #stale: StaleAnswers;
  /** Whether callers get copies. */
  readonly #copies: boolean;
  #closed = false;
  readonly #count: { -readonly [name in keyof Counters]: number } = {
    hits: 0,
    misses: 0,
    sets: 0,
    deletes: 0,
    expires: 0,
    tagInvalidations: 0,
    clears: 0,
    loads: 0,
    loadFailures: 0,
    unstored: 0,
    uncloneable: 0,
    loadMs: 0,
    refreshes: 0,
    lateInvalidations: 0,
  };

  constructor(ports: HierarchyCorePorts) {
    this.#ports = ports;
    this.#first = ports.levels[0]!;
    this.#copies = ports.isolation === 'clone';
    this.#stale = new StaleAnswers({ ...ports, level: ports.levels.at(-1)! });
    this.#coordinator = new KeyCoordinator({
      clock: ports.clock,
      lockTimeoutMs: ports.lockTimeoutMs,
      joinTimeoutMs: ports.joinTimeoutMs,
      shardOf: (key) => ports.shardOf(key),
      drop: (key) => this.#drop(key),
      order: () => ports.stamps.order,
      admits: (ticket) => !this.#closed && ports.stamps.admits(ticket.key, ticket),
    });
  }

  get policy(): Policy {
    return this.#ports.policy;
  }

  get waitTimeoutMs(): number | undefined {
    return this.#ports.waitTimeoutMs;
  }

  /** The order of the oldest operation under way, if there is one. */
  get oldestOrder(): number | undefined {
    return this.#coordinator.oldestOrder;
  }

  /**
   * Returns a value that the first level has and that carries no tags and no namespace, and counts
   * the hit; `undefined` asks for {@link read}.
   */
  readPlain(key: string): unknown {
    if (this.off) return undefined;
    const value = this.#first.readPlainNow(key);
    if (value !== undefined) this.#count.hits += 1;
    return this.#copies ? this.handOut(value) : value;
  }

  /** Returns what a caller gets of a value that is kept, or that several callers wait for. */
  handOut<T>(value: T): T {
    if (!this.#copies) return value;
    const copy = tryClone(value);
    return copy === UNCLONEABLE ? value : (copy as T);
  }

  /** Reads through the levels, copies what is found into those above, and counts. */
  read(key: string): LevelEntry | undefined {
    const entry = this.off ? undefined : this.#readLevels(key);
    if (entry === undefined) this.#count.misses += 1;
    else this.#count.hits += 1;
    return entry;
  }

  /** Counts a read that does not look. */
  noteMiss(): void {
    this.#count.misses += 1;
  }

  /** Reads through the levels and moves nothing. */
  peek(key: string): unknown {
    if (this.off) return undefined;
    for (const level of this.#ports.levels) {
      const entry = level.peekNow(key);
      if (entry !== undefined && isFresh(entry, this.#ports.clock))
        return this.handOut(entry.value);
    }
    return undefined;
  }

  /** Tells what each level has of a key; moves and counts nothing. */
  inspect(key: string): InspectedEntry[] {
    const { levels, clock } = this.#ports;
    return levels.flatMap((level) => {
      const entry = level.peekNow(key);
      if (entry === undefined) return [];
      return [inspectedEntry(level.name, { ...entry, value: this.handOut(entry.value) }, clock)];
    });
  }

  /**
   * Joins the load of a key that was just found absent, or starts one. After a load has failed it may
   * be too early for another one: the stale value is the answer then.
   */
  load<T>(call: LoadCall<T>): Promise<T> {
    const loaded = this.#load(call);
    return this.#copies ? loaded.then((value) => this.handOut(value)) : loaded;
  }

  #load<T>(call: LoadCall<T>): Promise<T> {
    if (this.off) return this.#coordinator.loadAlone(this.#loadOf(call));
    const isThrottled = !call.forced && call.plan.policy.throttleMs > 0;
    const answer = isThrottled ? this.#stale.whileThrottled(call.key) : undefined;
    if (answer !== undefined) return Promise.resolve(answer as T);
    return this.#coordinator.load(this.#loadOf(call));
  }

  /** Loads a key anew behind its callers, once for each entry, if it is time for that. */
  refreshIfDue<T>(entry: LevelEntry, call: () => LoadCall<T>): void {
    const { refreshAt } = entry;
    if (refreshAt === undefined || refreshAt > this.#ports.clock.now()) return;
    const refresh = call();
    if (this.#coordinator.isLoading(refresh.key)) return;
    this.#count.refreshes += 1;
    const kept = this.#stale.keptOf(refresh.key);
    const lowest = kept === undefined ? 0 : this.#ports.levels.length - 1;
    this.#write(refresh.key, { ...(kept ?? entry), refreshAt: undefined }, lowest);
    this.#coordinator.loadBehind(this.#loadOf(refresh));
  }

  /** Stores a value under the key's lock. */
  async set(key: string, value: unknown, plan: StorePlan): Promise<void> {
    if (this.off) return;
    await this.#coordinator.set(key, plan.tags, (ticket) =>
      this.#storeWritten(value, ticket, plan),
    );
  }

  /** Replaces a value under the key's lock. */
  update<T>(
    key: string,
    change: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    plan: StorePlan,
  ): Promise<T | undefined> {
    const run = async (): Promise<T | undefined> => change(this.peek(key) as T | undefined);
    if (this.off) return run();
    return this.#coordinator.update(key, plan.tags, run, (value, ticket) =>
      this.#storeWritten(value, ticket, plan),
    );
  }

  /** Removes a key; returns whether it had a live value. */
  delete(key: string): boolean {
    if (this.#isLate()) return false;
    this.#count.deletes += 1;
    this.#coordinator.fence(key);
    return this.#drop(key);
  }

  /**
   * Ends the freshness of a key: like {@link delete}, but an entry with grace is kept for as long as
   * that lasts. Returns whether it had a live value.
   */
  expire(key: string): boolean {
    if (this.#isLate()) return false;
    this.#count.expires += 1;
    this.#coordinator.fence(key);
    const kept = this.#stale.keptOf(key);
    const existed = this.#drop(key);
    if (kept !== undefined) this.#stale.keep(key, kept);
    return existed;
  }

  /** Removes everything, or a namespace given as the prefix of its keys. */
  clear(prefix: string): void {
    if (this.#isLate()) return;
    this.#count.clears += 1;
    if (prefix === '') {
      this.#coordinator.fenceAll();
      for (const level of this.#ports.levels) level.clear();
    } else {
      this.#ports.stamps.stamp(prefix);
    }
  }

  /** Makes whatever carries one of the tags a miss. */
  invalidateTags(tags: readonly string[]): void {
    if (this.#isLate()) return;
    this.#count.tagInvalidations += tags.length;
    for (const tag of tags) this.#ports.stamps.stamp(tag);
  }

  getMetrics(): OperationMetrics & CoordinatorMetrics {
    const { hits, misses } = this.#count;
    const gets = hits + misses;
    return {
      ...this.#count,
      ...this.#coordinator.getMetrics(),
      staleServed: this.#stale.served,
      gets,
      hitRatio: gets === 0 ? 0 : hits / gets,
    };
  }

  /** From now on reads load, writes do nothing, and what is under way is not stored. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#coordinator.close();
    await Promise.all(this.#ports.levels.map((level) => level.close()));
  }

  /** Whether nothing is cached: closed, or not enabled. */
  get off(): boolean {
    return this.#closed || !this.#ports.enabled;
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

  #readLevels(key: string): LevelEntry | undefined {
    const { levels } = this.#ports;
    for (let depth = 0; depth < levels.length; depth++) {
      const entry = levels[depth]!.readNow(key);
      if (entry === undefined || !isFresh(entry, this.#ports.clock)) continue;
      if (depth > 0) this.#write(key, entry, depth - 1);
      return entry;
    }
    return undefined;
  }

  #loadOf<T>(call: LoadCall<T>): CoordinatedLoad<T> {
    const { key, plan, signal, waitTimeoutMs, forced } = call;
    const { softTimeoutMs, hardTimeoutMs, throttleMs, staleOn } = plan.policy;
    return {
      key,
      tags: plan.tags,
      signal,
      waitTimeoutMs,
      forced,
      softTimeoutMs,
      hardTimeoutMs,
      callLoader: (load) => this.#callLoader(call, load),
      store: (value, ticket) => void this.#store(value, ticket, plan),
      stored: forced ? undefined : () => this.peek(key) as T | undefined,
      fallback: (callers) => this.#answerOf(() => this.#stale.forCallers(key, callers, forced)),
      recover: (error, callers) =>
        this.#answerOf(() => this.#stale.forFailure(key, staleOn, error, callers, forced)),
      noteFailure: (error) => {
        if (!this.off) this.#stale.noteFailure(key, staleOn, error, throttleMs);
      },
      noteTimeout: () => {
        if (!this.off) this.#stale.throttle(key, throttleMs);
      },
    };
  }

  #answerOf<T>(look: () => unknown): T | undefined {
    return this.off ? undefined : (look() as T | undefined);
  }

  /** A value that is not to be kept takes the place of the one before all the same. */
  #storeWritten(value: unknown, ticket: Ticket, plan: StorePlan): void {
    if (this.#store(value, ticket, plan)) this.#count.sets += 1;
    else this.#drop(ticket.key);
  }

  /** Stores a value in every level; returns whether it is to be kept at all. */
  #store(value: unknown, ticket: Ticket, plan: StorePlan): boolean {
    const { clock, stamps, levels } = this.#ports;
    const lifetimeMs = lifetimeOf(value, plan, clock);
    if (plan.skipped || lifetimeMs <= 0) {
      this.#count.unstored += 1;
      return false;
    }
    const kept = this.#copies ? tryClone(value) : value;
    if (kept === UNCLONEABLE) {
      this.#count.uncloneable += 1;
      return false;
    }
    const { graceMs, eager } = plan.policy;
    const { key, order, openedAt, tags } = ticket;
    const stamped = tags !== undefined || key.includes(NAMESPACE_SEPARATOR);
    if (stamped) stamps.noteLifetime(lifetimeMs + graceMs);
    const now = clock.now();
    // What lives for ever ends a little earlier where it has grace: it can be expired then.
    const freshUntil = graceMs > 0 ? Math.min(now + lifetimeMs, FOREVER) : now + lifetimeMs;
    const entry: LevelEntry = {
      value: kept,
      bornAt: openedAt,
      freshUntil,
      staleUntil: now + lifetimeMs + graceMs,
      refreshAt: eager === undefined ? undefined : now + eager * lifetimeMs,
      tags,
      order: stamped ? order : undefined,
    };
    this.#write(key, entry, levels.length - 1);
    return true;
  }

  /** Writes an entry to a level and to those above, the lowest first. */
  #write(key: string, entry: LevelEntry, lowest: number): void {
    for (let depth = lowest; depth >= 0; depth--) {
      this.#ports.levels[depth]!.writeNow(key, entry);
    }
  }

  /** Removes a key from every level; returns whether one had a live entry. */
  #drop(key: string): boolean {
    let existed = false;
    for (const level of this.#ports.levels) existed = level.deleteNow(key) || existed;
    return existed;
  }

  async #callLoader<T>(
    { loader, plan, key, shownKey, began }: LoadCall<T>,
    load: RunningLoad,
  ): Promise<T> {
    const { clock } = this.#ports;
    const startedAt = clock.now();
    // Looked at when this load begins, which can be long after the call: its ticket answers for it.
    const kept = this.off ? undefined : this.#stale.keptOf(key);
    const stale = kept && { ...kept, value: this.handOut(kept.value) };
    this.#count.loads += 1;
    began?.(load);
    try {
      const value = await loader(new HierarchyLoaderContext(load, { shownKey, plan, stale }));
      return (value as unknown) === NOT_MODIFIED ? (stale!.value as T) : value;
    } catch (error) {
      this.#count.loadFailures += 1;
      throw error;
    } finally {
      this.#count.loadMs += clock.now() - startedAt;
    }
  }
}
