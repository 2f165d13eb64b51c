import type { Row, Said } from './naive-entries.js';
import type { Caller, Load, NaiveState, Waiter } from './naive-load.js';
import { errorOf, ttlOf, valueOf } from './scripted-source.js';

/** Who loads what, who waits for it, and what becomes of what it brings. */
export class NaiveLoads {
  /** Every call of a loader, and whether it was told that nobody waits for it. */
  readonly begun = new Map<string, Readonly<Pick<Load, 'aborted'>>>();
  readonly #state: NaiveState;
  /** All under way, the oldest first. */
  readonly #loads = new Set<Load>();
  /** Of each key, and what is skipped, the one that is joined, if nothing was invalidated. */
  readonly #newest = new Map<string, Load>();
  /** Of each key the last one that is over its hard timeout. */
  readonly #givenUp = new Map<string, Load>();

  constructor(state: NaiveState) {
    this.#state = state;
  }

  getOrSet(caller: Caller): void {
    const { agenda, counts, order } = this.#state;
    const { reply, wait } = caller;
    const waiter = { ...caller, calledAt: agenda.now, order, load: undefined };
    const row = this.#here(waiter);
    if (row !== undefined) {
      counts.hits += 1;
      reply.return(row.value);
      this.#refreshIfDue(waiter, row);
      return;
    }
    counts.misses += 1;
    if (!this.#isShared && this.#replyWhileThrottled(waiter)) return;
    this.#joinOrLoad(waiter);
    if (wait !== undefined) agenda.after(wait, () => this.#leave(waiter, 'LoadTimeoutError'));
  }

  /** The signal of a caller is aborted. */
  leave({ reply }: Caller): void {
    for (const { waiters } of this.#loads)
      for (const waiter of waiters) if (waiter.reply === reply) this.#leave(waiter, 'left');
  }

  /** What is under way for these keys is not stored, and answers nobody who comes now. */
  end(isConcerned: (key: string) => boolean): void {
    for (const load of this.#loads) if (isConcerned(load.key)) load.gone = true;
  }

  /** A tag counts from the moment a load began, also one that its loader speaks of in the end. */
  endTag(tag: string): void {
    for (const load of this.#loads) load.tagsGone.add(tag);
  }

  get #isShared(): boolean {
    return this.#state.rules.copyMs !== undefined;
  }

  #refreshIfDue(waiter: Waiter, row: Row): void {
    const { agenda, counts, entries } = this.#state;
    const { key, said } = waiter;
    if (said.eager === undefined || row.refreshAt > agenda.now || this.#joinable(waiter)) return;
    counts.refreshes += 1;
    if (said.skipWrite !== true) row.refreshAt = Infinity;
    // The shared level is asked whether it has something newer.
    if (this.#isShared) entries.takeCopy(key, row, { ...said, eager: undefined });
    this.#load(waiter).behind = true;
  }

  #joinOrLoad(waiter: Waiter): void {
    const load = this.#joinable(waiter);
    if (load === undefined) {
      if (!this.#isShared || !this.#replyFromShared(waiter)) this.#wait(waiter, this.#load(waiter));
    } else if (!load.late || !this.#replyStale(waiter.key, waiter.said, [waiter])) {
      this.#wait(waiter, load);
    }
  }

  #wait(waiter: Waiter, load: Load): void {
    load.waiters.add(waiter);
    waiter.load = load;
  }

  #joinable({ key, said }: Waiter): Load | undefined {
    const load = this.#newest.get(placeOf({ key, said }));
    if (load === undefined || !this.#isJoinable(load)) return undefined;
    return said.force === true && load.said.force !== true ? undefined : load;
  }

  /** What a level in this process has that the caller reads. */
  #here({ key, said }: Waiter): Row | undefined {
    const { rules, entries } = this.#state;
    const isRead =
      said.skipRead === undefined || (said.skipRead === 'L1' && rules.levelsHere === 2);
    return said.force !== true && isRead ? entries.here(key) : undefined;
  }

  /** The level that is shared is asked; who asks it can be joined, so nobody else can. */
  #replyFromShared(waiter: Waiter): boolean {
    const { entries, counts } = this.#state;
    const { key, said, reply } = waiter;
    if (said.force === true) return false;
    this.#newest.delete(placeOf(waiter));
    const row = said.skipRead === 'all' ? undefined : entries.fresh(key);
    if (row === undefined) return this.#replyWhileThrottled(waiter);
    counts.misses -= 1;
    counts.hits += 1;
    reply.return(row.value);
    entries.takeCopy(key, row, said);
    return true;
  }

  #load({ key, said, source, calledAt }: Waiter): Load {
    const { rules, agenda, entries, counts, order } = this.#state;
    const load: Load = {
      key,
      said,
      source,
      calledAt,
      order,
      startedAt: agenda.now,
      stale: entries.kept(key),
      waiters: new Set(),
      tags: [...(said.tags ?? [])],
      tagsGone: new Set(),
      gone: !rules.enabled,
      behind: false,
      late: false,
      givenUp: false,
      over: false,
      aborted: false,
    };
    counts.loads += 1;
    this.begun.set(`${source.id} ${key}`, load);
    this.#loads.add(load);
    this.#newest.set(placeOf(load), load);
    if (said.soft !== undefined) agenda.after(said.soft, () => this.#timeOutSoftly(load));
    if (said.hard !== undefined) agenda.after(said.hard, () => this.#timeOut(load));
    agenda.after(source.ms, () => this.#end(load));
    return load;
  }

  #timeOutSoftly(load: Load): void {
    if (load.over || !this.#replyStale(load.key, load.said, load.waiters)) return;
    load.waiters.clear();
    load.behind = true;
    load.late = true;
  }

  #timeOut(load: Load): void {
    if (load.over) return;
    const { key, said } = load;
    const before = this.#givenUp.get(key);
    if (before !== undefined) before.gone = true;
    this.#givenUp.set(key, load);
    if (this.#isValid(load)) this.#state.entries.throttle(key, said.throttle);
    load.behind = true;
    load.givenUp = true;
    this.#abandon(load);
    this.#replyStaleOr(load, 'LoadTimeoutError');
  }

  /** Its loader is done. */
  #end(load: Load): void {
    const { key, source, stale, tags } = load;
    tags.push(...source.tags);
    const error = errorOf(source, stale !== undefined);
    if (error === undefined && source.outcome === 'same') tags.push(...stale!.tags);
    const value = valueOf(source, stale?.value);
    if (error === undefined && value !== undefined) this.#store(load, value);
    this.#loads.delete(load);
    this.#vacate(load);
    if (this.#givenUp.get(key) === load) this.#givenUp.delete(key);
    if (error === undefined) this.#replyLoaded(load, value);
    else this.#fail(load, error);
    load.over = true;
  }

  #store(load: Load, value: unknown): void {
    const { rules, counts, entries } = this.#state;
    const { key, said, source, calledAt, startedAt: bornAt, tags } = load;
    if (!rules.enabled) return;
    if (!this.#isValid(load)) {
      counts.fenced += 1;
      return;
    }
    const storing = { value, said, tags, calledAt, bornAt, loaderTtl: ttlOf(source) };
    const isStored = source.outcome !== 'skip' && entries.store(key, storing);
    if (!isStored) counts.unstored += 1;
    // A load that was called earlier does not follow.
    for (const earlier of this.#loads) {
      if (earlier === load) return;
      if (earlier.key === key) earlier.gone = true;
    }
  }

  /** Who asked after the invalidation that a load turns out not to have survived is not answered by it. */
  #replyLoaded(load: Load, value: unknown): void {
    const isEnded = this.#state.rules.enabled && !load.over && !this.#isJoinable(load);
    const waiters = [...load.waiters];
    const late = isEnded ? waiters.filter(({ order }) => order > load.order) : [];
    for (const waiter of waiters) if (!late.includes(waiter)) waiter.reply.return(value);
    for (const waiter of late) {
      const row = this.#here(waiter);
      if (row === undefined) this.#joinOrLoad(waiter);
      else waiter.reply.return(row.value);
    }
  }

  #fail(load: Load, error: string): void {
    const { entries, counts } = this.#state;
    const { key, said, givenUp, waiters } = load;
    counts.loadFailures += 1;
    const isAccepted = error !== 'refused' || said.refuses !== true;
    if (isAccepted && !givenUp && this.#isValid(load)) entries.throttle(key, said.throttle);
    if (isAccepted) this.#replyStaleOr(load, error);
    else for (const { reply } of waiters) reply.throw(error);
  }

  /** The wait of one caller ends; the last one takes the load along. */
  #leave(waiter: Waiter, reason: string): void {
    const { load, reply } = waiter;
    if (reply.outcome !== undefined) return;
    reply.throw(reason);
    load!.waiters.delete(waiter);
    if (load!.waiters.size > 0 || load!.behind) return;
    load!.gone = true;
    this.#abandon(load!);
  }

  #abandon(load: Load): void {
    load.over = true;
    load.aborted = true;
    this.#vacate(load);
  }

