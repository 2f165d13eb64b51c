import type { Clock } from '../clock.js';
import type { LevelEntry, Maybe } from '../levels/cache-level.js';
import type { CoordinatedLoad } from '../memory/key-loads.js';
import type { RunningLoad } from '../memory/load-request.js';
import type { AnsweredReads } from './answered-reads.js';
import type { CacheEvents } from './cache-events.js';
import type { Located, LowerRead, LevelWalk } from './level-walk.js';
import { isDueLike } from './lifetime.js';
import type { LoadCall } from './load-call.js';
import { LoadLease } from './load-lease.js';
import type { LoaderCalls } from './loader-calls.js';
import type { MissReasons } from './miss-reasons.js';
import type { SkippedLevels } from './skipped-levels.js';
import type { StaleAnswers } from './stale-answers.js';
import type { StoringMaker } from './storing-maker.js';

/** What a {@link LoadMaker} is made of. */
export interface LoadMakerPorts {
  readonly clock: Clock;
  readonly walk: LevelWalk;
  readonly stale: StaleAnswers;
  readonly loaders: LoaderCalls;
  readonly storing: StoringMaker;
  readonly events: CacheEvents;
  readonly reasons: MissReasons;
  readonly answered: AnsweredReads;
  /** For how long another process's load is waited for, in milliseconds. */
  readonly joinTimeoutMs: number;
  /** Whether nothing is cached. */
  isOff(): boolean;
  /** Finds a live value in this process, as a caller gets it. */
  peek(key: string, skip: SkippedLevels): unknown;
}

/**
 * Makes loads of calls: each looks in the lower levels, calls the loader, stores what it brought, and
 * knows what else its callers can be answered with.
 */
export class LoadMaker {
  readonly #ports: LoadMakerPorts;
  /** Ends the wait of each load for one of another process. */
  readonly #waiting = new Set<() => void>();
  #hits = 0;

  constructor(ports: LoadMakerPorts) {
    this.#ports = ports;
  }

  /** Reads that lower levels have answered. */
  get hits(): number {
    return this.#hits;
  }

  /** A load that callers wait for. */
  of<T>(call: LoadCall<T>): CoordinatedLoad<T> {
    return this.#of(call, undefined);
  }

  /** A load behind a hit of an entry that is due; what is found in a lower level must not be due as well. */
  ofRefresh<T>(call: LoadCall<T>, refreshed: LevelEntry): CoordinatedLoad<T> {
    const load = this.#of(call, refreshed);
    const store: typeof load.store = (value, ticket) => {
      load.store(value, ticket);
      this.#ports.events.refreshed(ticket.key);
    };
    return { ...load, store };
  }

  /** Reads through the lower levels for one caller. */
  async find(key: string, how: LowerRead): Promise<LevelEntry | undefined> {
    const found = await this.#find(key, how);
    if (found !== undefined) this.#noteHits(found, 1);
    return found?.entry;
  }

  /** Returns the answer to so many callers where it is too early for another load. */
  whileThrottled({ key, plan, forced }: LoadCall<unknown>, callers: number): unknown {
    const isThrottled = !forced && plan.policy.throttleMs > 0;
    return isThrottled ? this.#ports.stale.whileThrottled(key, callers) : undefined;
  }

  /** From now on no load waits for another process. */
  close(): void {
    for (const end of this.#waiting) end();
  }

  #of<T>(call: LoadCall<T>, refreshed: LevelEntry | undefined): CoordinatedLoad<T> {
    const { key, plan, signal, waitTimeoutMs, forced, batch } = call;
    const { softTimeoutMs, hardTimeoutMs, throttleMs, staleOn } = plan.policy;
    const { walk, stale, loaders, storing } = this.#ports;
    const looksLower = walk.hasLower && !forced && !this.#ports.isOff();
    const lease = this.#leaseFor(call, refreshed !== undefined);
    return {
      key,
      tags: plan.tags,
      signal,
      waitTimeoutMs,
      forced,
      variant: plan.skip.variant,
      softTimeoutMs,
      hardTimeoutMs,
      began: batch && ((load) => batch.began({ ...call, load })),
      find: this.#finder(call, looksLower, refreshed, lease),
      callLoader: (load) => loaders.run(call, load),
      ended: lease && (() => lease.release()),
      ...storing.ofLoad<T>(plan, lease),
      stored: forced ? undefined : () => this.#ports.peek(key, plan.skip) as T | undefined,
      fallback: (callers) => this.#unlessOff(() => stale.forCallers(key, callers, forced)),
      recover: (error, callers) =>
        this.#unlessOff(() => stale.forFailure(key, staleOn, error, callers, forced)),
      noteFailure: (error) =>
        void this.#unlessOff(() => stale.noteFailure(key, staleOn, error, throttleMs)),
      noteTimeout: () => void this.#unlessOff(() => stale.throttle(key, throttleMs)),
    };
  }

