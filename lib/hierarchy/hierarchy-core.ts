import type { Clock } from '../clock.js';
import type { InProcessLevel, LevelEntry } from '../levels/cache-level.js';
import { KeyCoordinator, type CoordinatorMetrics } from '../memory/key-coordinator.js';
import type { HandOver } from '../memory/shared-exclusive-lock.js';
import type { Report } from '../report.js';
import { AnsweredReads } from './answered-reads.js';
import type { StorePlan } from './call-options.js';
import type { CallTracing } from './call-tracing.js';
import { hitChannel, type CacheEvents, type DiscardReason } from './cache-events.js';
import type { Coherence } from './coherence.js';
import { EntryMaker } from './entry-maker.js';
import { HoldTable } from './hold-table.js';
import type { InspectedEntry } from './inspected-entry.js';
import { tryClone, UNCLONEABLE, type Isolation } from './isolation.js';
import { Invalidations } from './invalidations.js';
import { LevelWalk, type LowerRead } from './level-walk.js';
import type { LowerLevels } from './lower-levels.js';
import { LoadMaker } from './load-maker.js';
import type { BatchedLoad, LoadCall } from './load-call.js';
import { LoaderCalls } from './loader-calls.js';
import { MissReasons } from './miss-reasons.js';
import type { OperationMetrics } from './operation-metrics.js';
import type { Policy } from './policy.js';
import { NOTHING_SKIPPED, type SkippedLevels } from './skipped-levels.js';
import { StoringMaker } from './storing-maker.js';
import { StaleAnswers } from './stale-answers.js';
import type { StampTable } from './stamp-table.js';

/** What a {@link HierarchyCore} is made of. */
export interface HierarchyCorePorts {
  /** Those in this process, from the first to the last that is asked. */
  readonly levels: readonly InProcessLevel[];
  /** Those outside it. */
  readonly lower: LowerLevels;
  readonly stamps: StampTable;
  /** What other processes change in the level that they share. */
  readonly coherence: Coherence;
  readonly clock: Clock;
  readonly report: Report;
  readonly enabled: boolean;
  readonly isolation: Isolation;
  readonly policy: Policy;
  readonly waitTimeoutMs: number | undefined;
  readonly lockTimeoutMs: number;
  readonly joinTimeoutMs: number;
  readonly maxConcurrentLoads: number;
  readonly maxStamps: number;
  readonly handOver: HandOver | undefined;
  readonly events: CacheEvents;
  readonly tracing: CallTracing;
  shardOf(key: string): number;
}

/**
 * The operations of a hierarchy on whole keys, with everything checked: finds out what a call has to
 * do, has it done by the {@link LevelWalk} and the {@link LoaderCalls}, and hands what must be ordered
 * to the {@link KeyCoordinator}.
 */
export class HierarchyCore {
  /** The operations that remove. */
  readonly invalidations: Invalidations;
  readonly #ports: HierarchyCorePorts;
  readonly #coordinator: KeyCoordinator;
  readonly #first: InProcessLevel;
  readonly #walk: LevelWalk;
  readonly #stale: StaleAnswers;
  readonly #entries: EntryMaker;
  readonly #holds: HoldTable;
  readonly #loaders: LoaderCalls;
  readonly #storing: StoringMaker;
  readonly #reasons: MissReasons;
  readonly #loads: LoadMaker;
  readonly #answered: AnsweredReads;
  /** Whether callers get copies. */
  readonly #copies: boolean;
  #closed = false;
  /** Whether nothing is cached; kept since every hit asks. */
  #off: boolean;
  #hits = 0;
  #misses = 0;
  #refreshes = 0;

