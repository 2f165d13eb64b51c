import { NaiveAgenda } from './naive-agenda.js';
import { NaiveEntries, type Row, type Rules, type Said } from './naive-entries.js';
import type { Caller, NaiveCounts, NaiveState } from './naive-load.js';
import { NaiveLoads } from './naive-loads.js';
import type { Reply } from './reply.js';
import { changedBy, type Source } from './scripted-source.js';

/** A set or an update under way, or one that waits for its turn. */
interface Write {
  readonly key: string;
  readonly calledAt: number;
  readonly said: Said;
  readonly reply: Reply;
  readonly change: Source | { readonly value: unknown };
  /** What it brings is not stored. */
  gone: boolean;
}

/**
 * The whole policy in its plainest form: one map of entries, and lists of the loads and writes under
 * way, in which an invalidation marks what it concerns. No levels, no tickets.
 *
 * Where this process shares a level with others (`copyMs`) four things are otherwise for its callers:
 * what that level has is seen without asking it (`peek`, `has`, `getIfPresent`, and what stands in for a
 * failed load) only while this process has a copy; a copy takes its time of refreshing from who had it
 * made; a caller without a copy joins the load under way before that level is asked; and a stale value
 * is returned early (`throttle`) only when that level has nothing.
 */
export class NaivePolicy {
  readonly counts: NaiveCounts = {
    hits: 0,
    misses: 0,
    loads: 0,
    loadFailures: 0,
    staleServed: 0,
    refreshes: 0,
    sets: 0,
    unstored: 0,
    fenced: 0,
  };
  readonly #state: NaiveState;
  readonly #loads: NaiveLoads;
  /** Of each key, in turn. */
  readonly #writes = new Map<string, Write[]>();

  constructor(rules: Rules, now: number) {
    const agenda = new NaiveAgenda(now);
    const entries = new NaiveEntries(rules, agenda);
    this.#state = { rules, agenda, entries, counts: this.counts, order: 0 };
    this.#loads = new NaiveLoads(this.#state);
  }

  get begun(): NaiveLoads['begun'] {
    return this.#loads.begun;
  }

  advance(ms: number): void {
    this.#state.agenda.advance(ms);
  }

  peek(key: string): unknown {
    return this.#state.entries.here(key)?.value;
  }

  getIfPresent(key: string): unknown {
    return this.#counted(this.#state.entries.here(key));
  }

  get(key: string): unknown {
    return this.#counted(this.#find(key));
  }

  getOrSet(caller: Caller): void {
    this.#loads.getOrSet(caller);
  }

  leave(caller: Caller): void {
    this.#loads.leave(caller);
  }

  set(key: string, value: unknown, said: Said, reply: Reply): void {
    if (this.#state.rules.enabled) this.#write(key, { said, reply, change: { value } });
    else reply.return(undefined);
  }

  update(key: string, change: Source, said: Said, reply: Reply): void {
    this.#write(key, { said, reply, change });
  }

  delete(key: string, hold: number | undefined): boolean {
    const existed = this.peek(key) !== undefined;
    this.#state.entries.remove(key);
    this.#end((other) => other === key);
    this.#state.entries.holdKey(key, hold);
    return existed;
  }

  expire(key: string, hold: number | undefined): boolean {
    const existed = this.peek(key) !== undefined;
    this.#state.entries.expire(key);
    this.#end((other) => other === key);
    this.#state.entries.holdKey(key, hold);
    return existed;
  }

  invalidate(tag: string, hold: number | undefined): void {
    this.#state.order += 1;
    this.#state.entries.removeWhere((_, { tags }) => tags.includes(tag));
    this.#loads.endTag(tag);
    for (const write of this.#writing()) if (write.said.tags?.includes(tag)) write.gone = true;
    this.#state.entries.holdTag(tag, hold);
  }

  /** @param prefix what the keys of a namespace begin with */
  clear(prefix: string): void {
    if (prefix !== '') this.#state.order += 1;
    this.#state.entries.removeWhere((key) => key.startsWith(prefix));
    this.#end((key) => key.startsWith(prefix));
  }

  #end(isConcerned: (key: string) => boolean): void {
    this.#loads.end(isConcerned);
    for (const write of this.#writing()) if (isConcerned(write.key)) write.gone = true;
  }

  #write(key: string, call: Pick<Write, 'said' | 'reply' | 'change'>): void {
    const { rules, agenda } = this.#state;
    const queue = this.#writes.get(key) ?? [];
    this.#writes.set(key, queue);
    const write = { key, calledAt: agenda.now, gone: false, ...call };
    if (queue.push(write) === 1 || !rules.enabled) this.#carryOut(write);
  }

  #carryOut(write: Write): void {
    const { key, change } = write;
    if (!('ms' in change)) {
      this.#finish(write, change.value);
      return;
    }
    const current = this.#find(key)?.value;
    this.#state.agenda.after(change.ms, () => {
      if (change.outcome === 'error') write.reply.throw('error');
      this.#finish(write, change.outcome === 'error' ? undefined : changedBy(change, current));
    });
  }

  /** Where it leaves nothing it is a delete; loads that were called before do not follow in any case. */
  #finish(write: Write, value: unknown): void {
    const { key, reply, change } = write;
    if (this.#state.rules.enabled) {
      if (value === undefined || !this.#store(write, value)) this.#state.entries.remove(key);
      this.#loads.end((other) => other === key);
    }
    if (reply.outcome === undefined) reply.return('ms' in change ? value : undefined);
    const queue = this.#writes.get(key)!;
    queue.splice(queue.indexOf(write), 1);
    if (queue.length > 0 && this.#state.rules.enabled) this.#carryOut(queue[0]!);
  }

  #store({ key, said, calledAt, gone }: Write, value: unknown): boolean {
    const { entries } = this.#state;
    const { ttl, expiresIn, tags = [] } = said;
    const isOwn = ttl !== undefined || expiresIn !== undefined;
    const storing = { value, said, tags, calledAt, bornAt: calledAt, isOwn };
    const isStored = !gone && entries.store(key, storing);
    if (isStored) this.counts.sets += 1;
    else if (gone) this.counts.fenced += 1;
    else this.counts.unstored += 1;
    return isStored;
  }

  /** Finds what is a hit, here or where it is shared, and has a copy made. */
  #find(key: string): Row | undefined {
    const { entries } = this.#state;
    const row = entries.fresh(key);
    if (row !== undefined && entries.here(key) === undefined) entries.takeCopy(key, row, {});
    return row;
  }

  #counted(row: Row | undefined): unknown {
    if (row === undefined) this.counts.misses += 1;
    else this.counts.hits += 1;
    return row?.value;
  }

  #writing(): Write[] {
    return [...this.#writes.values()].flat();
  }
}