  /** Where one process of a fleet is to load a key, what it takes to be the one. */
  #leaseFor(
    { key, plan, forced, batch }: LoadCall<unknown>,
    behind: boolean,
  ): LoadLease | undefined {
    const { walk, clock, joinTimeoutMs } = this.#ports;
    if (this.#ports.isOff() || !walk.givesLeases(plan.skip.write)) return undefined;
    return new LoadLease({
      clock,
      // A batch that waited for some of its keys would keep the leases of the others meanwhile.
      patienceMs: batch === undefined && !behind ? joinTimeoutMs : 0,
      ask: () => walk.lease(key, { tags: plan.tags, force: forced || behind }, plan.skip),
      waiting: this.#waiting,
    });
  }

  #finder<T>(
    call: LoadCall<T>,
    looksLower: boolean,
    refreshed: LevelEntry | undefined,
    lease: LoadLease | undefined,
  ): CoordinatedLoad<T>['find'] {
    if (!looksLower && lease === undefined) return undefined;
    return async (load) => {
      const look = (): Maybe<T | undefined> =>
        looksLower ? this.#findForLoad(call, load, refreshed) : undefined;
      let found: T | undefined = await look();
      if (found === undefined && lease !== undefined) found = await lease.take(load, look);
      // Another process is at it already: what is there does until then.
      if (found === undefined && lease?.isElsewhere === true) found = refreshed?.value as T;
      // Its batch need not wait for a loader that is not called.
      if (found !== undefined || load.aborted) call.batch?.ended(call.shownKey);
      return found;
    };
  }

  async #findForLoad<T>(
    call: LoadCall<T>,
    load: RunningLoad,
    refreshed: LevelEntry | undefined,
  ): Promise<T | undefined> {
    const { key, plan } = call;
    const how = { skip: plan.skip, eager: plan.policy.eager, refreshed };
    const found = await this.#within(plan.policy.hardTimeoutMs / 2, this.#find(key, how));
    if (this.#ports.isOff()) return undefined;
    // It may have been set meanwhile; a refresh is to replace what is there.
    const isSet = found === undefined && refreshed === undefined;
    const stored = isSet ? this.#ports.walk.locateNow(key, plan.skip) : found;
    if (stored === undefined) return this.whileThrottled(call, load.callers) as T | undefined;
    this.#noteHits(stored, load.callers);
    return stored.entry.value as T;
  }

  #noteHits({ level }: Located, reads: number): void {
    this.#hits += reads;
    this.#ports.answered.note(level, reads);
  }

  async #find(key: string, how: LowerRead): Promise<Located | undefined> {
    const { walk, events, reasons, clock } = this.#ports;
    const { refreshed } = how;
    const reason = events.explainsMisses ? reasons.missed(key, how.skip) : undefined;
    const found = await walk.findLower(key, how);
    if (this.#ports.isOff()) return undefined;
    const isDue = found && refreshed && isDueLike(found.entry, refreshed, clock);
    if (found !== undefined && isDue !== true) {
      events.hit(key, found.level);
      return found;
    }
    if (reason !== undefined && refreshed === undefined)
      events.miss(key, walk.isDown ? 'level down' : reason);
    return undefined;
  }

  /** What comes in time: a level that takes long is to leave the loader the other half of `hardTimeout`. */
  #within<T>(patienceMs: number, looking: Promise<T>): Promise<T | undefined> {
    return patienceMs === Infinity ? looking : this.#atMost(patienceMs, looking);
  }

  async #atMost<T>(patienceMs: number, looking: Promise<T>): Promise<T | undefined> {
    let cancel: (() => void) | undefined;
    const patience = new Promise<undefined>((resolve) => {
      cancel = this.#ports.clock.setTimer(() => resolve(undefined), patienceMs);
    });
    try {
      return await Promise.race([looking, patience]);
    } finally {
      cancel?.();
    }
  }

  #unlessOff<T>(look: () => unknown): T | undefined {
    return this.#ports.isOff() ? undefined : (look() as T | undefined);
  }
}