  constructor(ports: HierarchyCorePorts) {
    const { levels, lower, clock, stamps, coherence } = ports;
    this.#ports = ports;
    this.#first = levels[0]!;
    this.#off = !ports.enabled;
    this.#copies = ports.isolation === 'clone';
    this.#stale = new StaleAnswers({ ...ports, level: levels.at(-1)! });
    this.#entries = new EntryMaker({
      ...ports,
      isShared: !lower.isEmpty,
      needsOrder: coherence.isNeeded,
      unstored: (ticket, reason) => {
        if (ticket.kind === 'load') this.#noteDiscarded(ticket.key, reason);
      },
    });
    this.#loaders = new LoaderCalls({
      ...ports,
      staleOf: (key) => (this.off ? undefined : this.#stale.keptOf(key)),
      handOut: (value) => this.handOut(value),
    });
    if (!ports.enabled) this.#loaders.close();
    this.#holds = new HoldTable({
      clock,
      maxHolds: ports.maxStamps,
      oldestOpenedAt: () => this.#coordinator.oldest?.openedAt,
    });
    this.#coordinator = new KeyCoordinator({
      clock,
      lockTimeoutMs: ports.lockTimeoutMs,
      joinTimeoutMs: ports.joinTimeoutMs,
      handOver: ports.handOver,
      shardOf: (key) => ports.shardOf(key),
      drop: (key) => void this.#walk.remove(key),
      order: () => {
        coherence.notice();
        return stamps.order;
      },
      admits: (ticket) =>
        !this.#closed &&
        stamps.admits(ticket.key, ticket) &&
        coherence.knows(ticket.key, ticket.order) &&
        // Nobody knows what has ended a load that takes longer than copies are trusted without a proof.
        (ticket.kind === 'write' || coherence.trusts(ticket.key, ticket.openedAt)),
      heldUntil: (ticket) => this.#holds.heldUntil(ticket),
      discarded: (ticket) => this.#noteDiscarded(ticket.key, this.#reasons.discarded(ticket)),
    });
    this.#answered = new AnsweredReads([...levels.map(({ name }) => name), ...lower.names]);
    this.#walk = new LevelWalk({
      ...ports,
      answered: this.#answered,
      stale: this.#stale,
      entries: this.#entries,
      tickets: this.#coordinator,
      isFollowed: coherence.isNeeded,
      trustedUntil: (key, since) => coherence.trustedUntil(key, since),
    });
    const parts = { ...ports, walk: this.#walk, stale: this.#stale, holds: this.#holds };
    this.invalidations = new Invalidations({ ...parts, coordinator: this.#coordinator });
    this.#reasons = new MissReasons(parts);
    this.#storing = new StoringMaker({
      ...parts,
      entries: this.#entries,
      tickets: this.#coordinator,
    });
    this.#loads = new LoadMaker({
      ...parts,
      loaders: this.#loaders,
      storing: this.#storing,
      reasons: this.#reasons,
      answered: this.#answered,
      isOff: () => this.off,
      peek: (key, skip) => this.peek(key, skip),
    });
  }

  get policy(): Policy {
    return this.#ports.policy;
  }

  get waitTimeoutMs(): number | undefined {
    return this.#ports.waitTimeoutMs;
  }

  /** Whether there are levels outside this process to ask, which takes time. */
  get hasLower(): boolean {
    return this.#walk.hasLower && !this.off;
  }

  /** The order of the oldest operation under way, if there is one. */
  get oldestOrder(): number | undefined {
    return this.#coordinator.oldest?.order;
  }

  /** Whether nothing is cached: closed, or not enabled. */
  get off(): boolean {
    return this.#off;
  }

  /**
   * Returns a value that the first level has and that carries no tags and no namespace, and counts
   * the hit; `undefined` asks for {@link read}.
   */
  readPlain(key: string): unknown {
    if (this.#off) return undefined;
    const value = this.#first.readPlainNow(key);
    return value === undefined ? undefined : this.#hit(key, value);
  }

  /** Does what {@link readPlain} does for a value with tags, or in a namespace. */
  readStamped(key: string): unknown {
    if (this.#off) return undefined;
    const value = this.#first.readStampedNow(key);
    return value === undefined ? undefined : this.#hit(key, value);
  }

  /** Returns what a caller gets of a value that is kept, or that several callers wait for. */
  handOut<T>(value: T): T {
    if (!this.#copies) return value;
    const copy = tryClone(value);
    return copy === UNCLONEABLE ? value : (copy as T);
  }

  /** Reads through the levels in this process, copies what is found into those above, and counts. */
  read(key: string, skip = NOTHING_SKIPPED): LevelEntry | undefined {
    const { events } = this.#ports;
    const level = events.tellsHits ? this.#walk.locateNow(key, skip)?.level : undefined;
    const entry = this.off ? undefined : this.#walk.readNow(key, skip);
    if (entry === undefined) {
      this.#noteMissed(key, skip);
    } else {
      this.#hits += 1;
      if (level !== undefined) events.hit(key, level);
    }
    return entry;
  }

  /** Reads through the lower levels, after a miss in this process that was counted. */
  readLower(key: string): Promise<LevelEntry | undefined> {
    return this.#loads.find(key, this.#wholly);
  }

  /** Tells of a miss in this process where lower levels were not asked. */
  noteNotPresent(key: string): void {
    const { events } = this.#ports;
    if (this.hasLower && events.explainsMisses)
      events.miss(key, this.#reasons.missed(key, NOTHING_SKIPPED));
  }

  /** Counts a read that does not look. */
  noteMiss(key: string): void {
    this.#misses += 1;
    this.#reasons.count('skipped');
    this.#ports.events.miss(key, 'skipped');
  }

  /** Reads through the levels in this process and moves nothing. */
  peek(key: string, skip = NOTHING_SKIPPED): unknown {
    return this.off ? undefined : this.handOut(this.#walk.locateNow(key, skip)?.entry.value);
  }

  /** Tells what each level has of a key; moves nothing in this process, counts no hit and no miss. */
  async inspect(key: string): Promise<InspectedEntry[]> {
    if (this.off) return [];
    return this.#walk.inspect(key, (value) => this.handOut(value));
  }

  /**
   * Joins the load of a key that was just found absent, or starts one. After a load has failed it may
   * be too early for another one: the stale value is the answer then.
   */
  load<T>(call: LoadCall<T>): Promise<T> {
    const loaded = this.#load(call);
    return this.#copies ? loaded.then((value) => this.handOut(value)) : loaded;
  }

  /** Calls a loader of many keys; see {@link LoaderCalls.runBatch}. */
  runBatch<R>(
    loads: readonly BatchedLoad[],
    run: (wanted: readonly BatchedLoad[]) => Promise<R>,
  ): Promise<R | undefined> {
    return this.#loaders.runBatch(loads, run);
  }

  /** Loads a key anew behind its callers, once for each entry, if it is time for that. */
  refreshIfDue<T>(entry: LevelEntry, call: () => LoadCall<T>): void {
    const { refreshAt } = entry;
    if (refreshAt === undefined || refreshAt > this.#ports.clock.now()) return;
    const refresh = call();
    const { key, plan } = refresh;
    if (this.#coordinator.isLoading({ key, variant: plan.skip.variant })) return;
    this.#refreshes += 1;
    this.#unmark(key, entry, plan);
    this.#coordinator.loadBehind(this.#loads.ofRefresh(refresh, entry));
  }

  /** Stores a value under the key's lock. */
  async set(key: string, value: unknown, plan: StorePlan): Promise<void> {
    if (this.off) return;
    await this.#coordinator.set(key, plan.tags, { value, ...this.#storing.ofWrite(plan) });
  }

  /** Replaces a value under the key's lock. */
  update<T>(
    key: string,
    change: (current: T | undefined) => T | undefined | Promise<T | undefined>,
    plan: StorePlan,
  ): Promise<T | undefined> {
    const run = async (): Promise<T | undefined> => {
      const current = this.peek(key);
      const isHere = current !== undefined || !this.hasLower;
      return change((isHere ? current : await this.#currentLower(key)) as T | undefined);
    };
    if (this.off) return run();
    return this.#coordinator.update(key, plan.tags, run, this.#storing.ofWrite(plan));
  }

  getMetrics(): OperationMetrics & CoordinatorMetrics {
    const hits = this.#hits + this.#loads.hits;
    const misses = this.#misses - this.#loads.hits;
    const gets = hits + misses;
    return {
      ...this.invalidations.getMetrics(),
      refreshes: this.#refreshes,
      sets: this.#storing.sets,
      ...this.#coordinator.getMetrics(),
      ...this.#loaders.getMetrics(),
      unstored: this.#entries.unstored + this.#storing.refused,
      uncloneable: this.#entries.uncloneable,
      staleServed: this.#stale.served,
      optimisticRetries: this.#walk.optimisticRetries,
      gets,
      hits,
      misses,
      answered: this.#answered.of(hits),
      missReasons: this.#reasons.counts,
      hitRatio: gets === 0 ? 0 : hits / gets,
    };
  }

  /** From now on reads load, writes do nothing, and what is under way is not stored. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#off = true;
    this.invalidations.close();
    this.#ports.coherence.close();
    this.#coordinator.close();
    this.#loaders.close();
    this.#loads.close();
    await this.#walk.close();
  }

  #noteMissed(key: string, skip: SkippedLevels): void {
    this.#misses += 1;
    const reason = this.off ? 'absent' : this.#reasons.justMissed(key, skip);
    this.#reasons.count(reason);
    // Levels outside may have it: who looks there tells.
    if (!this.hasLower) this.#ports.events.miss(key, reason);
  }

  #noteDiscarded(key: string, reason: DiscardReason): void {
    this.#reasons.noteDiscarded(key, reason);
    this.#ports.events.loadDiscarded(key, reason);
  }

  /** Lets an entry be refreshed once only: where it was found, and in the level that keeps it longest. */
  #unmark(key: string, entry: LevelEntry, { skip }: StorePlan): void {
    const kept = this.#stale.keptOf(key);
    const isKept = kept?.bornAt === entry.bornAt && kept.value === entry.value;
    const unmarked = { ...(isKept ? kept : entry), refreshAt: undefined };
    this.#walk.writeNow(key, unmarked, skip.write, isKept ? undefined : 0);
  }

  #hit(key: string, value: unknown): unknown {
    this.#hits += 1;
    if (hitChannel.hasSubscribers) this.#ports.events.hit(key, 'L1');
    return this.#copies ? this.handOut(value) : value;
  }

  #load<T>(call: LoadCall<T>): Promise<T> {
    const load = this.#loads.of(call);
    if (this.off) return this.#coordinator.loadAlone(load);
    // Where there are lower levels they are asked first.
    const answer = this.hasLower ? undefined : this.#loads.whileThrottled(call, 1);
    if (answer !== undefined) return Promise.resolve(answer as T);
    if (this.#ports.events.tellsJoins && this.#coordinator.isLoading(load))
      this.#ports.events.loadJoined(call.key);
    return this.#coordinator.load(load);
  }

  /** How a caller who says nothing reads the lower levels. */
  get #wholly(): LowerRead {
    return { skip: NOTHING_SKIPPED, eager: this.policy.eager };
  }

  async #currentLower(key: string): Promise<unknown> {
    const found = await this.#walk.findLower(key, this.#wholly);
    return this.handOut(found?.entry.value);
  }
}