  #vacate(load: Load): void {
    if (this.#newest.get(placeOf(load)) === load) this.#newest.delete(placeOf(load));
  }

  #replyStaleOr({ key, said, waiters }: Load, error: string): void {
    if (waiters.size === 0) return;
    if (!this.#replyStale(key, said, waiters)) for (const { reply } of waiters) reply.throw(error);
    waiters.clear();
  }

  #replyStale(key: string, { force }: Said, waiters: Iterable<Waiter>): boolean {
    const row = this.#state.entries.standIn(key, force);
    if (row === undefined) return false;
    for (const { reply } of waiters) {
      this.#state.counts.staleServed += 1;
      reply.return(row.value);
    }
    return true;
  }

  #replyWhileThrottled({ key, said, reply }: Waiter): boolean {
    const { entries, agenda, counts } = this.#state;
    const row = entries.kept(key);
    if (said.throttle === undefined || said.force === true || row === undefined) return false;
    if (row.retryAt <= agenda.now) return false;
    counts.staleServed += 1;
    reply.return(row.value);
    return true;
  }

  #isJoinable({ key, startedAt, tags, tagsGone, gone }: Load): boolean {
    const { entries, agenda } = this.#state;
    if (gone || tags.some((tag) => tagsGone.has(tag))) return false;
    const heldUntil = entries.heldUntil(key, tags);
    return heldUntil <= startedAt || heldUntil > agenda.now;
  }

  /** Whether what it brings is stored. */
  #isValid(load: Load): boolean {
    const heldUntil = this.#state.entries.heldUntil(load.key, load.tags);
    return this.#isJoinable(load) && heldUntil <= load.startedAt;
  }
}

/** Loads that skip other levels do not meet. */
function placeOf({ key, said }: Pick<Load, 'key' | 'said'>): string {
  return `${key} ${said.skipRead} ${said.skipWrite}`;
}
